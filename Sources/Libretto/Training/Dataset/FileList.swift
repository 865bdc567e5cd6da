import Memory
import Sequences

/// A file a trainer was given.
public struct MaterialFile: Equatable, Sendable {
  public let path: String
  public let validation: Bool
  /// What its text was converted from; nil if its bytes were taken as they are.
  public let kind: TextKind?
  public var pieces = TextPieces.whole
  /// The label of its pieces; nil for none.
  public var label: String?
}

/// What pieces a file of text has.
public enum TextPieces: String, Sendable {
  /// It is one, or a part of one long text.
  case whole
  /// Each line is one.
  case lines
  /// Each line is a pair: a source, a tab and a target.
  case pairs
}

/// Files a trainer was given, as one stretch of bytes, which a checkpoint keeps as it is: for each file a
/// letter (`t` for training, `v` for validation), the name of the kind of its text if it was converted, a
/// colon, the path, and a zero. An entry `p:lines` says what pieces the files after it have, and one `l:NAME` which
/// label, none if there is no name.
struct FileList {
  let bytes: GrowableBuffer<UInt8>
  /// Those of the last file.
  private var pieces = TextPieces.whole
  private var label: String?

  init() { bytes = GrowableBuffer() }

  /// nil if the bytes are no such list.
  init?(_ bytes: GrowableBuffer<UInt8>) {
    self.bytes = bytes
    guard bytes.count == 0 || bytes[bytes.count - 1] == 0 else { return nil }
    var start = 0
    for i in 0..<bytes.count where bytes[i] == 0 {
      guard Self.entry(bytes.elements[start..<i]) != nil else { return nil }
      start = i + 1
    }
    if let last = files.last { (pieces, label) = (last.pieces, last.label) }
  }

  mutating func add(_ file: MaterialFile) throws(LibrettoError) {
    let before = bytes.count
    do {
      if file.pieces != pieces {
        try bytes.append(contentsOf: "p:\(file.pieces.rawValue)".utf8)
        try bytes.append(0)
      }
      if file.label != label {
        try bytes.append(contentsOf: "l:\(file.label ?? "")".utf8)
        try bytes.append(0)
      }
      try bytes.append(contentsOf: (file.validation ? "v" : "t").utf8)
      try bytes.append(contentsOf: (file.kind?.optionName ?? "").utf8)
      try bytes.append(contentsOf: ":".utf8)
      try bytes.append(contentsOf: file.path.utf8)
      try bytes.append(0)
    } catch {
      bytes.truncate(to: before)
      throw LibrettoError(error)
    }
    (pieces, label) = (file.pieces, file.label)
  }

  /// The files, in the order they came.
  var files: [MaterialFile] {
    var files: [MaterialFile] = []
    var (pieces, label) = (TextPieces.whole, String?.none)
    for bytes in bytes.elements.split(separator: 0) {
      switch Self.entry(bytes) {
      case .file(var file):
        (file.pieces, file.label) = (pieces, label)
        files.append(file)
      case .pieces(let next): pieces = next
      case .label(let next): label = next
      case nil: break
      }
    }
    return files
  }

  private enum Entry {
    case file(MaterialFile)
    case pieces(TextPieces)
    case label(String?)
  }

  /// nil if these bytes are none.
  private static func entry(_ bytes: Slice<UnsafeMutableBufferPointer<UInt8>>) -> Entry? {
    guard let letter = bytes.first, let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      colon - bytes.startIndex <= 16
    else { return nil }
    let name = String(decoding: bytes[bytes.startIndex + 1..<colon], as: UTF8.self)
    let rest = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
    switch letter {
    case UInt8(ascii: "t"), UInt8(ascii: "v"):
      let kind = TextKind(optionName: name)
      // Not one this version does not know.
      if kind == nil && !name.isEmpty { return nil }
      return .file(
        MaterialFile(path: rest, validation: letter == UInt8(ascii: "v"), kind: kind))
    case UInt8(ascii: "p"): return TextPieces(rawValue: rest).map { .pieces($0) }
    case UInt8(ascii: "l"): return .label(rest.isEmpty ? nil : rest)
    default: return nil
    }
  }
}
