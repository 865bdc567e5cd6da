import ArgumentParser
import GRU
import Kernels
import Libretto
import Sequences

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine's speed at training and sampling.",
    subcommands: [BenchTrain.self, BenchSample.self, BenchMIDI.self])
}

struct BenchOptions: ParsableArguments {
  @Option(
    help: "Tokens of the vocabulary. (default: 96)",
    transform: number(.from(1, to: NetworkShape.limits.vocabulary)))
  var vocab = 96

  @Option(
    help: "Size of a token's embedding. (default: 64)",
    transform: number(.from(1, to: NetworkShape.limits.embedding)))
  var embedding = 64

  @Option(
    help: "Units of a layer. (default: 256)",
    transform: number(.from(1, to: NetworkShape.limits.hidden)))
  var hidden = 256

  @Option(
    help: "GRU layers. (default: 2)", transform: number(.from(1, to: NetworkShape.limits.layers)))
  var layers = 2

  @Option(
    help: "Sequences of a batch, or sessions at once. (default: 32 to train, 1 to sample)",
    transform: number(.from(1, to: TrainingOptions.Limit.batch)))
  var batch: Int?

  @Option(
    help: "Time steps of a sequence (training). (default: 64)",
    transform: number(.from(1, to: TrainingOptions.Limit.sequence)))
  var sequence = 64

  @Option(
    help: "Threads (training). (default: 1)",
    transform: number(.from(1, to: TrainingOptions.Limit.threads)))
  var threads = 1

  @Option(
    help: "float32, bfloat16, or for sampling int8. (default: float32)",
    transform: choice(["float32", "bfloat16", "int8"]))
  var precision = "float32"

  @Flag(
    help: "The tokens are those of polyphony, whatever --vocab says, and its grammar is kept to.")
  var music = false

  @Flag(help: "The network has the side inputs of polyphony. Implies --music.")
  var sides = false

  @Flag(
    help: "The network has those of the memory too, which is part of the work. Implies --sides.")
  var memory = false

  @Option(help: "Measure for about this long. (default: 3)", transform: number(benchSeconds))
  var seconds = 3.0

  @Flag(help: "Print JSON.") var json = false

  /// Throws where training in a precision is refused.
  func trainable() throws {
    var options = TrainingOptions()
    options.precision = format
    try options.check()
  }

  var format: Precision { Precision(name: precision) ?? .float32 }

  /// One line of what is measured.
  func introduce(batch: String) {
    guard !json else { return }
    say(
      "\(layers == 1 ? "1 layer" : "\(layers) layers") of \(hidden) units, embedding \(embedding), vocabulary \(shape.vocabulary)\(memory ? ", memory" : sides ? ", side inputs" : ""); \(batch); \(precision) on \(InstructionSet.current.shortName)"
    )
  }

  var shape: NetworkShape {
    NetworkShape(
      vocabulary: encoding?.vocabularySize ?? vocab, embedding: embedding, hidden: hidden,
      layers: layers, sides: SideSizes(sideInputs.map(\.count)))
  }

  /// nil if the tokens mean nothing.
  var encoding: PolyphonyEncoding? { music || sides || memory ? try? PolyphonyEncoding() : nil }
  private var sideInputs: [SideInput] {
    guard let encoding, sides || memory else { return [] }
    return memory ? encoding.sideInputs() : encoding.ownSideInputs
  }

  /// Random tokens; speed does not depend on them.
  func tokens(_ count: Int) -> [Int32] {
    let vocabulary = Int32(shape.vocabulary)
    return (0..<count).map { _ in Int32.random(in: 0..<vocabulary) }
  }

  /// Random values of the side inputs, `[steps][batch][side inputs]`, of which one changes every 64 steps or so
  /// in each sequence, as with the bars of music.
  func sideValues(steps: Int, batch: Int) -> [Int32] {
    func draw() -> [Int32] { sideInputs.map { Int32.random(in: 0..<Int32($0.count)) } }
    var values = (0..<batch).map { _ in draw() }
    return (0..<steps).flatMap { _ in
      for sequence in 0..<batch where Int.random(in: 0..<64) == 0 { values[sequence] = draw() }
      return values.flatMap { $0 }
    }
  }
}

/// Times of many equal pieces of work.
struct Timings {
  var seconds: [Double] = []

  func quantile(_ q: Double) -> Double {
    let sorted = seconds.sorted()
    return sorted[min(sorted.count - 1, Int(q * Double(sorted.count)))]
  }

