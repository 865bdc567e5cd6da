import GRU
import Sequences
import Synchronization

/// Trains a model: takes material, then steps, one at a time or all in a run.
///
/// One thread at a time may use a trainer, except for `stop()`, which any may call. The first step
/// makes tokens of the material and allocates everything; later ones allocate nothing.
public final class Trainer {
  private let options: TrainingOptions
  private let base: Model?
  private var resumed: Checkpoint?
  private var material = Material.none
  private let stopping = Atomic<Bool>(false)
  private var run: Run?
  private var failure: LibrettoError?

  /// What exists once training has begun.
  private struct Run {
    let plan: TrainingPlan
    let corpus: Corpus
    let windows: any Windows
    let learner: Learner
    let validation: Validation?
    /// The best weights by the held-out part; if nothing is held out, by the loss, in case training
    /// diverges.
    let best: FloatBuffer
    let inputs: UnsafeMutablePointer<Int32>
    let targets: UnsafeMutablePointer<Int32>
    let fingerprint: UInt64
  }
  private var state = TrainingState()
  private var tokensPerSecond = 0.0
  /// If nothing is held out: the step whose weights `Run.best` has, and the loss then.
  private var kept = (step: 0, loss: Double.nan)
  /// Whether a run is to save a checkpoint, and has not.
  private var owesCheckpoint = false

  /// A trainer that begins with new weights, or with those of a model, whose encoding and sizes it
  /// then keeps.
  public init(_ options: TrainingOptions = TrainingOptions(), from model: Model? = nil)
    throws(LibrettoError)
  {
    try options.validate()
    if let name = options.encoding, !Encodings.names.contains(name) {
      throw LibrettoError(EncodingError.unknown(name))
    }
    if let model {
      let shape = model.shape
      for (what, asked, has) in [
        ("embedding", options.embedding, shape.embedding), ("hidden", options.hidden, shape.hidden),
        ("layers", options.layers, shape.layers),
        ("steps per quarter note", options.stepsPerQuarter, model.stepsPerQuarter),
      ] where asked != 0 && asked != has {
        throw LibrettoError(
          .argument, "\(what) is \(asked), but the model to start from has \(has); leave it out")
      }
      if let name = options.encoding, name != model.encoding.name {
        throw LibrettoError(
          .argument,
          "the encoding is \(name), but the model to start from has \(model.encoding.name); leave it out"
        )
      }
    }
    if let model, let documents = options.documents, documents != model.hasDocuments {
      throw LibrettoError(
        .argument,
        documents
          ? "the model to start from has no end of documents; train from new weights, or on one long text"
          : "the model to start from is one of documents; leave the choice out")
    }
    self.options = options
    base = model
  }

  /// A trainer that goes on where a checkpoint was saved. It needs the same material again, added
  /// in the same way; then it goes on bit for bit as the run that was saved would have, if the
  /// options leave everything as it was. Of the options `epochs`, `steps`, `minutes` and `patience`,
  /// if given, move the end of the run, `threads` changes their number, and the checkpoint path and
  /// interval apply; others, if given, must be as they were.
  public init(resume path: String, _ options: TrainingOptions = TrainingOptions())
    throws(LibrettoError)
  {
    try options.validate()
    let checkpoint = try Checkpoint(path)
    try checkpoint.check(options)
    self.options = options
    base = nil
    resumed = checkpoint
    state = checkpoint.state
  }

  deinit {
    run?.inputs.deallocate()
    run?.targets.deallocate()
  }

  /// The files a resumed run was given, to be added again; empty for a new one.
  public var expectedFiles: [MaterialFile] { resumed?.files ?? [] }

  // MARK: - Material

  /// Adds a text file to the training material, or to the held-out part. It is mapped until the
  /// first step and must not change before that.
  ///
  /// - `kind`: what to convert its text from; nil to learn its bytes as they are. Of UTF-8 the byte
  ///   order mark is left out, and bytes that are not well-formed are kept.
  public func add(file path: String, kind: TextKind? = nil, validation: Bool = false)
    throws(LibrettoError)
  {
    var text = try textMaterial()
    try text.add(file: path, kind: kind, validation: validation)
    material = .text(text)
  }

