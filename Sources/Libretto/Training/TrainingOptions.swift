import GRU
import Kernels
import Sequences

/// What a host may decide about a training run. What is nil is chosen from the size of the corpus and the
/// time there is when training begins; `TrainingPlan` says how.
public struct TrainingOptions: Equatable, Sendable {
  /// The encoding by name; nil for `characters`, and for music to choose one for the material.
  public var encoding: String?
  /// Whether each text that is added is a document, with an end of its own; else all are one long
  /// text. nil for what the model has that training starts from, and for one long text without one.
  public var documents: Bool?
  /// The tokens of an encoding that gives them no meaning, 1 to 65,535: numbers from 0 to one below it.
  public var vocabulary: Int?
  /// Of numbers: values after which they are like themselves again, 1 to 8,192, 1 for none; nil to look for it.
  public var season: Int?
  /// Of numbers: the values a forecast looks back at, 2 to 8,192; nil for four seasons, at least 32 and at most 512.
  public var context: Int?
  /// Steps per quarter note of the encodings on a grid, 1 to 24; nil for 4.
  public var stepsPerQuarter: Int?
  /// Whether music is learned in other keys and forms too, and performances at other tempi; nil for where
  /// there are few pieces.
  public var augment: Bool?
  /// Whether a new network has a memory of the sequence it is in (see `SequenceMemory`); nil for yes.
  public var memory: Bool?
  /// Sizes of the network.
  public var embedding: Int?
  public var hidden: Int?
  public var layers: Int?
  /// Sequences in a batch, to 4,096.
  public var batch: Int?
  /// Time steps of one sequence, over which gradients flow back, to 65,536.
  public var sequence: Int?
  /// The probability of dropping a unit, from 0 to 0.95.
  public var dropout: Double?
  /// The largest learning rate of the schedule, above 0, to 10.
  public var learningRate: Double?
  /// AdamW's weight decay, from 0 to 10.
  public var weightDecay: Double?
  /// The norm gradients are clipped to, above 0, to 1e9.
  public var clip: Double?
  /// How long: whichever of these is given and reached first ends the run. With none given the number of
  /// epochs is chosen.
  public var epochs: Double?
  public var steps: Int?
  public var minutes: Double?
  /// The share of the corpus that is kept for validation, from 0 to 0.9. Not used if validation material is given.
  public var validationFraction: Double?
  /// Measurements of the validation part without a better one after which to stop, to 1,000,000; 0 for never.
  public var patience: Int?
  /// Starts weights and dropout; nil for 0.
  public var seed: UInt64?
  /// The precision of products: float32, or bfloat16 where the processor has instructions for it; the
  /// weights are float32 either way.
  public var precision = Precision.float32
  /// Threads, to 256; nil for one per processor, at most 8.
  public var threads: Int?
  /// Where `run` keeps a checkpoint; nil for nowhere.
  public var checkpointPath: String?
  /// Seconds between two checkpoints, above 0, to 1e9; nil for 60.
  public var checkpointSeconds: Double?

  public init() {}

  /// The largest values of the numbers.
  package enum Limit {
    package static let stepsPerQuarter = 24
    package static let vocabulary = 65_535
    package static let season = SeriesEncoding.longest
    package static let context = SeriesEncoding.longest
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
      _ name: String, _ value: T?, _ range: ClosedRange<T>
    ) throws(LibrettoError) {
      // Written so that what is not a number fails.
      if let value, !(value >= range.lowerBound && value <= range.upperBound) {
        throw LibrettoError(
          .argument,
          "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
        )
      }
    }
    func require(_ name: String, _ value: Double?, above least: Double = 0, to most: Double)
      throws(LibrettoError)
    {
      if let value, !(value > least && value <= most) {
        throw LibrettoError(
          .argument, "\(name) is \(value); it must be above \(least), to \(most)")
      }
    }
    try require("the number of steps per quarter note", stepsPerQuarter, 1...Limit.stepsPerQuarter)
    try require("the vocabulary", vocabulary, 1...Limit.vocabulary)
    try require("the season", season, 1...Limit.season)
    try require("the context", context, 2...Limit.context)
    try require("the embedding size", embedding, 1...Limit.embedding)
    try require("the hidden size", hidden, 1...Limit.hidden)
    try require("the number of layers", layers, 1...Limit.layers)
    try require("the batch", batch, 1...Limit.batch)
    try require("the sequence length", sequence, 1...Limit.sequence)
    try require("dropout", dropout, 0...Limit.dropout)
    try require("the learning rate", learningRate, to: Limit.learningRate)
    try require("the weight decay", weightDecay, 0...Limit.weightDecay)
    try require("the clipping norm", clip, to: Limit.clip)
    try require("the number of epochs", epochs, to: Limit.epochs)
    try require("the number of steps", steps, 1...Limit.steps)
    try require("the number of minutes", minutes, to: Limit.minutes)
    try require("the validation fraction", validationFraction, 0...Limit.validationFraction)
    try require("the patience", patience, 0...Limit.patience)
    try require("the number of threads", threads, 1...Limit.threads)
    try require("the time between checkpoints", checkpointSeconds, to: Limit.checkpointSeconds)
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
      "the batch times the sequence length", (batch ?? 1) * (sequence ?? 1), 1...(1 << 24))
  }
}