  /// Runs pieces for about so long, after a tenth of it for warming up.
  init(for duration: Double, least: Int = 5, _ body: () -> Void) {
    let warm = now() + duration / 10
    repeat { body() } while now() < warm
    let end = now() + duration
    repeat {
      let start = now()
      body()
      seconds.append(now() - start)
    } while now() < end || seconds.count < least
  }
}

/// Prints figures as JSON or as lines.
private func report(_ figures: [(key: String, value: Double)], json: Bool) {
  if json {
    print(JSON.object(figures.map { ($0.key, .number($0.value)) }).text)
  } else {
    for (key, value) in figures {
      print("\(key.split(separator: "_").joined(separator: " ").padded(26))\(fixed(value, 2))")
    }
  }
}

func orFailNetwork<Value>(_ body: () throws(NetworkError) -> Value) throws -> Value {
  do throws(NetworkError) { return try body() } catch {
    throw Failure(LibrettoError(error))
  }
}

struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Whole training steps: forward, backward, clipping and Adam.")

  @OptionGroup var options: BenchOptions

  func run() throws {
    let shape = options.shape
    try options.trainable()
    let batch = options.batch ?? 32
    let learner = try orFailNetwork { () throws(NetworkError) in
      try Learner(
        shape, batch: batch, sequence: options.sequence, threads: options.threads,
        precision: options.format)
    }
    options.introduce(
      batch:
        "batches of \(batch) sequences of \(options.sequence) steps, \(options.threads == 1 ? "1 thread" : "\(options.threads) threads")"
    )
    initialize(learner.parameters, shape, seed: 1)
    let rows = batch * options.sequence
    let inputs = options.tokens(rows)
    let targets = options.tokens(rows)
    var sides = options.sideValues(steps: options.sequence, batch: batch)
    let memories = try (0..<(options.memory ? batch : 0)).map { _ in try SequenceMemory(.grid) }
    let told = shape.sides.count
    let timings = sides.withUnsafeMutableBufferPointer { sides in
      Timings(for: options.seconds) {
        for (row, memory) in memories.enumerated() {
          for step in 0..<options.sequence {
            let place = step * batch + row
            memory.advance(inputs[place], beginsBar: inputs[place] % 64 == 0)
            memory.write(into: sides.baseAddress! + place * told + told - 4)
          }
        }
        _ = learner.gradients(
          inputs: inputs, targets: targets, sides: UnsafePointer(sides.baseAddress))
        _ = learner.update(rate: 1e-3, clip: 1)
      }
    }
    let median = timings.quantile(0.5)
    report(
      [
        ("tokens_per_second", Double(rows) / median),
        ("microseconds_per_token", median / Double(rows) * 1e6),
        ("milliseconds_per_step", median * 1e3),
        ("p50", median * 1e6), ("p99", timings.quantile(0.99) * 1e6),
        ("max", timings.quantile(1) * 1e6),
      ], json: options.json)
  }
}

struct BenchSample: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Single tokens, drawn at temperature 0.8: what a live host waits for.")

  @OptionGroup var options: BenchOptions

  func run() throws {
    let shape = options.shape
    let model = try orFail { () throws(LibrettoError) in
      try Model.random(shape, precision: options.format, encoding: options.encoding)
    }
    let count = options.batch ?? 1
    options.introduce(batch: count == 1 ? "1 session" : "\(count) sessions at once")
    var settings = SamplerSettings()
    settings.temperature = 0.8
    let sessions = try (0..<count).map { i in
      try orFail { () throws(LibrettoError) in
        let session = try Session(model, seed: UInt64(i), settings: settings)
        session.usesGrammar = options.encoding != nil
        return session
      }
    }
    try orFail { () throws(LibrettoError) in try sessions[0].reserve(count) }
    let timings = Timings(for: options.seconds) {
      if count == 1 {
        _ = try? sessions[0].next()
      } else {
        try? Session.next(count: count, session: { sessions[$0] }) { _, _, _ in }
      }
    }
    let median = timings.quantile(0.5)
    report(
      [
        ("tokens_per_second", Double(count) / median),
        ("microseconds_per_token", median / Double(count) * 1e6),
        ("p50", median * 1e6), ("p99", timings.quantile(0.99) * 1e6),
        ("max", timings.quantile(1) * 1e6),
      ], json: options.json)
  }
}
