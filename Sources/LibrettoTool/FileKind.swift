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

  /// What somebody took for a model, if it is something to learn from: "text" or "a MIDI file".
  static func material(_ path: String) -> String? {
    let bytes = start(of: path, 4096)
    if bytes.starts(with: Array("MThd".utf8)) { return "a MIDI file" }
    guard !bytes.isEmpty, !bytes.contains(0) else { return nil }
    // The last character may be cut.
    let isText = (0..<4).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil }
    return isText ? "text" : nil
  }

  /// Refuses to let a model of text read what is none.
  static func refuseAsText(_ path: String, for model: Model) throws {
    guard model.isText, isMIDI(path) || isModel(path) else { return }
    let kind = isMIDI(path) ? "a MIDI file" : "a model"
    throw Failure("\(path) is \(kind), and the model one of text (\(model.encoding.name))", code: 2)
  }

  /// Empty where nothing can be read; those who need the file will say so.
  private static func start(of path: String, _ count: Int) -> [UInt8] {
    guard let file = try? InputFile(path) else { return [] }
    var bytes = [UInt8](repeating: 0, count: min(count, file.count))
    let isRead = bytes.withUnsafeMutableBytes { (try? file.read(at: 0, into: $0)) != nil }
    return isRead ? bytes : []
  }
}