  /// Adds text, which is copied.
  public func add(text: UnsafeRawBufferPointer, validation: Bool = false) throws(LibrettoError) {
    var material = try textMaterial()
    try material.add(text: text, validation: validation)
    self.material = .text(material)
  }

  /// Adds a MIDI file: a piece. It is read now, to see that it can be, and again at the first step;
  /// it must not change before that. Throws, and adds nothing, if it cannot be read or has no notes.
  public func add(midi path: String, validation: Bool = false) throws(LibrettoError) {
    var music = try musicMaterial()
    try music.add(file: path, validation: validation)
    material = .music(music)
  }

  /// Adds a MIDI file that is in memory, which is copied.
  public func add(midi bytes: UnsafeRawBufferPointer, validation: Bool = false)
    throws(LibrettoError)
  {
    var music = try musicMaterial()
    try music.add(bytes: bytes, validation: validation)
    material = .music(music)
  }

  /// The name of the encoding that was asked for, or that the weights to start from have.
  private var encodingName: String? {
    options.encoding ?? base?.encoding.name ?? resumed?.encoding.name
  }

  /// The name of the encoding that the run to resume or the model to start from has.
  package var givenEncoding: String? { base?.encoding.name ?? resumed?.encoding.name }

  private func textMaterial() throws(LibrettoError) -> TextMaterial {
    try requireUnstarted()
    if let name = encodingName, Encodings.isMusic(name) {
      throw LibrettoError(.corpus, "the encoding \(name) learns from MIDI files, not from text")
    }
    switch material {
    case .none: return TextMaterial()
    case .text(let text): return text
    case .music:
      throw LibrettoError(
        .corpus, "this trainer learns from MIDI files; text cannot be added to it")
    }
  }

  private func musicMaterial() throws(LibrettoError) -> MusicMaterial {
    try requireUnstarted()
    if let name = encodingName, !Encodings.isMusic(name) {
      throw LibrettoError(.corpus, "the encoding \(name) learns from text, not from MIDI files")
    }
    switch material {
    case .none: return MusicMaterial()
    case .music(let music): return music
    case .text:
      throw LibrettoError(.corpus, "this trainer learns from text; MIDI cannot be added to it")
    }
  }

  private func requireUnstarted() throws(LibrettoError) {
    guard run == nil else {
      throw LibrettoError(.state, "material must be added before the first step of training")
    }
  }

  // MARK: - Training

  /// Makes tokens of the material and sets everything up; the first step does this if it was not
  /// done before.
  public func prepare() throws(LibrettoError) {
    guard run == nil else { return }
    let fraction =
      resumed?.validationFraction
      ?? (options.validationFraction < 0 ? 0.1 : options.validationFraction)
    let augment: Bool? = resumed?.plan.augment ?? options.augment
    let corpus = try tokenize(fraction: fraction, augment: augment)
    let files = material.files
    let fingerprint = corpus.fingerprint
    if let resumed, resumed.fingerprint != fingerprint {
      throw LibrettoError(
        .corpus,
        "the material is not what the checkpoint was trained on; add the same files, in the same order, unchanged"
      )
    }
    var plan = try TrainingPlan(
      options, tokens: corpus.training.tokens.count, held: corpus.validation.tokens.count,
      vocabulary: corpus.encoding.vocabularySize, window: corpus.usualWindow,
      perEpoch: corpus.windowsPerEpoch, fixed: base?.shape ?? resumed?.plan.shape,
      processors: processorCount())
    plan.augment = augment ?? corpus.gainsFromVariants
    if let resumed { plan = resumed.plan.extended(by: options, corpus) }
    guard plan.memory < physicalMemory() else {
      throw LibrettoError(
        .memory,
        "this run needs about \(Int(plan.memory / 1e9)) GB, more than this machine has; choose smaller sizes or a smaller batch"
      )
    }
    let made = plan
    let learner = try network { () throws(NetworkError) in
      try Learner(
        made.shape, streams: made.batch, window: made.sequence, threads: made.threads,
        dropout: Float(made.dropout), seed: made.seed, precision: made.precision)
    }
    let best = try FloatBuffer.make(learner.layout.count)
    if let resumed {
      try resumed.load(into: learner, best: best)
    } else if let base {
      learner.parameters.copy(from: try base.parameters())
    } else {
      initialize(learner.parameters, plan.shape, seed: plan.seed)
    }
    if resumed == nil { best.copy(from: learner.parameters) }
    learner.parametersChanged()
    let validation = try Validation(corpus.validation, for: learner)
    let rows = plan.batch * plan.sequence
    run = Run(
      plan: plan, corpus: corpus,
      windows: corpus.windows(
        streams: plan.batch, window: plan.sequence, seed: plan.seed, augment: plan.augment),
      learner: learner, validation: validation, best: best, inputs: .allocate(capacity: rows),
      targets: .allocate(capacity: rows), fingerprint: fingerprint)
    state.files = files
    state.validationFraction = fraction
    kept.step = state.step
    resumed = nil
    material = .none
    state.end = hasReachedEnd ? .finished : hasLostPatience ? .early : .none
  }

