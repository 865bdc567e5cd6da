/// What bytes hold, found in one pass over them: text that can be learned from as it is, text in
/// another encoding, or no text.
///
/// Byte order marks and the first bytes of known formats are certain. Which 8-bit encoding a text
/// is in can only be guessed, from which bytes above 0x7F occur and how often.
public struct TextExamination: Sendable {
  public let kind: TextKind
  /// What it is, for people: "UTF-8", "a PNG image".
  public let name: StaticString
  /// Bytes of a byte order mark at the beginning.
  public let markLength: Int
  /// Bytes that have no place in UTF-8, or in UTF-16 if the kind is that; in binary data NUL and
  /// other control characters. 0 where a mark or the format tells all.
  public let badCount: Int
  /// The first of them; nil if there is none.
  public let firstBad: Int?

  public init(_ bytes: UnsafeRawBufferPointer) {
    if let name = FileFormat.name(of: bytes) {
      self.init(.binary, name, bad: (nil, 0))
    } else if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) {
      self.init(.other, "UTF-32 text", bad: (nil, 0))
    } else if bytes.starts(with: [0xFF, 0xFE]) {
      self.init(utf16: bytes, .utf16LittleEndian)
    } else if bytes.starts(with: [0xFE, 0xFF]) {
      self.init(utf16: bytes, .utf16BigEndian)
    } else {
      self.init(unmarked: bytes)
    }
  }

  private init(
    _ kind: TextKind, _ name: StaticString, mark: Int = 0, bad: (first: Int?, count: Int)
  ) {
    self.kind = kind
    self.name = name
    markLength = mark
    firstBad = bad.first
    badCount = bad.count
  }

  private init(utf16 bytes: UnsafeRawBufferPointer, _ kind: TextKind) {
    let mark = kind.markLength(bytes)
    var units = UTF16Units(bytes, start: mark, isBigEndian: kind == .utf16BigEndian)
    var bad = Tally()
    var controls = Tally()
    while let (scalar, byte) = units.next() {
      if let scalar {
        if scalar < 0x20, ByteClass.isControl(UInt8(scalar)) { controls.note(byte) }
      } else {
        bad.note(byte, count: 2)
      }
    }
    if bytes.count % 2 == 1 { bad.note(bytes.count - 1) }
    guard 20 * (bad.count + 2 * controls.count) <= bytes.count else {
      self.init(
        .binary, "binary data", bad: (bad.first ?? controls.first, bad.count + controls.count))
      return
    }
    self.init(
      kind, kind == .utf16BigEndian ? "UTF-16 text, big-endian" : "UTF-16 text, little-endian",
      mark: mark, bad: (bad.first, bad.count))
  }

  private init(unmarked bytes: UnsafeRawBufferPointer) {
    let scan = ByteScan(bytes)
    if scan.nuls.count > 0 {
      // Every other byte of most UTF-16 text is 0.
      for kind in [TextKind.utf16LittleEndian, .utf16BigEndian]
      where scan.isEveryOther(nulsAt: kind == .utf16BigEndian ? 0 : 1, of: bytes.count) {
        let text = TextExamination(utf16: bytes, kind)
        if text.badCount == 0, text.kind == kind {
          self = text
          return
        }
      }
    }
    let isBinary = scan.nuls.count > 0 || 20 * scan.controls.count > bytes.count
    let mark = TextKind.utf8.markLength(bytes)
    let bad = (scan.bad.first, scan.bad.count)
    if isBinary {
      let first = scan.nuls.first ?? scan.controls.first
      self.init(.binary, "binary data", bad: (first, scan.nuls.count + scan.controls.count))
    } else if scan.bad.count == 0 {
      self.init(.utf8, "UTF-8 text", mark: mark, bad: bad)
    } else if scan.bad.count <= scan.characters {
      self.init(.damagedUTF8, "damaged UTF-8 text", mark: mark, bad: bad)
    } else if scan.hasNoCP1252 || 4 * scan.bad.count > bytes.count {
      // Letters with accents are some 5 % of the text of a language written in Latin letters.
      self.init(.other, "text in an encoding other than UTF-8", bad: bad)
    } else if scan.hasC1 {
      self.init(.cp1252, "text that is not UTF-8, probably Windows-1252", bad: bad)
    } else {
      self.init(.latin1, "text that is not UTF-8, probably Latin-1 (ISO 8859-1)", bad: bad)
    }
  }
}

/// The first of something, and how many there are.
private struct Tally {
  var first: Int?
  var count = 0

  @inline(__always)
  mutating func note(_ byte: Int, count more: Int = 1) {
    if first == nil { first = byte }
    count += more
  }
}

private enum ByteClass {
  /// A control character that does not occur in text: those that do are backspace, tab, the line
  /// ends, form feed, the end mark of DOS and the escape of terminals.
  @inline(__always)
  static func isControl(_ byte: UInt8) -> Bool {
    byte < 0x20 && 0x0C00_3F00 >> UInt32(byte) & 1 == 0 || byte == 0x7F
  }
}

/// Counts of bytes that tell what they are.
private struct ByteScan {
  var nuls = Tally()
  /// NULs at even and odd places.
  var nulsByParity: InlineArray<2, Int> = [0, 0]
  /// Others that do not occur in text.
  var controls = Tally()
  /// Bytes that belong to no well-formed character of UTF-8.
  var bad = Tally()
  /// Well-formed characters beyond ASCII.
  var characters = 0
  /// Whether bytes from 0x80 to 0x9F are among the bad ones, and such as Windows-1252 lacks.
  var hasC1 = false
  var hasNoCP1252 = false

  init(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let count = bytes.count
    var i = 0
    while i < count {
      if i + 16 <= count, Self.isPlain(bytes.loadUnaligned(fromByteOffset: i, as: Vector.self)) {
        i += 16
        continue
      }
      // What is not plain is looked at one by one, to the end of these 16.
      let end = min(i + 16, count)
      while i < end {
        let byte = base[i]
        if byte < 0x80 {
          note(ascii: byte, i)
          i += 1
        } else if let (_, length) = UTF8Text.scalar(base + i, count - i) {
          characters += 1
          i += length
        } else {
          bad.note(i)
          if byte < 0xA0 {
            hasC1 = true
            if TextKind.cp1252(byte) == nil { hasNoCP1252 = true }
          }
          i += 1
        }
      }
    }
  }

  private typealias Vector = SIMD16<UInt8>

  /// Whether these are ASCII without control characters but tab and the line feed.
  @inline(__always)
  private static func isPlain(_ v: Vector) -> Bool {
    all(((v .>= 0x20) .& (v .< 0x7F)) .| (v .== 0x0A) .| (v .== 0x09))
  }

  @inline(__always)
  private mutating func note(ascii byte: UInt8, _ i: Int) {
    if byte == 0 {
      nuls.note(i)
      nulsByParity[i & 1] += 1
    } else if ByteClass.isControl(byte) {
      controls.note(i)
    }
  }

  /// Whether a quarter of the bytes at even or at odd places are 0, and hardly any of the others.
  func isEveryOther(nulsAt parity: Int, of count: Int) -> Bool {
    count % 2 == 0 && 8 * nulsByParity[parity] >= count
      && 20 * nulsByParity[1 - parity] <= nulsByParity[parity]
  }
}
