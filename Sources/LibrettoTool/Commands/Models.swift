import ArgumentParser
import Libretto
import Platform

struct Models: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the models that are found by name.",
    discussion: """
      These models are used by their names alone, as in: libretto sample folk. A model is found if its file lies in \
      a folder of LIBRETTO_MODELS (colons between several), in ~/.local/share/libretto/models, or where \
      Libretto's own are.
      """)

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let found = NamedModels.all().map {
      (name: $0.name, path: $0.path, model: try? Model(path: $0.path))
    }
    if json { return print(JSON.array(found.map(record)).text) }
    guard !found.isEmpty else {
      throw Failure(
        "no folder has models; searched: \(NamedModels.folders().joined(separator: ", "))", code: 2)
    }
    let width = 2 + (found.map(\.name.count).max() ?? 0)
    for (name, path, model) in found {
      let about =
        model.map { $0.about ?? "a model of \($0.encoding.name)" } ?? "cannot be read: \(path)"
      let columns = max(40, Terminal.columns(of: STDOUT_FILENO) ?? 100) - width
      for (i, line) in about.wrapped(columns).split(separator: "\n").enumerated() {
        print((i == 0 ? name : "").padded(width) + line)
      }
    }
  }

  private func record(_ name: String, _ path: String, _ model: Model?) -> JSON {
    .object([
      ("name", .string(name)), ("path", .string(path)),
      ("encoding", model.map { .string($0.encoding.name) } ?? .null),
      ("parameters", model.map { .number($0.network.layout.parameters) } ?? .null),
      ("precision", model.map { .string($0.precision.name) } ?? .null),
      ("about", model?.about.map { .string($0) } ?? .null),
    ])
  }
}