  /// Whether a file is the checkpoint of a run that is not at its end.
  package static func isUnfinished(checkpoint path: String) -> Bool {
    guard let checkpoint = try? Checkpoint(path) else { return false }
    return !checkpoint.state.hasReachedEnd(of: checkpoint.plan)
      && !checkpoint.state.hasLostPatience(of: checkpoint.plan)
  }

  /// Whether a file is a checkpoint, of whatever run.
  package static func isCheckpoint(_ path: String) -> Bool { (try? Checkpoint(path)) != nil }

  private func tokenize(fraction: Double, augment: Bool?) throws(LibrettoError) -> Corpus {
    let fixed = resumed?.encoding ?? base?.encoding
    switch material {
    case .none:
      throw LibrettoError(.corpus, "there is nothing to learn from; add a file or text first")
    case .text(var text):
      return try text.tokenize(
        fixed as? any TextEncoding, name: options.encoding ?? CharactersEncoding.name,
        documents: options.documents ?? false, fraction: fraction)
    case .music(var music):
      return try music.tokenize(
        fixed as? any MusicEncoding, name: options.encoding,
        stepsPerQuarter: options.stepsPerQuarter == 0 ? 4 : options.stepsPerQuarter,
        fraction: fraction, augment: augment)
    }
  }

  /// One step: a window of each stream forward and back, and one update. After the end it does
  /// nothing but tell that it is the end.
  ///
  /// Throws `.diverged` if the loss or the gradient is no longer a number, or the loss has grown far
  /// above what it was at first. The best weights are kept, or if nothing is held out some from before.
  public func step() throws(LibrettoError) -> Progress {
    let start = monotonicSeconds()
    try prepare()
    // A run that was stopped goes on.
    if state.end == .stopped { state.end = .none }
    return try advance(from: start)
  }

  /// Steps until the end, calling `progress` after each step, which says whether to go on.
  ///
  /// If the options name a checkpoint path, a checkpoint is saved there from time to time and at the
  /// end, also when the run was stopped. One that could not be saved is the first thing the next run
  /// does. A run that diverges leaves the last one as it is.
  public func run(_ progress: (Progress) -> Bool = { _ in true }) throws(LibrettoError) -> Progress
  {
    var clock = monotonicSeconds()
    let every = options.checkpointSeconds > 0 ? options.checkpointSeconds : 60
    var lastSaved = clock
    try prepare()
    state.end = hasReachedEnd ? .finished : state.end == .stopped ? .none : state.end
    var current = report(measured: false)
    if owesCheckpoint { try saveCheckpoint() }
    while current.end == .none {
      if stopping.exchange(false, ordering: .acquiringAndReleasing) {
        state.end = .stopped
      } else {
        current = try advance(from: clock)
        clock = monotonicSeconds()
        if !progress(current), current.end == .none { state.end = .stopped }
      }
      current.end = state.end
      if current.end != .none || clock - lastSaved >= every {
        try saveCheckpoint()
        lastSaved = monotonicSeconds()
      }
    }
    return current
  }

