import CSystem
import Platform

/// Models that are found by name: those that come with Libretto, and those somebody puts beside them.
///
/// The model `NAME` is the file `NAME.safetensors` in the first of these folders that has it:
///
/// 1. those of the environment variable `LIBRETTO_MODELS`, with colons between them;
/// 2. `libretto/models` in `XDG_DATA_HOME`, which is `~/.local/share` if it is not set;
/// 3. where the library or the program is in a build tree, `models` of that;
/// 4. `share/libretto/models` beside the folder of the library, or of the program, or one folder further up;
/// 5. the same in `/usr/local` and in `/usr`.
public enum NamedModels {
  private static let ending = ".safetensors"

  /// The model of that name. Throws `.argument` if it can be no name, `.file` if no folder has it.
  public static func model(_ name: String) throws(LibrettoError) -> Model {
    guard isName(name) else {
      throw LibrettoError(
        .argument,
        "\"\(printable(name))\" is not the name of a model; expected one without slashes that does not begin with a dot"
      )
    }
    guard let path = path(name) else {
      let known = all().map(\.name)
      throw LibrettoError(
        .file,
        known.isEmpty
          ? "there is no model named \"\(printable(name))\", nor any other; set LIBRETTO_MODELS to a folder of models"
          : "there is no model named \"\(printable(name))\"; there are \(known.joined(separator: ", "))"
      )
    }
    return try Model(path: path)
  }

  /// Whether a word may be the name of a model: any other is a path.
  public static func isName(_ word: String) -> Bool {
    !word.isEmpty && !word.hasPrefix(".") && !word.contains("/")
  }

  /// The file of a model; nil if no folder has it.
  public static func path(_ name: String) -> String? {
    guard isName(name) else { return nil }
    for folder in folders() {
      let path = "\(folder)/\(name)\(ending)"
      if SystemPath.with(path, { access($0, R_OK) }) == 0 { return path }
    }
    return nil
  }

  /// All models that are found, sorted by name. Checkpoints are not among them.
  public static func all() -> [(name: String, path: String)] {
    var found: [String: String] = [:]
    for folder in folders() {
      for file in SystemPath.names(in: folder) ?? [] {
        let name = String(file.dropLast(ending.utf8.count))
        guard file.hasSuffix(ending), !file.hasSuffix(".checkpoint" + ending), isName(name),
          found[name] == nil
        else { continue }
        found[name] = "\(folder)/\(file)"
      }
    }
    return found.sorted { $0.key < $1.key }.map { (name: $0.key, path: $0.value) }
  }

  /// The folders that are searched, the first one first; not all need be there.
  public static func folders() -> [String] {
    var folders: [String] = []
    func add(_ folder: String) { if !folders.contains(folder) { folders.append(folder) } }
    for folder in environment("LIBRETTO_MODELS").split(separator: ":") { add(String(folder)) }
    let (data, home) = (environment("XDG_DATA_HOME"), environment("HOME"))
    if !data.isEmpty {
      add("\(data)/libretto/models")
    } else if !home.isEmpty {
      add("\(home)/.local/share/libretto/models")
    }
    let own = [own_file().map { SystemPath.string($0) }, "/proc/self/exe"]
      .compactMap { $0.flatMap(SystemPath.resolved).map(folder) }
    for place in own { if let tree = buildTree(of: place) { add("\(tree)/models") } }
    for place in own {
      let above = folder(of: place)
      for prefix in [above, folder(of: above)] where prefix.utf8.count > 1 {
        add("\(prefix)/share/libretto/models")
      }
    }
    add("/usr/local/share/libretto/models")
    add("/usr/share/libretto/models")
    return folders
  }

  private static func environment(_ name: String) -> String {
    getenv(name).map { SystemPath.string($0) } ?? ""
  }

  private static func folder(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  /// What is built lies below a folder `.build` of the tree it was built from.
  private static func buildTree(of folder: String) -> String? {
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    return parts.lastIndex(of: ".build").map { parts[..<$0].joined(separator: "/") }
  }
}
