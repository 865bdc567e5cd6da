import Sequences
import Testing

/// Files with one thing wrong each: what can be read is read, and a warning says where.
@Suite struct MIDIDamagedFilesTests {
  private typealias Make = MIDIMaterial

  private let note: [UInt8] = [0, 0x90, 60, 100, 96, 0x80, 60, 0]
  private var whole: [UInt8] { note + Make.end }

  /// That `bytes` give notes 60 of 96 ticks, so many, and warnings at these offsets.
  private func expect(
    _ bytes: [UInt8], notes: Int = 1, warnings offsets: [Int], mended: Bool = true,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let (file, warnings) = try read(bytes)
    let found = file.notes().map(\.facts)
    #expect(
      found.count == notes && found.allSatisfy { $0[1...] == [96, 0, 60, 100] },
      "\(found)", sourceLocation: sourceLocation)
    #expect(warnings.map(\.offset) == offsets, "\(warnings)", sourceLocation: sourceLocation)
    for warning in warnings { #expect(warning.message.count > 10, sourceLocation: sourceLocation) }
    // What was read can be written, and then is whole, but for what is kept as it was.
    let again = try read(file.write())
    #expect(again.warnings.isEmpty == mended, sourceLocation: sourceLocation)
    #expect(again.file.notes() == file.notes(), sourceLocation: sourceLocation)
  }

  @Test func nothingWrong() throws { try expect(Make.file(whole), warnings: []) }

  @Test func noEndOfTrack() throws { try expect(Make.file(note), warnings: [30]) }

  @Test func cutShort() throws {
    // Within a delta time, before a status, within data, within a length, within a text.
    for cut in [
      [0x81], [0x81, 0x81], [0], [0, 0x90], [0, 0x90, 61], [0, 61], [0, 0xFF], [0, 0xFF, 1],
      [0, 0xFF, 1, 0x81], [0, 0xF0],
    ] as [[UInt8]] {
      let (file, warnings) = try read(Make.file(note + cut))
      #expect(file.notes().map(\.facts) == [[0, 96, 0, 60, 100]], "\(cut)")
      #expect(warnings.count == 2 && warnings[1].offset == 30 + cut.count, "\(cut) \(warnings)")
    }
    let (file, _) = try read(Make.file(note + [0, 0xFF, 1, 9, 0x41, 0x42]))
    #expect(file.tracks[0].events.last?.message == .meta(type: 1, [0x41, 0x42]))
  }

  @Test func theLastTrackIsTruncated() throws {
    let bytes = Make.header(tracks: 2) + Make.chunk("MTrk", whole) + Make.chunk("MTrk", whole)
    try expect(Array(bytes.dropLast(4)), notes: 2, warnings: [38, 50])
    try expect(Array(bytes.dropLast(12)), warnings: [38, 42])
    try expect(Array(bytes.dropLast(14)), warnings: [34, 10])
  }

  @Test func theHeaderCountsOtherTracks() throws {
    for tracks in [0, 1, 3, 65535] {
      try expect(
        Make.header(tracks: tracks) + Make.chunk("MTrk", whole) + Make.chunk("MTrk", whole),
        notes: 2, warnings: [10])
    }
    try expect(Make.header(tracks: 0), notes: 0, warnings: [])
  }

  @Test func junkBetweenChunks() throws {
    let track = Make.chunk("MTrk", whole)
    let junk: [UInt8] = [0, 1, 2, 0x4D, 0x54]
    try expect(Make.header() + junk + track, warnings: [14])
    try expect(Make.header() + track + junk, warnings: [34])
    try expect(Make.header(tracks: 2) + track + junk + track, notes: 2, warnings: [34])
    try expect(junk + Make.header() + track, warnings: [0])
    // A chunk of which only half is there.
    try expect(Make.header() + track + Make.chunk("XFIH", [1], length: 9), warnings: [34])
  }

  @Test func wrongLengthsOfTracks() throws {
    let track = Make.chunk("MTrk", whole)
    let others = [0, 1, whole.count - 2, whole.count + 1, whole.count + 8, 1 << 31, 0xFFFF_FFFF]
    for length in others {
      let wrong = Make.chunk("MTrk", whole, length: length)
      try expect(Make.header(tracks: 2) + wrong + track, notes: 2, warnings: [18])
      // Too short a length cuts the track off, if by chance the file ends there.
      try expect(Make.header(tracks: 2) + track + wrong, notes: 2, warnings: [38])
    }
    // A length that reaches over the next track to the end of the file.
    let both = Make.chunk("MTrk", whole, length: 2 * whole.count + 8)
    try expect(Make.header(tracks: 2) + both + track, notes: 2, warnings: [])
    try expect(
      Make.header() + Make.chunk("MTrk", whole + [0, 0, 0]), warnings: [34])
  }

