import Sequences
import TestSupport

extension TextEncoding {
  func tokens(_ bytes: [UInt8]) -> [Int32] {
    var result: [Int32] = []
    bytes.withUnsafeBytes { encode($0) { result.append($0) } }
    return result
  }

  func tokens(_ text: String) -> [Int32] { tokens(Array(text.utf8)) }

  func decode(_ tokens: [Int32]) -> [UInt8] {
    tokens.flatMap { token in (0..<byteCount(of: token)).map { byte($0, of: token) } }
  }
}

extension CharacterCounter {
  func count(_ bytes: [UInt8]) { bytes.withUnsafeBytes { count($0) } }
  func count(_ text: String) { count(Array(text.utf8)) }
}

/// Text and what is not text, from harmless to hostile.
enum Material {
  /// Any scalar, each length of UTF-8 equally often.
  static func scalar(_ random: inout SplitMix) -> Unicode.Scalar {
    while true {
      let range: ClosedRange<UInt32> =
        switch random.next() % 4 {
        case 0: 0...0x7F
        case 1: 0x80...0x7FF
        case 2: 0x800...0xFFFF
        default: 0x10000...0x10FFFF
        }
      if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { return scalar }
    }
  }

  static func text(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    var view = String.UnicodeScalarView()
    for _ in 0..<count { view.append(scalar(&random)) }
    return Array(String(view).utf8)
  }

  static func noise(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  /// Ill-formed sequences by name: what RFC 3629 forbids.
  static let hostile: [[UInt8]] = [
    [],
    [0x80], [0xBF], [0xBF, 0xBF, 0xBF, 0xBF],  // continuations of nothing
    [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x8E], [0xE2], [0xF0], [0xF0, 0x9F],  // cut short
    [0xC3, 0x41], [0xE2, 0x82, 0x41], [0xF0, 0x9F, 0x8E, 0x41],  // cut short by ASCII
    [0xE2, 0x82, 0xC3, 0xA9], [0xF0, 0x9F, 0xE2, 0x82, 0xAC],  // cut short by another character
    [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],  // overlong
    [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF],
    [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],  // surrogates
    [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF7, 0xBF, 0xBF, 0xBF],  // too large
    [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xFF, 0xFE, 0xFD],
    [0xEF, 0xBF, 0xBE], [0xEF, 0xBF, 0xBF], [0xEF, 0xBB, 0xBF],  // non-characters and a BOM
    [0x00], [0x00, 0xC2, 0x80, 0x00],
  ]
}
