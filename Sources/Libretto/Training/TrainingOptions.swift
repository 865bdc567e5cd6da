import GRU
import Kernels

/// What a host may decide about a training run. Every number has a value that means "choose": the
/// choice is made from the size of the corpus and the time there is when training begins.
public struct TrainingOptions: Equatable, Sendable {
  /// The encoding by name; nil for `characters`, and for music to choose one for the material.
  public var encoding: String?
  /// Whether each text that is added is a document, with an end of its own; else all are one long
  /// text. nil for what the model has that training starts from, and for one long text without one.
  public var documents: Bool?
  /// The tokens of an encoding that gives them no meaning, 1 to 65,535: numbers from 0 to one below it.
  public var vocabulary = 0
  /// Steps per quarter note of the encodings on a grid, 1 to 24; 0 for 4.
  public var stepsPerQuarter = 0
  /// Whether music is learned in other keys too, and performances at other tempi; nil to choose: it
  /// is where there are few pieces.
  public var augment: Bool?
  /// Sizes of the network; 0 to choose.
  public var embedding = 0
  public var hidden = 0
  public var layers = 0
  /// Parallel streams; 0 to choose.
  public var batch = 0
  /// Time steps of one window, over which gradients flow back; 0 to choose.
  public var sequence = 0
  /// The probability of dropping a unit, from 0 to 0.95; below 0 to choose.
  public var dropout = -1.0
  /// The largest learning rate of the schedule; 0 to choose.
  public var learningRate = 0.0
  /// AdamW's weight decay; below 0 to choose.
  public var weightDecay = -1.0
  /// The norm gradients are clipped to; 0 to choose.
  public var clip = 0.0
  /// How long: whichever of these is given and reached first ends the run; 0 for no such end. With
  /// none given the number of epochs is chosen.
  public var epochs = 0.0
  public var steps = 0
  public var minutes = 0.0
  /// The share of the corpus that is held out, from 0 to 0.9; below 0 to choose. Not used if
  /// validation material is given.
  public var validationFraction = -1.0
  /// Measurements of the held-out part without a better one after which to stop; 0 to choose,
  /// below 0 for never.
  public var patience = 0
  public var seed: UInt64 = 0
  /// The precision of products: float32, or bfloat16 where the processor has instructions for it; the
  /// weights are float32 either way.
  public var precision = Precision.float32
  /// Threads; 0 for one per processor, at most 8.
  public var threads = 0
  /// Where `run` keeps a checkpoint; nil for nowhere.
  public var checkpointPath: String?
  /// Seconds between two checkpoints; 0 to choose.
  public var checkpointSeconds = 0.0

  public init() {}

  /// The largest values of the numbers.
  package enum Limit {
    package static let stepsPerQuarter = 24
    package static let vocabulary = 65_535
    package static let embedding = NetworkShape.limits.embedding
    package static let hidden = NetworkShape.limits.hidden
    package static let layers = NetworkShape.limits.layers
    package static let batch = 4096
    package static let sequence = 65_536
    package static let dropout = 0.95
    package static let learningRate = 10.0
    package static let weightDecay = 10.0
    package static let clip = 1e9
    package static let epochs = 1e9
    package static let steps = TrainingPlan.mostSteps
    package static let minutes = 1e7
    package static let validationFraction = 0.9
    package static let patience = 1_000_000
    package static let threads = 256
    package static let checkpointSeconds = 1e9
  }

  /// Throws if a number is out of its range.
  func validate() throws(LibrettoError) {
    func require<T: Comparable & CustomStringConvertible>(
      _ name: String, _ value: T, _ range: ClosedRange<T>
    ) throws(LibrettoError) {
      // Written so that what is not a number fails.
      if !(value >= range.lowerBound && value <= range.upperBound) {
        throw LibrettoError(
          .argument,
          "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
        )
      }
    }
    try require("the number of steps per quarter note", stepsPerQuarter, 0...Limit.stepsPerQuarter)
    try require("the vocabulary", vocabulary, 0...Limit.vocabulary)
    try require("the embedding size", embedding, 0...Limit.embedding)
    try require("the hidden size", hidden, 0...Limit.hidden)
    try require("the number of layers", layers, 0...Limit.layers)
    try require("the batch", batch, 0...Limit.batch)
    try require("the sequence length", sequence, 0...Limit.sequence)
    try require("dropout", dropout, -1...Limit.dropout)
    try require("the learning rate", learningRate, 0...Limit.learningRate)
    try require("the weight decay", weightDecay, -1...Limit.weightDecay)
    try require("the clipping norm", clip, 0...Limit.clip)
    try require("the number of epochs", epochs, 0...Limit.epochs)
    try require("the number of steps", steps, 0...Limit.steps)
    try require("the number of minutes", minutes, 0...Limit.minutes)
    try require("the held-out fraction", validationFraction, -1...Limit.validationFraction)
    try require("the patience", patience, -1...Limit.patience)
    try require("the number of threads", threads, 0...Limit.threads)
    try require("the time between checkpoints", checkpointSeconds, 0...Limit.checkpointSeconds)
    switch precision {
    case .float32: break
    case .bfloat16 where InstructionSet.current.hasBfloat16: break
    case .bfloat16:
      throw LibrettoError(
        .unsupported,
        "this processor has no products of bfloat16 (AVX512-BF16), without which training in it is slower than in float32; train in float32"
      )
    case .int8:
      throw LibrettoError(
        .argument,
        "a network cannot be trained in int8; train in float32 or bfloat16, then quantize the model"
      )
    }
    try require(
      "the batch times the sequence length", max(batch, 1) * max(sequence, 1), 1...(1 << 24))
  }
}