  @Test func anEndOfTrackWithinTheTrackIsPassedOver() throws {
    let mark: [UInt8] = [0, 0xFF, 0x2F, 0]
    try expect(Make.file(mark + whole), warnings: [23])
    try expect(Make.file(note + mark + note + mark + note + mark), notes: 3, warnings: [31, 43])
    // With a long delta time, before meta and system events, without another at the end.
    try expect(
      Make.file(note + mark + [0x83, 0x60] + note.dropFirst()), notes: 2, warnings: [31, 43])
    let text: [UInt8] = [0, 0xFF, 1, 1, 0x41, 0, 0xF0, 1, 0xF7]
    try expect(Make.file(mark + text + whole), warnings: [23])
    // The running status does not go on, so that what follows is no event; nor are junk and zeros.
    for junk in [
      [0, 60, 100], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0xF4, 0], [0, 0x90],
    ]
      as [[UInt8]]
    { try expect(Make.file(whole + junk), warnings: [34]) }
    // A length that cannot be bears nothing out.
    try expect(Make.header() + Make.chunk("MTrk", whole + note, length: 99), warnings: [18, 34])
  }

  @Test func aSecondHeaderEndsTheFile() throws {
    let file = Make.file(whole)
    let zeros = [UInt8](repeating: 0, count: 300)
    try expect(file + file, warnings: [34])
    try expect(file + zeros + file, warnings: [34, 334])
    try expect(file + Make.chunk("XFIH", [1]) + file, warnings: [43])
    // Whatever the first header counts, and whatever is missing before it.
    for tracks in [0, 2, 9] {
      let first = Make.header(tracks: tracks) + Make.chunk("MTrk", whole)
      try expect(first + file, warnings: [34, 10])
    }
    try expect(Make.header() + Make.chunk("MTrk", note, length: 99) + file, warnings: [18, 30, 30])
    try expect(Make.header() + Make.chunk("MTrk", whole, length: 0) + file, warnings: [18, 34])
    // After all tracks junk ends the file as well; tracks directly after them do not.
    let track = Make.chunk("MTrk", whole)
    try expect(file + zeros + track, warnings: [34])
    try expect(file + track, notes: 2, warnings: [10, 0])
  }

  @Test func theSizesInARIFFFileAreWrong() throws {
    let inner = Make.file(whole)
    func little(_ value: Int) -> [UInt8] { Make.number(value, bytes: 4).reversed() }
    func riff(_ size: Int, after: [UInt8] = []) -> [UInt8] {
      Array("RIFF".utf8) + little(0) + Array("RMIDdata".utf8) + little(size) + inner + after
    }
    try expect(riff(inner.count), warnings: [])
    try expect(riff(inner.count, after: [0]), warnings: [])
    try expect(riff(inner.count, after: Array("LIST".utf8) + little(0)), warnings: [])
    for size in [0, 1, 14, 15, 20, inner.count - 2, inner.count + 1, 1 << 31, 0xFFFF_FFFF] {
      try expect(riff(size), warnings: [12])
    }
    // Up to the second track, whose name does not make it another RIFF chunk.
    let two = Make.header(tracks: 2) + Make.chunk("MTrk", whole) + Make.chunk("MTrk", whole)
    try expect(
      Array("RIFF".utf8) + little(0) + Array("RMIDdata".utf8) + little(34) + two, notes: 2,
      warnings: [12])
  }

  @Test func theHeaderIsNotAsItShouldBe() throws {
    let track = Make.chunk("MTrk", whole)
    func header(_ body: [UInt8], length: Int) -> [UInt8] {
      Make.chunk("MThd", body, length: length)
    }
    let body: [UInt8] = [0, 1, 0, 1, 1, 0xE0]
    for length in [0, 1, 5, 7, 20, 1 << 31] {
      try expect(header(body, length: length) + track, warnings: [4])
    }
    try expect(header([0, 1, 0, 1], length: 4) + track, warnings: [4, 8])
    try expect(header([], length: 0) + track, warnings: [4, 8])
    try expect(track, warnings: [0])
    #expect(try read(track).file.ticksPerQuarter == 480)
    // Unknown formats, no division, time codes that are none.
    try expect(Make.header(format: 3) + track, warnings: [8])
    #expect(try read(Make.header(format: 65535) + track).file.format == 1)
    for division in [0, 0xE700] {
      try expect(Make.header(division: division) + track, warnings: [12])
      #expect(try read(Make.header(division: division) + track).file.ticksPerQuarter == 480)
    }
    try expect(Make.header(division: 0x8001) + track, warnings: [12], mended: false)
    // Format 0 has one track.
    try expect(Make.header(format: 0, tracks: 2) + track + track, notes: 2, warnings: [0])
  }

  @Test func dataBytesOutOfRange() throws {
    let (file, warnings) = try read(
      Make.file([0, 0x90, 60, 200, 1, 0x90, 255, 3, 0, 0xC0, 128] + Make.end))
    #expect(
      file.tracks[0].events.map(\.message) == [
        .channel(status: 0x90, 60, 127), .channel(status: 0x90, 127, 3),
        .channel(status: 0xC0, 127, 0),
      ])
    #expect(warnings.map(\.offset) == [24, 28, 32])
  }

  @Test func dataWithoutAStatus() throws {
    try expect(Make.file([0, 1, 2, 3] + note.dropFirst() + Make.end), warnings: [23])
    try expect(Make.file([0, 1, 2, 3]), notes: 0, warnings: [23, 26])
  }

  @Test func statusesThatHaveNoPlaceInAFile() throws {
    for (status, data) in [
      (0xF1, 1), (0xF2, 2), (0xF3, 1), (0xF4, 0), (0xF6, 0), (0xF8, 0), (0xFA, 0), (0xFE, 0),
    ] {
      let event = [0, UInt8(status)] + [UInt8](repeating: 5, count: data)
      try expect(Make.file(event + whole), warnings: [23])
      try expect(Make.file(note + event + Make.end), warnings: [31])
    }
  }

  @Test func metaEventsThatMeanNothing() throws {
    for event in [
      [0x51, 3, 0, 0, 0], [0x51, 2, 7, 7], [0x51, 0], [0x58, 1, 4], [0x58, 4, 0, 2, 24, 8],
      [0x58, 4, 4, 32, 24, 8], [0x59, 2, 8, 0], [0x59, 2, 0, 2], [0x59, 0], [0x80, 0],
      [0xFF, 1, 0],
    ] as [[UInt8]] {
      let bytes = Make.file([0, 0xFF] + event + whole)
      try expect(bytes, warnings: [23], mended: false)
      let file = try read(bytes).file
      #expect(file.timeSignatures.isEmpty && file.keySignatures.isEmpty)
      #expect(file.tempoMap.changes.count == 1 && file.tracks[0].events.count == 3)
    }
    try expect(Make.file(note + [0, 0xFF, 0x2F, 2, 1, 1]), warnings: [31])
  }

  @Test func longNumbers() throws {
    // Five bytes and more: read, but never above the most that four can say.
    let zeros = [UInt8](repeating: 0x80, count: 40)
    try expect(Make.file(zeros + whole), warnings: [22])
    for long in [[0x90, 0x80, 0x80, 0x80, 0x00], zeros + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]] {
      let (file, warnings) = try read(Make.file(long + [0x90, 60, 1] + Make.end))
      #expect(file.notes().map(\.start) == [1 << 28 - 1] && warnings.map(\.offset) == [22])
    }
  }

  @Test func theEndOfTimeIsNotPassed() throws {
    let step: [UInt8] = [0xFF, 0xFF, 0xFF, 0x7F, 0x90, 60, 1]
    let steps = [[UInt8]](repeating: step, count: 4200).flatMap { $0 }
    let after = [[UInt8]](repeating: [1, 0x90, 61, 1], count: 5).flatMap { $0 }
    let (file, warnings) = try read(Make.file(steps + after + Make.end))
    #expect(file.end == MIDIFile.maximumTick && file.notes().count == 4205)
    // 4096 steps do not reach it; 104 others and those after them are beyond.
    #expect(warnings.count == MIDIWarning.limit + 1 && warnings.last!.message.hasPrefix("9 more"))
    let again = try read(file.write())
    #expect(again.file.notes() == file.notes() && again.warnings.isEmpty)
  }

  @Test func warningsAreCountedAndNotAllListed() throws {
    let bad = [[UInt8]](repeating: [0, 0xF4], count: 1000).flatMap { $0 }
    let (_, warnings) = try read(Make.file(bad + Make.end))
    #expect(warnings.count == 101)
    #expect(warnings[99].offset == 23 + 2 * 99 && warnings[100].offset == 23 + 2 * 100)
    #expect(warnings[100].message.hasPrefix("900 more"))
  }

  @Test func moreTracksThanCanBeCounted() throws {
    let tracks = [[UInt8]](repeating: Make.chunk("MTrk", Make.end), count: 65_537).flatMap { $0 }
    let (file, warnings) = try read(Make.header(tracks: 65535) + tracks)
    #expect(file.tracks.count == 65_535 && warnings.map(\.offset) == [14 + 12 * 65_535])
  }

  @Test func oneFarNoteCostsNothing() throws {
    let far = MIDIFile(
      division: .metrical(ticksPerQuarter: 480),
      tracks: [
        .init(
          events: [
            MIDIEvent(tick: 1 << 31, .channel(status: 0x90, 60, 1)),
            MIDIEvent(tick: 1 << 31 + 5, .channel(status: 0x80, 60, 1)),
          ], end: 1 << 31 + 5)
      ])
    let bytes = far.write()
    #expect(bytes.count < 200)
    let file = try read(bytes).file
    #expect(file.notes().map(\.facts) == [[1 << 31, 5, 0, 60, 1]])
    #expect(file.tempoMap.seconds(at: 1 << 31) == Double(1 << 31) / 960)
  }
}
