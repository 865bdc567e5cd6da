/// Names of files and what they say of the contents.
enum FileName {
  /// What follows the last dot of a file's name, in small letters; empty if nothing does.
  static func suffix(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  /// The name with a number before its suffix: "tune.mid" and 2 is "tune-2.mid".
  static func numbered(_ path: String, _ number: Int) -> String {
    let suffix = suffix(path)
    let end = suffix.isEmpty ? "" : "." + path.suffix(suffix.count)
    return "\(path.dropLast(end.count))-\(number)\(end)"
  }

  /// Refuses the name of an output whose suffix says that it is something else than is written
  /// there. A name without a suffix says nothing.
  static func check(_ path: String, _ option: String, _ suffixes: [String], advice: String = "")
    throws
  {
    let suffix = suffix(path)
    guard path != "-", !suffix.isEmpty, !suffixes.contains(suffix) else { return }
    let known = suffixes.map { "." + $0 }
    let list =
      (known.count > 1 ? known.dropLast().joined(separator: ", ") + " or " : "") + known.last!
    throw Failure(
      "\(option) is \(path): cannot write .\(suffix), only \(list)\(advice.isEmpty ? "" : "; ")\(advice)",
      code: 64)
  }

  /// The same for a model, whose suffix may be any that is not that of something else.
  static func checkModel(_ path: String, _ option: String) throws {
    guard (midi + sound + picture).contains(suffix(path)) else { return }
    try check(path, option, ["safetensors"])
  }

  static let picture = ["svg"]
  static let midi = ["mid", "midi", "smf"]
  static let sound = ["wav"]
}
