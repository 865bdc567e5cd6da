import ArgumentParser
import GRU
import Libretto

/// The options of `train` by subject, and what they are to the library.
extension Train {
  struct Length: ParsableArguments {
    @Option(
      help: "Minutes to train for.", transform: number(.above(0, to: TrainingOptions.Limit.minutes))
    )
    var minutes: Double?

    @Option(
      help: "Passes over the training material.",
      transform: number(.above(0, to: TrainingOptions.Limit.epochs)))
    var epochs: Double?

    @Option(
      help: "Updates of the weights.", transform: number(.from(1, to: TrainingOptions.Limit.steps)))
    var steps: Int?

    @Option(
      help: "End after this many evaluations without a better validation loss; 0 for never.",
      transform: number(.from(0, to: TrainingOptions.Limit.patience)))
    var patience: Int?
  }

  struct Sizes: ParsableArguments {
    @Option(
      help: "Units of a layer, 1 to \(TrainingOptions.Limit.hidden).",
      transform: number(.from(1, to: TrainingOptions.Limit.hidden)))
    var hidden: Int?

    @Option(
      help: "GRU layers, 1 to \(TrainingOptions.Limit.layers).",
      transform: number(.from(1, to: TrainingOptions.Limit.layers)))
    var layers: Int?

    @Option(
      help: "Size of a token's embedding, 1 to \(TrainingOptions.Limit.embedding).",
      transform: number(.from(1, to: TrainingOptions.Limit.embedding)))
    var embedding: Int?

    @Option(
      help:
        "bytes, characters or words; for music melody, polyphony, drums, ensemble or performance; series for numbers."
    )
    var encoding: String?

    @Option(
      help: """
        Steps per quarter note of the grid music is put on, 1 to \
        \(TrainingOptions.Limit.stepsPerQuarter). (default: 4)
        """,
      transform: number(.from(1, to: TrainingOptions.Limit.stepsPerQuarter)))
    var stepsPerQuarter: Int?

    @Option(
      help: ArgumentHelp(
        "Values after which numbers are like themselves again, such as 24 for hours; 1 for none. (default: looked for)",
        valueName: "values"),
      transform: number(.from(1, to: TrainingOptions.Limit.season)))
    var season: Int?

    @Option(
      help: ArgumentHelp(
        "Values that a forecast looks back at, 2 to \(TrainingOptions.Limit.context). (default: four seasons, at least 32 and at most 512)",
        valueName: "values"),
      transform: number(.from(2, to: TrainingOptions.Limit.context)))
    var context: Int?

    @Flag(
      inversion: .prefixedNo,
      help:
        "Learn music in other keys and at other tempi too. (default: where there are few pieces)")
    var augment: Bool?

    @Flag(
      inversion: .prefixedNo,
      help: "Give the network a memory of the sequence it is in. (default: yes)")
    var memory: Bool?
  }

  struct Method: ParsableArguments {
    @Option(
      help: "Sequences of a batch, 1 to \(TrainingOptions.Limit.batch).",
      transform: number(.from(1, to: TrainingOptions.Limit.batch)))
    var batch: Int?

    @Option(
      help: "Steps that gradients flow back over, 1 to \(TrainingOptions.Limit.sequence).",
      transform: number(.from(1, to: TrainingOptions.Limit.sequence)))
    var sequence: Int?

    @Option(
      help: "Probability of dropping a unit, from 0 to \(TrainingOptions.Limit.dropout).",
      transform: number(.from(0, to: TrainingOptions.Limit.dropout)))
    var dropout: Double?

    @Option(
      help: "The highest learning rate, at most 10.",
      transform: number(.above(0, to: TrainingOptions.Limit.learningRate)))
    var learningRate: Double?

    @Option(
      help: "AdamW's weight decay, from 0 to 10.",
      transform: number(.from(0, to: TrainingOptions.Limit.weightDecay)))
    var weightDecay: Double?

    @Option(
      help: "The norm to clip gradients to.",
      transform: number(.above(0, to: TrainingOptions.Limit.clip)))
    var clip: Double?

    @Option(
      help: "float32, or bfloat16 on processors that have products of it. (default: float32)",
      transform: choice(["float32", "bfloat16"]))
    var precision: String?

    @Option(
      help: "Starts weights and dropout. (default: 0)",
      transform: number(.from(0, to: UInt64.max)))
    var seed: UInt64?

    @Option(
      help: """
        Threads, 1 to \(TrainingOptions.Limit.threads). (default: one per processor, at most 8)
        """,
      transform: number(.from(1, to: TrainingOptions.Limit.threads)))
    var threads: Int?
  }

  var options: TrainingOptions {
    var options = TrainingOptions()
    options.encoding = sizes.encoding
    options.stepsPerQuarter = sizes.stepsPerQuarter
    options.augment = sizes.augment
    options.season = sizes.season
    options.context = sizes.context
    options.memory = sizes.memory
    options.embedding = sizes.embedding
    options.hidden = sizes.hidden
    options.layers = sizes.layers
    options.batch = method.batch
    options.sequence = method.sequence
    options.dropout = method.dropout
    options.learningRate = method.learningRate
    options.weightDecay = method.weightDecay
    options.clip = method.clip
    options.seed = method.seed
    options.precision = Precision(name: method.precision ?? "float32") ?? .float32
    options.threads = method.threads
    options.minutes = length.minutes
    options.epochs = length.epochs
    options.steps = length.steps
    options.patience = length.patience
    return options
  }

  /// `--valid`: a share if it is a number, else a file.
  func validation() throws -> (fraction: Double?, file: String?) {
    guard let valid else { return (nil, nil) }
    guard let fraction = Double(valid) else { return (nil, valid) }
    guard fraction >= 0, fraction <= TrainingOptions.Limit.validationFraction else {
      throw Failure(
        "--valid is \(valid); expected a share from 0 to \(TrainingOptions.Limit.validationFraction), or a file",
        code: 64)
    }
    return (fraction, nil)
  }
}
