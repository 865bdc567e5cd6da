import GRU
import Sequences

// From material and options to a run: dataset, plan, weights, run.

extension TrainingRun {
  /// nil if it was stopped before its end.
  static func make(
    _ options: TrainingOptions, _ start: TrainingStart, _ material: Material,
    until stop: StopFlag?
  ) throws(LibrettoError) -> TrainingRun? {
    let resumed = start.checkpoint
    let fraction =
      resumed?.state.validationFraction
      ?? options.validationFraction ?? 0.1
    let augment: Bool? = resumed?.plan.augment ?? options.augment
    guard
      let corpus = try material.tokenize(
        fraction: fraction, augment: augment, sides: !(start.sides?.inputs.isEmpty ?? false),
        until: stop),
      let fingerprint = corpus.fingerprint(until: stop)
    else { return nil }
    if let resumed, resumed.fingerprint != fingerprint {
      throw LibrettoError(
        .corpus,
        "the material is not what the checkpoint was trained on; add the same files, in the same order, unchanged"
      )
    }
    let sides =
      if let given = start.sides {
        given
      } else {
        Sides(
          new: corpus.encoding, memory: options.memory ?? true, labels: corpus.labels,
          alignment: try corpus.alignment())
      }
    let plan = try plan(options, start, corpus, sides, augment: augment)
    let learner = try network { () throws(NetworkError) in
      try Learner(
        plan.shape, batch: plan.batch, sequence: plan.sequence, threads: plan.threads,
        dropout: Float(plan.dropout), seed: plan.seed, precision: plan.precision)
    }
    switch start {
    case .new:
      initialize(learner.parameters, plan.shape, seed: plan.seed)
      try Smoothing.apply(learner.parameters, plan.shape, corpus.encoding, sides)
    case .model(let model): learner.parameters.copy(from: try model.parameters())
    case .checkpoint: break
    }
    var state = resumed?.state ?? TrainingState()
    if let before = resumed?.plan, plan.hasAnotherEnd(than: before) {
      (state.length, state.coolDownStart) = (1, LearningRateSchedule.coolDownStart)
    }
    state.files = material.files
    state.validationFraction = fraction
    return try TrainingRun(
      plan, corpus, sides, learner, state, fingerprint: fingerprint, resumed: resumed)
  }

  private static func plan(
    _ options: TrainingOptions, _ start: TrainingStart, _ corpus: Corpus, _ sides: Sides,
    augment: Bool?
  ) throws(LibrettoError) -> TrainingPlan {
    let plan: TrainingPlan
    if let resumed = start.checkpoint {
      plan = resumed.plan.extended(by: options, corpus)
    } else {
      var options = options
      options.augment = augment ?? corpus.gainsFromVariants
      plan = try TrainingPlan(
        options, tokens: corpus.training.count, validation: corpus.validation.count,
        vocabulary: corpus.encoding.vocabularySize, sides: sides.sizes,
        sequence: corpus.sequence(usual: TrainingPlan.usualSequence(options)),
        hasPairs: corpus.hasPairs,
        perEpoch: corpus.batchesPerEpoch, fixed: start.model?.shape,
        processors: processorCount(), speed: { TrainingSpeed.measure(threads: $0) })
    }
    guard plan.memory < physicalMemory() else {
      throw LibrettoError(
        .memory,
        "this run needs about \(Int(plan.memory / 1e9)) GB, more than this machine has; choose smaller sizes or a smaller batch"
      )
    }
    return plan
  }
}
