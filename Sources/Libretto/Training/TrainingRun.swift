import GRU
import Memory
import Sequences

/// A run that has begun: the learner and its material, and all that a step does.
final class TrainingRun {
  let plan: TrainingPlan
  let corpus: Corpus
  let learner: Learner
  private(set) var state: TrainingState
  let history: LossHistory
  private let sides: Sides
  private let batches: any Batches
  private let validation: Validation?
  /// The best weights by the validation loss; without one those of `state.kept`, in case training
  /// diverges.
  private let best: FloatBuffer
  private let inputs, targets, sideValues: GrowableBuffer<Int32>
  private let fingerprint: UInt64
  /// See `Corpus.barRounds`.
  private let barRounds: Int?
  private var tokensPerSecond = 0.0
  /// That of the last step, or the first.
  private var learningRate = 0.0

  /// - `learner`: with the weights to begin with.
  /// - `resumed`: what to go on from, if anything.
  init(
    _ plan: TrainingPlan, _ corpus: Corpus, _ sides: Sides, _ learner: Learner,
    _ state: TrainingState, fingerprint: UInt64, resumed: Checkpoint?
  ) throws(LibrettoError) {
    self.plan = plan
    self.corpus = corpus
    self.sides = sides
    self.learner = learner
    self.state = state
    self.fingerprint = fingerprint
    barRounds = sides.haveMemory(corpus.encoding) ? corpus.barRounds : nil
    history = if let before = resumed?.history { before } else { try LossHistory() }
    if let resumed {
      best = resumed.best
      resumed.load(into: learner)
    } else {
      best = try FloatBuffer.make(learner.layout.count)
      best.copy(from: learner.parameters)
    }
    learner.parametersChanged()
    validation = try Validation(corpus.validation, sides, of: corpus.encoding, for: learner)
    batches = try corpus.batches(
      batch: plan.batch, sequence: plan.sequence, seed: plan.seed, augment: plan.augment,
      sides: sides)
    let count = plan.batch * plan.sequence
    (inputs, targets, sideValues) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: count),
        try GrowableBuffer(repeating: -1, count: count),
        try GrowableBuffer(repeating: 0, count: count * plan.shape.sides.count)
      )
    }
    learningRate = plan.learningRate(
      step: state.step, fraction: state.fraction(of: plan), coolDownStart: state.coolDownStart)
    settle()
  }

  /// A run that was stopped goes on.
  func goOn() { if state.run == .stopped { state.run = state.step == 0 ? .fresh : .running } }

  func end(as run: RunState) { state.run = run }

  /// One step: a batch forward and backward, and one update; now and then a measurement.
  /// After the end it does nothing. See `Trainer.step`.
  ///
  /// - `start`: when the step began.
  /// - `stop`: ends a measurement, which the next step then makes up for.
  func step(from start: Double, until stop: StopFlag?) throws(LibrettoError) -> Progress {
    guard state.run.goesOn else { return report() }
    var start = start
    if isMeasurementDue {
      guard measure(until: stop) else { return report() }
      settle()
      guard state.run.goesOn else { return report() }
      start = monotonicSeconds()
    }
    try train(from: start)
    if isMeasurementDue { _ = measure(until: stop) }
    settle()
    return report()
  }

  /// Moves to the state the numbers lead to: an end only when it has been measured.
  private func settle() {
    if !isMeasurementDue || state.run == .diverged { state.run = state.settled(plan) }
  }

  private func train(from start: Double) throws(LibrettoError) {
    batches.fill(
      step: state.step, inputs: inputs.base.unsafelyUnwrapped,
      targets: targets.base.unsafelyUnwrapped, sides: sideValues.base
    ) { learner.resetState(of: $0) }
    let fraction = state.fraction(of: plan)
    learningRate = plan.learningRate(
      step: state.step, fraction: fraction, coolDownStart: state.coolDownStart)
    let loss = learner.gradients(
      inputs: inputs.base.unsafelyUnwrapped, targets: targets.base.unsafelyUnwrapped,
      sides: sideValues.base.map { UnsafePointer($0) })
    guard loss.isFinite,
      learner.update(
        rate: learningRate, clip: plan.clip, decay: plan.weightDecay, beta2: plan.beta2)
    else { throw diverged() }
    state.note(loss)
    guard !state.hasGrownTooFar else { throw diverged() }
    state.step += 1
    state.run = .running
    history.training.append(state.step, state.smoothed)
    let took = monotonicSeconds() - start
    state.elapsed += took
    let speed = Double(plan.batch * plan.sequence) / max(took, 1e-9)
    tokensPerSecond = tokensPerSecond == 0 ? speed : 0.9 * tokensPerSecond + 0.1 * speed
  }

  private func diverged() -> LibrettoError {
    state.run = .diverged
    return state.divergence
  }

  private var isMeasurementDue: Bool {
    state.measured < state.step
      && (state.step % plan.validationInterval == 0
        || state.fraction(of: plan) >= 1)
  }

  /// Measures the validation part, or takes note of the training loss where there is none; false if it
  /// was stopped before its end.
  private func measure(until stop: StopFlag?) -> Bool {
    let start = monotonicSeconds()
    defer { state.elapsed += monotonicSeconds() - start }
    if let validation {
      guard let loss = validation.loss(of: learner, until: stop) else { return false }
      state.validation = loss
      history.validation.append(state.step, loss)
      if !(state.validation >= state.best) {
        state.best = state.validation
        state.sinceBest = 0
        state.trainingAtBest = state.smoothed
        best.copy(from: learner.parameters)
      } else {
        state.sinceBest += 1
        state.coolDownIfStalled(plan)
      }
    } else if !(state.smoothed >= state.kept.loss) {
      state.kept = (state.step, state.smoothed)
      best.copy(from: learner.parameters)
    }
    state.measured = state.step
    return true
  }
}

