/// UTF-8 as Unicode 15, section 3.9, table 3-7 defines it.
public enum UTF8Text {
  /// The scalar that begins at the first byte, and its length; nil if the bytes are not a whole,
  /// well-formed sequence.
  @inline(__always)
  public static func scalar(_ p: UnsafePointer<UInt8>, _ available: Int)
    -> (value: UInt32, length: Int)?
  {
    let first = p[0]
    if first < 0x80 { return (UInt32(first), 1) }
    guard let rule = Continuation(after: first), rule.remaining < available else { return nil }
    guard rule.range.contains(p[1]) else { return nil }
    var value = UInt32(first) & (0x3F >> UInt32(rule.remaining))
    value = value << 6 | UInt32(p[1] & 0x3F)
    var i = 2
    while i <= rule.remaining {
      guard p[i] & 0xC0 == 0x80 else { return nil }
      value = value << 6 | UInt32(p[i] & 0x3F)
      i += 1
    }
    return (value, rule.remaining + 1)
  }

  /// How many of some bytes, which go on, make whole characters: all but the beginning of one at their
  /// end. At least 1 if there are any, and all where they are not UTF-8 anyway.
  package static func wholeCharacters(_ bytes: UnsafeRawBufferPointer) -> Int {
    for back in stride(from: 1, through: min(3, bytes.count - 1), by: 1) {
      let byte = bytes[bytes.count - back]
      if byte & 0xC0 == 0x80 { continue }
      let isCut = Continuation(after: byte).map { $0.remaining >= back } ?? false
      return isCut ? bytes.count - back : bytes.count
    }
    return bytes.count
  }

  /// What must follow a lead byte: how many bytes, and which the next of them may be.
  struct Continuation: Equatable {
    var remaining: Int
    var range: ClosedRange<UInt8>

    /// nil if no character begins with this byte and goes on with another.
    @inline(__always)
    init?(after lead: UInt8) {
      switch lead {
      case 0xC2...0xDF: (remaining, range) = (1, 0x80...0xBF)
      case 0xE0: (remaining, range) = (2, 0xA0...0xBF)
      case 0xED: (remaining, range) = (2, 0x80...0x9F)
      case 0xE1...0xEF: (remaining, range) = (2, 0x80...0xBF)
      case 0xF0: (remaining, range) = (3, 0x90...0xBF)
      case 0xF1...0xF3: (remaining, range) = (3, 0x80...0xBF)
      case 0xF4: (remaining, range) = (3, 0x80...0x8F)
      default: return nil
      }
    }
  }

  /// The bytes of a scalar, the first in the lowest 8 bits, and how many.
  package static func bytes(of scalar: UInt32) -> (packed: UInt32, count: Int) {
    switch scalar {
    case 0..<0x80: (scalar, 1)
    case 0x80..<0x800: (0xC0 | scalar >> 6 | (0x80 | scalar & 0x3F) << 8, 2)
    case 0x800..<0x10000:
      (
        0xE0 | scalar >> 12 | (0x80 | scalar >> 6 & 0x3F) << 8 | (0x80 | scalar & 0x3F) << 16, 3
      )
    default:
      (
        0xF0 | scalar >> 18 | (0x80 | scalar >> 12 & 0x3F) << 8
          | (0x80 | scalar >> 6 & 0x3F) << 16 | (0x80 | scalar & 0x3F) << 24, 4
      )
    }
  }
}

/// The grammar of text: after the first byte of a character only its other bytes may follow, so
/// what is sampled is always well-formed UTF-8.
///
/// Tokens below 256 are bytes, the others whole characters.
final class UTF8Grammar: Grammar {
  private let vocabulary: Int
  private var pending: UTF8Text.Continuation?

  init(vocabulary: Int) { self.vocabulary = vocabulary }

  func reset() { pending = nil }

  var isComplete: Bool { pending == nil }

  func advance(_ token: Int32) {
    guard token < 256 else {
      pending = nil
      return
    }
    let byte = UInt8(truncatingIfNeeded: token)
    guard var rule = pending, rule.range.contains(byte) else {
      pending = UTF8Text.Continuation(after: byte)
      return
    }
    rule.remaining -= 1
    rule.range = 0x80...0xBF
    pending = rule.remaining > 0 ? rule : nil
  }

  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    if let rule = pending {
      forbid(logits, 0..<Int(rule.range.lowerBound))
      forbid(logits, Int(rule.range.upperBound) + 1..<vocabulary)
    } else {
      forbid(logits, 0x80..<0xC2)
      forbid(logits, 0xF5..<0x100)
    }
  }

  private func forbid(_ logits: UnsafeMutablePointer<Float>, _ tokens: Range<Int>) {
    for token in tokens { logits[token] = -.infinity }
  }

  static var stateSize: Int { 3 }

  func save(to bytes: UnsafeMutableRawPointer) {
    let to = bytes.assumingMemoryBound(to: UInt8.self)
    to[0] = UInt8(pending?.remaining ?? 0)
    to[1] = pending?.range.lowerBound ?? 0
    to[2] = pending?.range.upperBound ?? 0
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    let from = bytes.assumingMemoryBound(to: UInt8.self)
    if from[0] == 0 && from[1] == 0 && from[2] == 0 {
      pending = nil
      return true
    }
    // Every other state is that after some lead byte.
    for lead in 0xC2...0xF4 as ClosedRange<UInt8> {
      if let rule = UTF8Text.Continuation(after: lead), rule.remaining == Int(from[0]),
        rule.range.lowerBound == from[1], rule.range.upperBound == from[2]
      {
        pending = rule
        return true
      }
    }
    return false
  }
}
