import ArgumentParser
import Libretto
import Platform

struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show what a model consists of.")

  @Argument(
    help:
      "A model file, a checkpoint, or the name of a model (libretto models); - for standard input.")
  var model: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let model = try ModelFiles.read(self.model)
    let shape = model.shape
    let parameters = model.network.layout.parameters
    let columns = model.encoding.series?.columns.map(\.name) ?? []
    if json {
      print(
        JSON.object([
          ("encoding", .string(model.encoding.name)), ("vocabulary", .number(shape.vocabulary)),
          ("embedding", .number(shape.embedding)), ("hidden", .number(shape.hidden)),
          ("layers", .number(shape.layers)), ("parameters", .number(parameters)),
          ("precision", .string(model.precision.name)), ("documents", .bool(model.hasDocuments)),
          (
            "side_inputs",
            .object(model.sideInputs.map { ($0.name, .number($0.count)) })
          ),
          ("labels", .array(model.labels.names.map { .string($0) })),
          ("columns", .array(columns.map { .string($0) })),
          (
            "facts",
            .object(model.facts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
          ),
        ]).text)
      return
    }
    let documents = model.hasDocuments ? ", of documents" : ""
    say(
      "\(Streams.name(self.model)): \(model.encoding.name), \(shape.vocabulary) tokens\(documents)")
    print("")
    let middle = min(74, max(40, Terminal.columns(of: STDOUT_FILENO) ?? 74)) - 26
    func row(_ name: String, _ text: String, _ number: String) {
      for (i, line) in text.wrapped(middle).split(separator: "\n").enumerated() {
        print(
          (i == 0 ? name : "").padded(14) + String(line).padded(middle)
            + (i == 0 ? number : "").paddedLeft(12))
      }
    }
    row("Layer", "Tensors", "Parameters")
    let rule = String(repeating: "─", count: middle + 26)
    print(rule)
    for layer in layers(of: model) { row(layer.name, layer.shapes, grouped(layer.count)) }
    print(rule)
    row("Total", " ", grouped(parameters))
    let size = fixed(Double(parameters * model.precision.bits) / 8e6, 2)
    row("As \(model.precision.name)", " ", size + " MB")
    if !model.facts.isEmpty { print("") }
    let sides = model.sideInputs.map { "\($0.name) (\($0.count))" }
    if !sides.isEmpty { say("side inputs: \(sides.joined(separator: ", "))") }
    if !model.labels.isEmpty { say("labels: \(model.labels.names.joined(separator: ", "))") }
    if let series = model.encoding.series {
      say("columns: \(series.columns.map(\.name).joined(separator: ", "))")
      let step = series.step.map { ", \($0.text) from value to value" } ?? ""
      say("season \(series.season), context \(series.context)\(step)")
    }
    for (key, value) in model.facts.sorted(by: { $0.key < $1.key }) {
      say("\(key.dropFirst("training.".count)): \(value)")
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
