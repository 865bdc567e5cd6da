import Memory
import Sequences

extension TextKind {
  /// What people and options call it; nil for kinds that cannot be asked for.
  package var optionName: String? {
    switch self {
    case .utf8: "utf8"
    case .latin1: "latin1"
    case .cp1252: "cp1252"
    case .utf16LittleEndian: "utf16le"
    case .utf16BigEndian: "utf16be"
    case .damagedUTF8, .other, .binary: nil
    }
  }

  /// Whether text of this kind can be converted to UTF-8.
  package var isConverted: Bool { optionName != nil }

  package init?(optionName: String) {
    let kinds: [TextKind] = [.utf8, .latin1, .cp1252, .utf16LittleEndian, .utf16BigEndian]
    guard let kind = kinds.first(where: { $0.optionName == optionName }) else { return nil }
    self = kind
  }

  /// As `convert`, with errors for people; `name` is what they call the bytes.
  package func converting(
    _ bytes: UnsafeRawBufferPointer, name: String, _ each: (UInt32, Int) -> Void
  ) throws(LibrettoError) {
    do throws(TextConversionError) { try convert(bytes, each) } catch {
      let byte = bytes.count > error.byte ? "0x" + String(bytes[error.byte], radix: 16) : "none"
      let what =
        switch error.reason {
        case .notUTF8: "byte \(error.byte) is \(byte), which is not well-formed UTF-8"
        case .undefined: "byte \(error.byte) is \(byte), which Windows-1252 has no character for"
        case .unpairedSurrogate: "half of a surrogate pair of UTF-16 at byte \(error.byte)"
        case .oddLength: "it has \(bytes.count) bytes, and UTF-16 has an even number"
        case .unsupported: "text of this kind is not converted"
        }
      throw LibrettoError(
        .format, "\(name) cannot be converted to UTF-8: \(what); name its encoding, or repair it")
    }
  }

  /// Appends the text as UTF-8. `name` is what errors call the bytes.
  package func append(
    _ bytes: UnsafeRawBufferPointer, to text: GrowableBuffer<UInt8>, name: String
  ) throws(LibrettoError) {
    var count = 0
    try converting(bytes, name: name) { count += $1 }
    try allocating { () throws(OutOfMemory) in try text.reserve(count) }
    try converting(bytes, name: name) { packed, count in
      for byte in 0..<count {
        text.appendReserved(UInt8(truncatingIfNeeded: packed >> UInt32(8 * byte)))
      }
    }
  }
}

extension TextExamination {
  /// Examines a file, a block at a time.
  package init(file path: String) throws(LibrettoError) {
    let file = try InputFile(path)
    let size = min(max(file.count, 1), 1 << 18)
    let buffer = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: size)
    }
    defer { withExtendedLifetime(buffer) {} }
    let block = UnsafeMutableRawBufferPointer(buffer.elements)
    /// The bytes from a place on, as far as there is room.
    func bytes(_ place: Int, _ most: Int) throws(LibrettoError) -> UnsafeRawBufferPointer {
      let part = UnsafeMutableRawBufferPointer(
        rebasing: block[..<min(most, size, file.count - place)])
      try file.read(at: place, into: part)
      return UnsafeRawBufferPointer(part)
    }
    try self.init(head: bytes(0, Self.headSize), count: file.count) {
      (take) throws(LibrettoError) in
      var place = 0
      while place < file.count {
        let part = try bytes(place, size)
        place += take(part, place, place + part.count == file.count)
      }
    }
  }
}
