import Memory
import Sequences

/// A file a trainer was given.
public struct MaterialFile: Equatable, Sendable {
  public let path: String
  public let validation: Bool
  /// What its text was converted from; nil if its bytes were taken as they are.
  public let kind: TextKind?
}

/// Files a trainer was given, as one stretch of bytes, which a checkpoint keeps as it is: for each file a
/// letter (`t` for training, `v` for validation), the name of the kind of its text if it was converted, a
/// colon, the path, and a zero.
struct FileList {
  let bytes: GrowableBuffer<UInt8>

  init() { bytes = GrowableBuffer() }

  /// nil if the bytes are no such list.
  init?(_ bytes: GrowableBuffer<UInt8>) {
    self.bytes = bytes
    guard bytes.count == 0 || bytes[bytes.count - 1] == 0 else { return nil }
    var start = 0
    for i in 0..<bytes.count where bytes[i] == 0 {
      guard Self.file(bytes.elements[start..<i]) != nil else { return nil }
      start = i + 1
    }
  }

  func add(_ file: MaterialFile) throws(LibrettoError) {
    let before = bytes.count
    do {
      try bytes.append(contentsOf: (file.validation ? "v" : "t").utf8)
      try bytes.append(contentsOf: (file.kind?.optionName ?? "").utf8)
      try bytes.append(contentsOf: ":".utf8)
      try bytes.append(contentsOf: file.path.utf8)
      try bytes.append(0)
    } catch {
      bytes.truncate(to: before)
      throw LibrettoError(error)
    }
  }

  /// The files, in the order they came.
  var files: [MaterialFile] { bytes.elements.split(separator: 0).compactMap(Self.file) }

  /// nil if these bytes are none.
  private static func file(_ bytes: Slice<UnsafeMutableBufferPointer<UInt8>>) -> MaterialFile? {
    guard let role = bytes.first, role == UInt8(ascii: "t") || role == UInt8(ascii: "v"),
      let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon - bytes.startIndex <= 16
    else { return nil }
    let name = String(decoding: bytes[bytes.startIndex + 1..<colon], as: UTF8.self)
    let kind = TextKind(optionName: name)
    // Not one this version does not know.
    if kind == nil && !name.isEmpty { return nil }
    return MaterialFile(
      path: String(decoding: bytes[(colon + 1)...], as: UTF8.self),
      validation: role == UInt8(ascii: "v"), kind: kind)
  }
}
