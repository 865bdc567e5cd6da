import ArgumentParser
import GRU
import Libretto

struct Quantize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Round a model's weights, for a smaller and faster one.",
    discussion: """
      The new model is used as any other. What was lost stays lost: keep the old one to
      train on. To see how much that is: libretto evaluate MODEL TEXT, with both.
      """)

  @Argument(help: "A model file, or a checkpoint.")
  var model: String

  @Option(name: .shortAndLong, help: "Where to write the new model.")
  var output: String

  @Option(name: .customLong("to"), help: "int8, a quarter of the size, or bfloat16, half of it.")
  var precision = "int8"

  func validate() throws {
    if Precision(name: precision) == nil || precision == "float32" {
      throw ValidationError("--to is \(precision); there are int8 and bfloat16")
    }
  }

  func run() throws {
    try Outputs([output]).spare(model)
    let before = try orFail { () throws(LibrettoError) in try Model(path: model) }
    let after = try orFail { () throws(LibrettoError) in
      let after = try before.rounded(to: Precision(name: precision) ?? .int8)
      try after.save(output)
      return after
    }
    let weights = Double(after.network.layout.parameters)
    print(
      "\(output): \(precision), about \(fixed(weights * Double(after.precision.bits) / 8e6, 2)) MB"
        + " (\(before.precision.name): \(fixed(weights * Double(before.precision.bits) / 8e6, 2)) MB)"
    )
  }
}
