import Libretto
import Sequences

/// How the bytes of text files are understood.
struct TextReading {
  /// What people can ask for.
  static let names = "utf8, latin1, cp1252, utf16, utf16le or utf16be"

  /// What was asked for; nil to examine each file.
  private let asked: Asked?
  private let takesBytes: Bool
  private let bytesAdvice: String

  private enum Asked {
    case kind(TextKind)
    /// UTF-16 in the byte order it is found to have, little-endian if that cannot be told.
    case utf16
  }

  /// What files are known to be, by their resolved paths.
  private let known: [String: TextKind?]

  /// - `name`: of the text encoding, if one was asked for.
  /// - `encoding`: of the model. One of bytes takes any bytes.
  /// - `bytesAdvice`: how to learn any bytes.
  /// - `known`: files of a run that is resumed, which are read as they were.
  init(
    _ name: String?, encoding: String?, bytesAdvice: String? = nil, known: [MaterialFile] = []
  ) throws {
    takesBytes =
      try encoding.flatMap { try? Encodings.text($0, EncodingSettings()) }
      .map { try $0.makeFitter() == nil } ?? false
    self.bytesAdvice = bytesAdvice.map { "; or \($0)" } ?? ""
    self.known = Dictionary(known.map { ($0.path, $0.kind) }) { first, _ in first }
    switch name {
    case nil: asked = nil
    case "utf16": asked = .utf16
    case let name?:
      guard let kind = TextKind(optionName: name) else {
        throw Failure("--text-encoding is \(name); expected \(Self.names)", code: 64)
      }
      asked = .kind(kind)
    }
  }

  /// What to convert a file from, nil to take its bytes as they are; throws if it cannot be read as
  /// text. `path` is how it was named, `source` what opens it.
  func kind(of path: String, _ source: String, isSeveral: Bool) throws(LibrettoError) -> TextKind? {
    let file = try InputFile(source)
    let name = Streams.name(path)
    if isSeveral && file.count == 0 { throw LibrettoError(.corpus, "\(name) is empty") }
    switch asked {
    case .kind(.utf8)?:
      // Whoever asks for it wants to know where it is not.
      try FileContents.read(source) { (bytes) throws(LibrettoError) in
        try TextKind.utf8.converting(bytes, name: name) { _, _ in }
      }
      return .utf8
    case .kind(let kind)?: return kind
    case .utf16?:
      return try TextExamination(file: source).kind == .utf16BigEndian
        ? .utf16BigEndian : .utf16LittleEndian
    case nil: break
    }
    if let known = known[resolved(path)] { return known }
    if takesBytes { return nil }
    let found = try TextExamination(file: source)
    switch found.kind {
    case .utf8: return .utf8
    case .damagedUTF8:
      printError(
        "libretto: \(name) is damaged UTF-8: \(Self.share(found, of: file.count)) are not UTF-8 and are read as bytes; "
          + "to drop them: \(Self.iconv("-c -f utf-8", name))")
      return .utf8
    case .utf16LittleEndian where found.markLength > 0 && found.badCount == 0,
      .utf16BigEndian where found.markLength > 0 && found.badCount == 0:
      if !isSeveral { printError("libretto: \(name) is \(found.name); it is converted to UTF-8") }
      return found.kind
    default:
      throw LibrettoError(.format, "\(refusal(found, Self.share(found, of: file.count), name))")
    }
  }

  private func refusal(_ found: TextExamination, _ share: String, _ name: String) -> String {
    var what = "\(name) is \(found.name)"
    if found.badCount > 0 { what += ": \(share) \(Self.reason(found.kind))" }
    switch found.kind {
    case .utf16LittleEndian, .utf16BigEndian:
      let option = found.kind.optionName ?? ""
      return found.badCount > 0
        ? "\(what); to drop them: \(Self.iconv("-c -f utf-16", name))"
        : "\(what), without a byte order mark; \(Self.advice(option, name))"
    case .binary: return "\(what); expected text: extract the text first\(bytesAdvice)"
    case .other:
      return "\(what); convert it from its encoding: \(Self.iconv("-f ENCODING", name))"
    default: return "\(what); \(Self.advice(found.kind.optionName ?? "", name))"
    }
  }

  private static func reason(_ kind: TextKind) -> String {
    switch kind {
    case .utf16LittleEndian, .utf16BigEndian: "are half of a surrogate pair or left over"
    case .binary: "are NUL or control characters"
    default: "are not UTF-8"
    }
  }

  private static func advice(_ option: String, _ name: String) -> String {
    "give --text-encoding \(option), or convert it: \(iconv("-f \(option)", name))"
  }

  /// How many bytes are bad, which share of all, and the first.
  private static func share(_ found: TextExamination, of count: Int) -> String {
    let percent = 100 * Double(found.badCount) / Double(max(count, 1))
    let shown = percent >= 0.1 ? fixed(percent, 1) : "less than 0.1"
    return "\(grouped(found.badCount)) bytes (\(shown) %), from byte \(found.firstBad ?? 0) on,"
  }

  private static func iconv(_ options: String, _ name: String) -> String {
    return "iconv \(options) -t utf-8 \(shellWord(name)) > NEW"
  }
}
