import ArgumentParser
import Libretto

/// The commands of the tool and the options of each, as the parser describes them.
struct Grammar {
  struct Option {
    /// As they are written: `--output`, `-o`. The first is a long one.
    let names: [String]
    let takesValue: Bool
    let mayRepeat: Bool
  }

  struct Command {
    /// From the tool's own on.
    let path: [String]
    let subcommands: [Command]
    let options: [Option]

    var name: String { path.last ?? "" }

    func option(_ name: String) -> Option? { options.first { $0.names.contains(name) } }
  }

  /// The tool itself.
  let root: Command

  /// nil where the parser's description is not what this reads; the parser is then on its own.
  init?(of type: (some ParsableCommand).Type) {
    guard let description = try? JSON.parse(type._dumpHelp()),
      let root = description["command"].flatMap({ Command($0, path: []) })
    else { return nil }
    self.root = root
  }
}

extension Grammar.Command {
  fileprivate init?(_ json: JSON, path: [String]) {
    guard let name = json["commandName"]?.string else { return nil }
    let path = path + [name]
    self.path = path
    subcommands = (json["subcommands"]?.array ?? []).compactMap { Self($0, path: path) }
    options = (json["arguments"]?.array ?? []).compactMap { Grammar.Option($0) }
  }
}

extension Grammar.Option {
  /// nil for a positional argument.
  fileprivate init?(_ json: JSON) {
    let names = (json["names"]?.array ?? []).compactMap { $0["name"]?.string }
    guard !names.isEmpty else { return nil }
    let written = names.map { $0.count == 1 ? "-" + $0 : "--" + $0 }
    self.names = written.sorted { $0.count > $1.count }
    takesValue = json["kind"] == .string("option")
    mayRepeat = json["isRepeating"] == .bool(true)
  }
}