  private func saveCheckpoint() throws(LibrettoError) {
    guard let path = options.checkpointPath else { return }
    owesCheckpoint = true
    try save(checkpoint: path)
    owesCheckpoint = false
  }

  /// Makes a run end after its current step, as if the progress callback had said so. May be called
  /// from any thread and from a signal handler. If none is running the next one ends at once.
  public func stop() { stopping.store(true, ordering: .releasing) }

  // MARK: - Results

  /// The best weights so far as a model: by the held-out part, or the latest if nothing is held out and
  /// training did not diverge.
  public func model() throws(LibrettoError) -> Model {
    try prepare()
    let run = run!
    let parameters = try FloatBuffer.make(run.learner.layout.count)
    parameters.copy(from: bestWeights)
    let made = try network { () throws(NetworkError) in
      try Network(run.plan.shape, parameters: parameters)
    }
    return Model(network: made, encoding: run.corpus.encoding, facts: facts)
  }

  /// Saves all that a later process needs to go on: a model file with the best weights, and beside
  /// them the current ones, the optimiser's and the streams' state.
  public func save(checkpoint path: String) throws(LibrettoError) {
    try prepare()
    let run = run!
    try Checkpoint.save(
      path, plan: run.plan, state: state, encoding: run.corpus.encoding, facts: facts,
      fingerprint: run.fingerprint, learner: run.learner, best: bestWeights)
  }

  /// Where the run stands; before the first step most of it is not a number.
  public var progress: Progress { run == nil ? Progress() : report(measured: false) }

  /// The sizes in use, known once training was prepared.
  public var shape: NetworkShape? { run?.plan.shape }
  /// The batch, the window and the threads in use, likewise.
  public var batch: (streams: Int, window: Int, threads: Int)? {
    run.map { ($0.plan.batch, $0.plan.sequence, $0.learner.threads) }
  }
  /// Tokens to train on and held out, likewise.
  public var tokens: (training: Int, validation: Int)? {
    run.map { ($0.corpus.training.tokens.count, $0.corpus.validation.tokens.count) }
  }

  /// What a person should know of the files of music, likewise.
  public var remarks: [MaterialRemark] { run?.corpus.remarks ?? [] }
  /// Pieces or documents to train on and held out, likewise; nil for one long text.
  public var pieces: (training: Int, validation: Int)? {
    guard let corpus = run?.corpus, let pieces = corpus.training.pieces else { return nil }
    return (pieces.count, corpus.validation.pieces?.count ?? 0)
  }
  /// The encoding in use, and how it was chosen if it was, likewise.
  package var encoding: (any Encoding)? { run?.corpus.encoding }
  package var encodingChoice: EncodingChoice? { run?.corpus.choice }
  /// The highest learning rate and the dropout in use, likewise.
  package var rates: (learning: Double, dropout: Double)? {
    run.map { ($0.plan.learningRate, $0.plan.dropout) }
  }
  /// Where the run ends, likewise: 0 for what does not end it.
  package var ends: (steps: Int, seconds: Double, patience: Int)? {
    run.map { ($0.plan.totalSteps, $0.plan.seconds, $0.plan.patience) }
  }
  /// The losses so far, of a resumed run from its beginning.
  package var history: LossHistory { state.history }

  private var bestWeights: FloatBuffer {
    failure == nil && state.best.isNaN ? run!.learner.parameters : run!.best
  }

  private var facts: [String: String] {
    guard let run else { return [:] }
    var facts = [
      "training.tokens": String(run.corpus.training.tokens.count),
      "training.steps": String(state.step), "training.seed": String(run.plan.seed),
    ]
    if !state.best.isNaN { facts["training.validation_nats_per_token"] = "\(state.best)" }
    return facts
  }

