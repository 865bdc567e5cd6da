import Sequences

extension Checkpoint {
  /// Throws if the options ask for anything else than the run has that a resumed run keeps. What they
  /// leave open, and what they ask for again, is no matter; `TrainingPlan.extended` applies the rest.
  func check(_ options: TrainingOptions) throws(LibrettoError) {
    func require<T: Equatable>(_ name: String, _ wanted: T?, _ has: T) throws(LibrettoError) {
      guard let wanted, wanted != has else { return }
      throw LibrettoError(
        .argument,
        "\(name) is \(wanted), but the run to resume has \(has); leave it out, or start a new run")
    }
    func given<T: Comparable>(_ value: T, above least: T) -> T? { value > least ? value : nil }
    let grid = encoding.music?.stepsPerQuarter ?? 0
    try require("the encoding", options.encoding, encoding.name)
    try require(
      "documents", options.documents, encoding.text?.endToken != nil)
    try require(
      "the number of steps per quarter note", given(options.stepsPerQuarter, above: 0), grid)
    try require(
      "the vocabulary", given(options.vocabulary, above: 0), encoding.hostVocabulary)
    try require("the embedding size", given(options.embedding, above: 0), plan.shape.embedding)
    try require("the hidden size", given(options.hidden, above: 0), plan.shape.hidden)
    try require("the number of layers", given(options.layers, above: 0), plan.shape.layers)
    try require("the batch", given(options.batch, above: 0), plan.batch)
    try require("the sequence length", given(options.sequence, above: 0), plan.sequence)
    try require("dropout", given(options.dropout, above: -.leastNonzeroMagnitude), plan.dropout)
    try require("the learning rate", given(options.learningRate, above: 0), plan.learningRate)
    try require(
      "the weight decay", given(options.weightDecay, above: -.leastNonzeroMagnitude),
      plan.weightDecay)
    try require("the clipping norm", given(options.clip, above: 0), plan.clip)
    try require("the seed", given(options.seed, above: 0), plan.seed)
    try require(
      "the precision", options.precision == .float32 ? nil : options.precision.name,
      plan.precision.name)
    try require("augmentation", options.augment, plan.augment)
    try require(
      "the validation fraction", given(options.validationFraction, above: -.leastNonzeroMagnitude),
      state.validationFraction)
  }
}
