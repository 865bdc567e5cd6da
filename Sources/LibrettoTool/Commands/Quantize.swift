import ArgumentParser
import GRU
import Libretto

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Quantize a model's weights, for a smaller and faster one.",
    discussion: """
      The new model is used as any other. What was lost stays lost: keep the old one to train on. To see \
      how much that is: libretto evaluate MODEL TEXT, with both.
      """)

  @Argument(
    help:
      "A model file, a checkpoint, or the name of a model (libretto models); - for standard input.")
  var model: String

  @Option(name: .shortAndLong, help: "Where to write the new model; - for standard output.")
  var output: String

  @Option(
    name: .customLong("to"),
    help: "int8, a quarter of the size, or bfloat16, half of it. (default: int8)",
    transform: choice(["int8", "bfloat16"]))
  var precision: String?

  @Option(
    help: ArgumentHelp(
      "What the model learned, in words: `libretto info` and `libretto models` show it.",
      valueName: "text"))
  var about: String?

  @Flag(help: "Write over a file that exists.")
  var force = false

  func run() throws {
    try Outputs([output]).spare(model)
    try FileName.checkModel(output, "-o")
    if !force { try ModelFiles.refuseReplacing(output) }
    let before = try ModelFiles.read(model)
    var after = try orFail { () throws(LibrettoError) in
      try before.quantized(to: precision.flatMap { Precision(name: $0) } ?? .int8)
    }
    if let about { after = after.described(as: about) }
    try ModelFiles.write(after, to: output)
    let weights = Double(after.network.layout.parameters)
    say(
      "\(Outputs.name(output)): \(after.precision.name), about \(fixed(weights * Double(after.precision.bits) / 8e6, 2)) MB"
        + " (\(before.precision.name): \(fixed(weights * Double(before.precision.bits) / 8e6, 2)) MB)"
    )
    if before.precision != .float32 {
      say(
        "\(Streams.name(model)) was quantized before, to \(before.precision.name); quantize the float32 model to lose less."
      )
    }
  }
}
