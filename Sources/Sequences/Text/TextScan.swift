/// The first of something, and how many there are.
struct Tally {
  private(set) var first: Int?
  private(set) var count = 0

  @inline(__always)
  mutating func note(_ place: Int, count more: Int = 1) {
    if first == nil { first = place }
    count += more
  }
}

/// Whether a byte is a control character that does not occur in text: those that do are backspace,
/// tab, the line ends, form feed, the end mark of DOS and the escape of terminals.
@inline(__always)
private func isControl(_ byte: UInt8) -> Bool {
  byte < 0x20 && 0x0C00_3F00 >> UInt32(byte) & 1 == 0 || byte == 0x7F
}

/// Counts of bytes that tell what they are, block by block.
struct ByteScan {
  private(set) var nuls = Tally()
  /// NULs at even and odd places.
  private var nulsByParity: InlineArray<2, Int> = [0, 0]
  /// Others that do not occur in text.
  private(set) var controls = Tally()
  /// Bytes that belong to no well-formed character of UTF-8.
  private(set) var bad = Tally()
  /// Well-formed characters beyond ASCII.
  private(set) var characters = 0
  /// Whether bytes from 0x80 to 0x9F are among the bad ones, and such as Windows-1252 lacks.
  private(set) var hasC1 = false
  private(set) var hasNoCP1252 = false

  /// Looks at a block, but not at a character at its end that may go on in the next.
  mutating func take(_ bytes: UnsafeRawBufferPointer, _ place: Int, _ isLast: Bool) -> Int {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
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
          note(ascii: byte, place + i)
          i += 1
        } else if let (_, length) = UTF8Text.scalar(base + i, count - i) {
          characters += 1
          i += length
        } else if !isLast && i + 4 > count {
          return i
        } else {
          note(bad: byte, place + i)
          i += 1
        }
      }
    }
    return count
  }

  private typealias Vector = SIMD16<UInt8>

  /// Whether these are ASCII without control characters but tab and the line feed.
  @inline(__always)
  private static func isPlain(_ v: Vector) -> Bool {
    all(((v .>= 0x20) .& (v .< 0x7F)) .| (v .== 0x0A) .| (v .== 0x09))
  }

  @inline(__always)
  private mutating func note(ascii byte: UInt8, _ place: Int) {
    if byte == 0 {
      nuls.note(place)
      nulsByParity[place & 1] += 1
    } else if isControl(byte) {
      controls.note(place)
    }
  }

  private mutating func note(bad byte: UInt8, _ place: Int) {
    bad.note(place)
    guard byte < 0xA0 else { return }
    hasC1 = true
    if TextKind.cp1252(byte) == nil { hasNoCP1252 = true }
  }

  /// Whether a quarter of the bytes at even or at odd places are 0, and hardly any of the others.
  func isEveryOther(nulsAt parity: Int, of count: Int) -> Bool {
    nuls.count > 0 && count % 2 == 0 && 8 * nulsByParity[parity] >= count
      && 20 * nulsByParity[1 - parity] <= nulsByParity[parity]
  }
}

/// The same for UTF-16.
struct UTF16Scan {
  let kind: TextKind
  /// Where the text begins.
  let start: Int
  /// Halves of surrogate pairs, and a byte that is left over.
  private(set) var bad = Tally()
  private(set) var controls = Tally()

  init(_ kind: TextKind, start: Int) {
    self.kind = kind
    self.start = start
  }

  /// Whether this is no text.
  func isBinary(_ count: Int) -> Bool { 20 * (bad.count + 2 * controls.count) > count }

  mutating func take(_ bytes: UnsafeRawBufferPointer, _ place: Int, _ isLast: Bool) -> Int {
    var units = UTF16Units(
      bytes, start: max(0, start - place), isBigEndian: kind == .utf16BigEndian)
    var done = 0
    while let (scalar, byte) = units.next() {
      if scalar == nil && !isLast && byte + 4 > bytes.count { return byte }
      if let scalar {
        if scalar < 0x20, isControl(UInt8(scalar)) { controls.note(place + byte) }
      } else {
        bad.note(place + byte, count: 2)
      }
      done = byte + (scalar.map { $0 > 0xFFFF } == true ? 4 : 2)
    }
    guard isLast else { return done }
    if bytes.count % 2 == 1 { bad.note(place + bytes.count - 1) }
    return bytes.count
  }
}