  // MARK: - One step

  private var hasReachedEnd: Bool {
    run.map { state.hasReachedEnd(of: $0.plan) } ?? false
  }

  private var hasLostPatience: Bool {
    run.map { state.hasLostPatience(of: $0.plan) } ?? false
  }

  private func advance(from start: Double) throws(LibrettoError) -> Progress {
    if let failure { throw failure }
    let run = run!
    guard state.end == .none else { return report(measured: false) }
    let plan = run.plan
    run.windows.fill(step: state.step, inputs: run.inputs, targets: run.targets) {
      run.learner.resetState(of: $0)
    }
    let fraction = plan.fraction(step: state.step, elapsed: state.elapsed)
    let rate = plan.learningRate(step: state.step, fraction: fraction)
    let loss = run.learner.gradients(inputs: run.inputs, targets: run.targets)
    guard loss.isFinite, run.learner.update(rate: rate, clip: plan.clip, decay: plan.weightDecay)
    else { throw diverged("the loss or the gradient is no longer a number") }
    state.note(loss)
    guard state.smoothed <= max(3 * state.first, 20) else {
      throw diverged("the loss has grown to \(state.smoothed)")
    }
    state.step += 1
    state.elapsed += monotonicSeconds() - start
    let trained = monotonicSeconds()
    let took = max(trained - start, 1e-9)
    let speed = Double(plan.batch * plan.sequence) / took
    tokensPerSecond = tokensPerSecond == 0 ? speed : 0.9 * tokensPerSecond + 0.1 * speed
    let ends = hasReachedEnd
    var measured = false
    if state.step % plan.validationInterval == 0 || ends {
      if let validation = run.validation {
        state.validation = validation.loss(of: run.learner)
        measured = true
        if !(state.validation >= state.best) {
          state.best = state.validation
          state.sinceBest = 0
          run.best.copy(from: run.learner.parameters)
        } else {
          state.sinceBest += 1
        }
      } else if !(state.smoothed >= kept.loss) {
        kept = (state.step, state.smoothed)
        run.best.copy(from: run.learner.parameters)
      }
      state.elapsed += monotonicSeconds() - trained
    }
    state.history.note(
      step: state.step, training: state.smoothed, validation: measured ? state.validation : nil)
    if ends {
      state.end = .finished
    } else if hasLostPatience {
      state.end = .early
    }
    return report(measured: measured)
  }

  private func diverged(_ what: String) -> LibrettoError {
    let kept =
      state.best.isNaN
      ? "the weights of step \(kept.step) are kept" : "the best weights are kept"
    let error = LibrettoError(
      .diverged,
      "training diverged at step \(state.step + 1): \(what); \(kept); try a lower learning rate"
    )
    failure = error
    return error
  }

  private func report(measured: Bool) -> Progress {
    let run = run!
    let plan = run.plan
    var p = Progress()
    p.step = state.step
    p.totalSteps = plan.totalSteps
    p.epoch = Double(state.step) / Double(run.windows.windowsPerEpoch)
    p.fraction = plan.fraction(step: state.step, elapsed: state.elapsed)
    p.loss = state.smoothed
    p.validationLoss = state.validation
    p.bestValidationLoss = state.best
    let nats = state.validation.isNaN ? state.smoothed : state.validation
    if run.corpus.tokensPerCharacter > 0 {
      p.bitsPerCharacter = nats / 0.693147180559945309 * run.corpus.tokensPerCharacter
    }
    p.learningRate = plan.learningRate(step: max(0, state.step - 1), fraction: p.fraction)
    p.gradientNorm = run.learner.gradientNorm
    p.tokensPerSecond = tokensPerSecond
    p.elapsedSeconds = state.elapsed
    if p.fraction > 0 { p.secondsLeft = state.elapsed * (1 - p.fraction) / p.fraction }
    p.measured = measured
    p.end = state.end
    return p
  }
}