// MARK: - Results

extension TrainingRun {
  private var bestWeights: FloatBuffer {
    state.run != .diverged && state.best.isNaN ? learner.parameters : best
  }

  func model() throws(LibrettoError) -> Model {
    let (shape, parameters) = (plan.shape, bestWeights)
    let made = try network { () throws(NetworkError) in
      try Network(shape, parameters: parameters)
    }
    return try Model(network: made, encoding: corpus.encoding, sides: sides, facts: facts)
      .calibrated(on: corpus.validation)
  }

  func checkpoint() throws(LibrettoError) -> SafeTensorsImage {
    try Checkpoint.image(
      plan: plan, state: state, encoding: corpus.encoding, sides: sides, facts: facts,
      fingerprint: fingerprint,
      history: history, learner: learner, best: bestWeights)
  }

  private var facts: [String: String] {
    var facts = [
      "training.tokens": String(corpus.training.count),
      "training.steps": String(state.step), "training.seed": String(plan.seed),
    ]
    if !state.best.isNaN { facts["training.validation_nats_per_token"] = "\(state.best)" }
    if corpus.hasPairs { facts[Model.pairsFact] = "1" }
    if let barRounds { facts[Model.barRoundsFact] = String(barRounds) }
    return facts
  }

  func report() -> Progress {
    var p = Progress()
    p.step = state.step
    p.totalSteps = plan.totalSteps
    p.epoch = Double(state.step) / Double(batches.batchesPerEpoch)
    p.fraction = state.fraction(of: plan)
    p.loss = state.smoothed
    p.validationLoss = state.validation
    p.bestValidationLoss = state.best
    let nats = state.validation.isNaN ? state.smoothed : state.validation
    if corpus.tokensPerCharacter > 0 {
      p.bitsPerCharacter = nats / 0.693147180559945309 * corpus.tokensPerCharacter
    }
    p.learningRate = learningRate
    p.gradientNorm = learner.gradientNorm
    p.tokensPerSecond = tokensPerSecond
    p.elapsedSeconds = state.elapsed
    if p.fraction > 0 { p.secondsLeft = state.elapsed * (1 - p.fraction) / p.fraction }
    p.measured = validation != nil && state.step > 0 && state.measured == state.step
    p.endsSooner = state.length < 1
    p.end = state.run
    return p
  }

  /// What the options left open, as it was chosen.
  func chosen(_ options: TrainingOptions) -> TrainingOptions {
    func aboveZero<T: Numeric & Comparable>(_ value: T) -> T? { value > 0 ? value : nil }
    var options = options
    options.encoding = corpus.encoding.name
    options.stepsPerQuarter = aboveZero(corpus.encoding.music?.stepsPerQuarter ?? 0)
    options.augment = plan.augment
    options.memory = sides.haveMemory(corpus.encoding)
    options.vocabulary = aboveZero(corpus.encoding.hostVocabulary)
    (options.season, options.context) = (
      corpus.encoding.series?.season, corpus.encoding.series?.context
    )
    options.checkpointSeconds = options.checkpointSeconds ?? Trainer.usualCheckpointSeconds
    if corpus.encoding.kind == .text { options.documents = corpus.training.pieces != nil }
    (options.embedding, options.hidden) = (plan.shape.embedding, plan.shape.hidden)
    options.layers = plan.shape.layers
    (options.batch, options.sequence) = (plan.batch, plan.sequence)
    options.dropout = plan.dropout
    options.learningRate = plan.learningRate
    options.weightDecay = plan.weightDecay
    options.clip = plan.clip
    options.steps = aboveZero(plan.totalSteps)
    options.epochs = aboveZero(Double(plan.totalSteps) / Double(batches.batchesPerEpoch))
    options.minutes = aboveZero(plan.seconds / 60)
    options.validationFraction = state.validationFraction
    options.patience = plan.patience
    options.seed = plan.seed
    options.precision = plan.precision
    options.threads = learner.threads
    return options
  }
}
