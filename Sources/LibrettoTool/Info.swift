import ArgumentParser
import Libretto

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show what a model consists of.")

  @Argument(help: "A model file, or a checkpoint; - for standard input.")
  var model: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let model = try ModelFiles.read(self.model)
    let shape = model.shape
    let parameters = model.network.layout.parameters
    if json {
      print(
        JSON.object([
          ("encoding", .string(model.encoding.name)), ("vocabulary", .number(shape.vocabulary)),
          ("embedding", .number(shape.embedding)), ("hidden", .number(shape.hidden)),
          ("layers", .number(shape.layers)), ("parameters", .number(parameters)),
          ("precision", .string(model.precision.name)),
          (
            "facts",
            .object(model.facts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
          ),
        ]).text)
      return
    }
    print("\(Streams.name(self.model)): \(model.encoding.name), \(shape.vocabulary) tokens")
    print("")
    print("Layer".padded(18) + "Tensors".padded(44) + "Parameters".paddedLeft(12))
    let rule = String(repeating: "─", count: 74)
    print(rule)
    for layer in layers(of: model) {
      print(layer.name.padded(18) + layer.shapes.padded(44) + grouped(layer.count).paddedLeft(12))
    }
    print(rule)
    print("Total".padded(62) + grouped(parameters).paddedLeft(12))
    print(
      "As \(model.precision.name)".padded(62)
        + (fixed(Double(parameters * model.precision.bits) / 8e6, 2) + " MB").paddedLeft(12))
    if !model.facts.isEmpty { print("") }
    for (key, value) in model.facts.sorted(by: { $0.key < $1.key }) {
      print("\(key.dropFirst("training.".count)): \(value)")
    }
  }

  /// The tensors by layer.
  private func layers(of model: Model) -> [(name: String, shapes: String, count: Int)] {
    var result: [(name: String, shapes: String, count: Int)] = []
    for tensor in model.network.layout.tensors {
      let name =
        tensor.name.hasPrefix("gru.")
        ? "gru layer " + (tensor.name.split(separator: "l").last ?? "")
        : String(tensor.name.prefix { $0 != "." })
      let shape = tensor.dimensions.map(String.init).joined(separator: "×")
      if result.last?.name == name {
        result[result.count - 1].shapes += "  " + shape
        result[result.count - 1].count += tensor.count
      } else {
        result.append((name, shape, tensor.count))
      }
    }
    return result
  }
}
