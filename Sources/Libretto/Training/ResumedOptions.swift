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
    let grid = encoding.music?.stepsPerQuarter ?? 0
    try require("the encoding", options.encoding, encoding.name)
    try require(
      "documents", options.documents, encoding.text?.endToken != nil)
    try require(
      "the number of steps per quarter note", options.stepsPerQuarter, grid)
    try require(
      "the vocabulary", options.vocabulary, encoding.hostVocabulary)
    if !encoding.memorySideInputs.isEmpty {
      try require("memory", options.memory, sides.haveMemory(encoding))
    }
    try require("the season", options.season, encoding.series?.season ?? 0)
    try require("the context", options.context, encoding.series?.context ?? 0)
    try require("the embedding size", options.embedding, plan.shape.embedding)
    try require("the hidden size", options.hidden, plan.shape.hidden)
    try require("the number of layers", options.layers, plan.shape.layers)
    try require("the batch", options.batch, plan.batch)
    try require("the sequence length", options.sequence, plan.sequence)
    try require("dropout", options.dropout, plan.dropout)
    try require("the learning rate", options.learningRate, plan.learningRate)
    try require(
      "the weight decay", options.weightDecay,
      plan.weightDecay)
    try require("the clipping norm", options.clip, plan.clip)
    try require("the seed", options.seed, plan.seed)
    try require(
      "the precision", options.precision == .float32 ? nil : options.precision.name,
      plan.precision.name)
    try require("augmentation", options.augment, plan.augment)
    try require(
      "the validation fraction", options.validationFraction,
      state.validationFraction)
  }
}
