import Libretto

/// What a file holds, judged by its name and its first bytes, where a wrong guess would go unnoticed:
/// any bytes can be learned from, or scored, as text.
enum FileKind {
  static func isMIDI(_ path: String) -> Bool {
    FolderWalk.isMIDI(path) || start(of: path, 4) == Array("MThd".utf8)
  }

  /// A model or a checkpoint: the length of a JSON object, which begins thereafter.
  static func isModel(_ path: String) -> Bool {
    if path.hasSuffix(".safetensors") { return true }
    let bytes = start(of: path, 9)
    return bytes.count == 9 && bytes[4..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
  }

  /// Empty where nothing can be read; those who need the file will say so.
  private static func start(of path: String, _ count: Int) -> [UInt8] {
    guard let file = try? MappedFile(path) else { return [] }
    return withExtendedLifetime(file) { Array(file.bytes.prefix(count)) }
  }
}
