import Libretto

/// What a file holds, judged by its name and its first bytes.
enum FileKind {
  /// Ends of the names of files that are taken from folders, in small letters.
  static let musicEndings = [".mid", ".midi", ".smf", ".kar", ".rmi"]
  static let textEndings = [
    ".txt", ".text", ".md", ".markdown", ".rst", ".adoc", ".org", ".tex", ".abc",
    ".c", ".cc", ".cpp", ".cs", ".go", ".h", ".hpp", ".hs", ".java", ".jl", ".js", ".kt", ".lua",
    ".ml", ".pl", ".py", ".r", ".rb", ".rs", ".scala", ".sh", ".sql", ".swift", ".ts",
  ]

  static func hasEnding(_ path: String, of endings: [String]) -> Bool {
    let name = path.lowercased()
    return endings.contains { name.hasSuffix($0) }
  }

  static func isMIDI(_ path: String) -> Bool {
    if hasEnding(path, of: musicEndings) { return true }
    let start = start(of: path, 12)
    return start.starts(with: "MThd".utf8)
      || start.starts(with: "RIFF".utf8) && start.dropFirst(8).elementsEqual("RMID".utf8)
  }

  /// A model or a checkpoint: the length of a JSON object, which begins thereafter.
  static func isModel(_ path: String) -> Bool {
    if path.hasSuffix(".safetensors") { return true }
    let bytes = start(of: path, 9)
    return bytes.count == 9 && bytes[4..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
  }

  /// What somebody took for a model, if it is something to learn from: "text" or "a MIDI file".
  static func material(_ path: String) -> String? {
    let bytes = start(of: path, 4096)
    if bytes.starts(with: Array("MThd".utf8)) { return "a MIDI file" }
    guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
    // The last character may be cut.
    let isText = (0..<4).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    return isText ? "text" : nil
  }

  /// Empty where nothing can be read; those who need the file will say so.
  private static func start(of path: String, _ count: Int) -> [UInt8] {
    guard let file = try? InputFile(path) else { return [] }
    var bytes = [UInt8](repeating: 0, count: min(count, file.count))
    let isRead = bytes.withUnsafeMutableBytes { (try? file.read(at: 0, into: $0)) != nil }
    return isRead ? bytes : []
  }
}
