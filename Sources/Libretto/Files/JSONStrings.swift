import Sequences

/// The bytes that a string of a document says, its escapes resolved.
struct JSONCharacters: Sequence, IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  /// The rest of an escaped character, the next byte in the lowest 8 bits.
  private var pending: UInt32 = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next() -> UInt8? {
    if pending != 0 {
      defer { pending >>= 8 }
      return UInt8(truncatingIfNeeded: pending)
    }
    guard at < bytes.count else { return nil }
    let byte = bytes[at]
    at += 1
    guard byte == UInt8(ascii: "\\") else { return byte }
    var escape = JSONEscape(bytes: bytes, at: at)
    guard let scalar = escape.read() else { return nil }
    at = escape.at
    let packed = UTF8Text.bytes(of: scalar).packed
    pending = packed >> 8
    return UInt8(truncatingIfNeeded: packed)
  }
}

/// What follows a backslash.
struct JSONEscape {
  let bytes: UnsafeRawBufferPointer
  var at: Int

  /// The character; nil, and `at` where it is wrong, if there is no such escape.
  mutating func read() -> UInt32? {
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return single(UInt32(bytes[at]))
    case UInt8(ascii: "b"): return single(0x08)
    case UInt8(ascii: "f"): return single(0x0C)
    case UInt8(ascii: "n"): return single(0x0A)
    case UInt8(ascii: "r"): return single(0x0D)
    case UInt8(ascii: "t"): return single(0x09)
    case UInt8(ascii: "u"):
      at += 1
      guard let value = hex4() else { return nil }
      guard (0xD800..<0xE000).contains(value) else { return value }
      guard value < 0xDC00, take("\\"), take("u"), let low = hex4(),
        (0xDC00..<0xE000).contains(low)
      else { return nil }
      return 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    default: return nil
    }
  }

  private mutating func single(_ value: UInt32) -> UInt32 {
    at += 1
    return value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func hex4() -> UInt32? {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard at < bytes.count, let digit = Self.digit(bytes[at]) else { return nil }
      value = value << 4 | digit
      at += 1
    }
    return value
  }

  private static func digit(_ c: UInt8) -> UInt32? {
    switch c {
    case 0x30...0x39: UInt32(c) - 0x30
    case 0x41...0x46: UInt32(c) - 0x41 + 10
    case 0x61...0x66: UInt32(c) - 0x61 + 10
    default: nil
    }
  }
}
