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

  /// Examines bytes in memory.
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.init(
      head: UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.headSize)), count: bytes.count
    ) { take in _ = take(bytes, 0, true) }
  }

  /// The bytes of `head`, if there are as many.
  public static let headSize = 512

  /// Takes a block of bytes, which begins at a place of theirs and may be the last, and tells how many
  /// of them need not be handed to it again at the beginning of the next block: all of the last, and of
  /// others all but 3 at most.
  public typealias Take = (_ block: UnsafeRawBufferPointer, _ place: Int, _ isLast: Bool) -> Int

  /// Examines `count` bytes, of which `head` are the first. `pass` hands all of them to what it is
  /// given; it is called once or twice, or not at all if the first bytes tell.
  public init<Failure>(
    head: UnsafeRawBufferPointer, count: Int, pass: (Take) throws(Failure) -> Void
  ) throws(Failure) {
    if let name = FileFormat.name(of: head) {
      self.init(.binary, name, bad: (nil, 0))
    } else if head.starts(with: [0xFF, 0xFE, 0, 0]) || head.starts(with: [0, 0, 0xFE, 0xFF]) {
      self.init(.other, "UTF-32 text", bad: (nil, 0))
    } else if let kind = [TextKind.utf16LittleEndian, .utf16BigEndian].first(where: {
      $0.markLength(head) > 0
    }) {
      var scan = UTF16Scan(kind, start: kind.markLength(head))
      try pass { scan.take($0, $1, $2) }
      self.init(scan, count)
    } else {
      var scan = ByteScan()
      try pass { scan.take($0, $1, $2) }
      // Every other byte of most UTF-16 text is 0.
      for kind in [TextKind.utf16LittleEndian, .utf16BigEndian]
      where scan.isEveryOther(nulsAt: kind == .utf16BigEndian ? 0 : 1, of: count) {
        var units = UTF16Scan(kind, start: 0)
        try pass { units.take($0, $1, $2) }
        if units.bad.count == 0, !units.isBinary(count) {
          self.init(units, count)
          return
        }
      }
      self.init(scan, mark: TextKind.utf8.markLength(head), count)
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

  private init(_ scan: UTF16Scan, _ count: Int) {
    let (bad, controls) = (scan.bad, scan.controls)
    if scan.isBinary(count) {
      self.init(
        .binary, "binary data", bad: (bad.first ?? controls.first, bad.count + controls.count))
    } else {
      self.init(
        scan.kind,
        scan.kind == .utf16BigEndian
          ? "UTF-16 text, big-endian" : "UTF-16 text, little-endian",
        mark: scan.start, bad: (bad.first, bad.count))
    }
  }

  private init(_ scan: ByteScan, mark: Int, _ count: Int) {
    let bad = (scan.bad.first, scan.bad.count)
    if scan.nuls.count > 0 || 20 * scan.controls.count > count {
      let first = scan.nuls.first ?? scan.controls.first
      self.init(.binary, "binary data", bad: (first, scan.nuls.count + scan.controls.count))
    } else if scan.bad.count == 0 {
      self.init(.utf8, "UTF-8 text", mark: mark, bad: bad)
    } else if scan.bad.count <= scan.characters {
      self.init(.damagedUTF8, "damaged UTF-8 text", mark: mark, bad: bad)
    } else if scan.hasNoCP1252 || 4 * scan.bad.count > count {
      // Letters with accents are some 5 % of the text of a language written in Latin letters.
      self.init(.other, "text in an encoding other than UTF-8", bad: bad)
    } else if scan.hasC1 {
      self.init(.cp1252, "text that is not UTF-8, probably Windows-1252", bad: bad)
    } else {
      self.init(.latin1, "text that is not UTF-8, probably Latin-1 (ISO 8859-1)", bad: bad)
    }
  }
}
