import ArgumentParser
import Libretto

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how well a model predicts files.",
    discussion: """
      Each file is read from a zero state, and every token but its first is predicted. Bits per \
      character count Unicode characters, so they can be compared between encodings.
      """)

  @Argument(help: "A model file, or a checkpoint; - for standard input.")
  var model: String

  @Argument(help: "Files the model has not seen; - for standard input.")
  var files: [String]

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try Outputs([]).spare([model] + files)
    let loaded = try ModelFiles.read(model)
    let start = now()
    var total = Evaluation()
    for path in try files.flatMap(FolderWalk.wanted) {
      let file = try Streams.file(path)
      try FileKind.refuseAsText(file, for: loaded)
      total += try orFail { () throws(LibrettoError) in try loaded.evaluate(file: file) }
    }
    let speed = Double(total.tokens) / max(now() - start, 1e-9)
    guard total.tokens > 0 else {
      throw Failure("there is nothing to predict: the files have less than two tokens", code: 2)
    }
    if json {
      print(
        JSON.object([
          ("bits_per_character", total.bitsPerCharacter.map { .number($0) } ?? .null),
          ("nats_per_step", total.natsPerStep.map { .number($0) } ?? .null),
          ("steps", .number(total.steps)),
          ("nats_per_token", .number(total.natsPerToken)), ("tokens", .number(total.tokens)),
          ("parameters", .number(loaded.network.layout.parameters)),
          ("tokens_per_second", .number(speed)),
        ]).text)
      return
    }
    if let bits = total.bitsPerCharacter { print("bits per character  \(fixed(bits, 4))") }
    if let nats = total.natsPerStep {
      print("nats per step       \(fixed(nats, 4))")
      print("steps               \(grouped(total.steps))")
    }
    print("nats per token      \(fixed(total.natsPerToken, 4))")
    print("tokens              \(grouped(total.tokens))")
    print("tokens per second   \(grouped(Int(speed)))")
  }
}
