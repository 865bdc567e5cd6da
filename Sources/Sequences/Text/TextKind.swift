/// What a file holds, as far as reading it as text goes.
public enum TextKind: Int32, Sendable {
  /// Well-formed UTF-8; ASCII is a part of it.
  case utf8 = 0
  /// UTF-8 in which some bytes belong to no well-formed character, fewer than there are characters
  /// beyond ASCII.
  case damagedUTF8 = 1
  /// ISO 8859-1: one byte per character.
  case latin1 = 2
  /// Windows-1252: as ISO 8859-1, with printable characters at most places from 0x80 to 0x9F.
  case cp1252 = 3
  case utf16LittleEndian = 4
  case utf16BigEndian = 5
  /// Text of a kind that cannot be told or is not converted: UTF-32, 8-bit encodings of other
  /// scripts, multi-byte encodings.
  case other = 6
  /// No text.
  case binary = 7
}

/// A byte that has no place in the kind of text it was read as.
public struct TextConversionError: Error, Equatable {
  public enum Reason: Sendable {
    /// Not part of a well-formed character of UTF-8.
    case notUTF8
    /// No character has this byte.
    case undefined
    /// Half of a surrogate pair.
    case unpairedSurrogate
    /// The last byte of an odd number.
    case oddLength
    /// Bytes of this kind are not converted.
    case unsupported
  }
  public let reason: Reason
  /// Its place, from 0.
  public let byte: Int
}

extension TextKind {
  /// Bytes of a byte order mark of this kind at the beginning: they are no part of the text.
  public func markLength(_ bytes: UnsafeRawBufferPointer) -> Int {
    switch self {
    case .utf8, .damagedUTF8: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    case .utf16LittleEndian: bytes.starts(with: [0xFF, 0xFE]) ? 2 : 0
    case .utf16BigEndian: bytes.starts(with: [0xFE, 0xFF]) ? 2 : 0
    default: 0
    }
  }

  /// The same text as UTF-8 without a byte order mark: hands the 1 to 4 bytes of each character to
  /// `each`, the first of them in the lowest 8 bits.
  public func convert(
    _ bytes: UnsafeRawBufferPointer, _ each: (_ packed: UInt32, _ count: Int) -> Void
  ) throws(TextConversionError) {
    let start = markLength(bytes)
    func put(_ scalar: UInt32) {
      let (packed, count) = UTF8Text.bytes(of: scalar)
      each(packed, count)
    }
    switch self {
    case .utf8:
      guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      var i = start
      while i < bytes.count {
        guard let (scalar, length) = UTF8Text.scalar(base + i, bytes.count - i) else {
          throw TextConversionError(reason: .notUTF8, byte: i)
        }
        put(scalar)
        i += length
      }
    case .latin1:
      for byte in bytes { put(UInt32(byte)) }
    case .cp1252:
      for (i, byte) in bytes.enumerated() {
        guard let scalar = Self.cp1252(byte) else {
          throw TextConversionError(reason: .undefined, byte: i)
        }
        put(scalar)
      }
    case .utf16LittleEndian, .utf16BigEndian:
      var units = UTF16Units(bytes, start: start, isBigEndian: self == .utf16BigEndian)
      while let next = units.next() {
        guard let scalar = next.scalar else {
          throw TextConversionError(reason: .unpairedSurrogate, byte: next.byte)
        }
        put(scalar)
      }
      if bytes.count % 2 == 1 {
        throw TextConversionError(reason: .oddLength, byte: bytes.count - 1)
      }
    case .damagedUTF8, .other, .binary:
      throw TextConversionError(reason: .unsupported, byte: 0)
    }
  }

  /// https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT; nil where it has
  /// no character.
  static func cp1252(_ byte: UInt8) -> UInt32? {
    guard byte & 0xE0 == 0x80 else { return UInt32(byte) }
    let high: InlineArray<32, UInt16> = [
      0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
      0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
      0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
    ]
    let scalar = high[Int(byte & 0x1F)]
    return scalar == 0 ? nil : UInt32(scalar)
  }
}

/// The characters of UTF-16 (Unicode 15, section 3.9, D91), one by one.
struct UTF16Units {
  private let bytes: UnsafeRawBufferPointer
  private let isBigEndian: Bool
  private var place: Int

  init(_ bytes: UnsafeRawBufferPointer, start: Int, isBigEndian: Bool) {
    self.bytes = bytes
    self.isBigEndian = isBigEndian
    place = start
  }

  /// The next scalar, nil for half of a pair, and its first byte; nil at the end, where one byte may
  /// be left.
  mutating func next() -> (scalar: UInt32?, byte: Int)? {
    guard let first = unit() else { return nil }
    let byte = place
    place += 2
    guard first & 0xF800 == 0xD800 else { return (first, byte) }
    guard first < 0xDC00, let second = unit(), second & 0xFC00 == 0xDC00 else { return (nil, byte) }
    place += 2
    return (0x10000 + (first & 0x3FF) << 10 + second & 0x3FF, byte)
  }

  /// The unit at the present place, if there is a whole one.
  private func unit() -> UInt32? {
    guard place + 2 <= bytes.count else { return nil }
    let (first, second) = (UInt32(bytes[place]), UInt32(bytes[place + 1]))
    return isBigEndian ? first << 8 | second : second << 8 | first
  }
}
