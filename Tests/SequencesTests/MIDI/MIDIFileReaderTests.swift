import Sequences
import Testing

@Suite struct MIDIFileReaderTests {
  private typealias Make = MIDIMaterial

  @Test func anOrdinaryFile() throws {
    let bytes =
      Make.header(format: 1, tracks: 2, division: 96)
      + Make.chunk("MTrk", [0, 0xFF, 0x51, 3, 7, 0xA1, 0x20, 0x83, 0, 0xFF, 0x2F, 0])
      + Make.chunk("MTrk", [0, 0xC2, 5, 10, 0x92, 60, 100, 0x81, 0, 60, 0] + Make.end)
    let (file, warnings) = try read(bytes)
    #expect(warnings.isEmpty)
    #expect(file.format == 1 && file.division == .metrical(ticksPerQuarter: 96))
    #expect(
      file.tracks == [
        .init(events: [MIDIEvent(tick: 0, .meta(type: 0x51, [7, 0xA1, 0x20]))], end: 384),
        .init(
          events: [
            MIDIEvent(tick: 0, .channel(status: 0xC2, 5, 0)),
            MIDIEvent(tick: 10, .channel(status: 0x92, 60, 100)),
            MIDIEvent(tick: 138, .channel(status: 0x92, 60, 0)),
          ], end: 138),
      ])
  }

  @Test(arguments: [
    ([0x00], 0), ([0x7F], 127), ([0x81, 0x00], 128), ([0xFF, 0x7F], 16383),
    ([0x81, 0x80, 0x00], 16384), ([0xFF, 0xFF, 0x7F], 2_097_151),
    ([0x81, 0x80, 0x80, 0x00], 2_097_152), ([0xFF, 0xFF, 0xFF, 0x7F], 268_435_455),
  ])
  func deltaTimesAsInTheStandardsTable(bytes: [UInt8], ticks: Int) throws {
    // At the end of the track and far from it, where another path reads them.
    for rest in [[], [UInt8](repeating: 0, count: 20)] {
      let text: [UInt8] = [0, 0xFF, 1, UInt8(rest.count)] + rest
      let (file, warnings) = try read(Make.file(bytes + [0x90, 60, 1] + text + Make.end))
      #expect(warnings.isEmpty)
      #expect(file.tracks[0].events[0].tick == ticks && file.tracks[0].end == ticks)
    }
  }

  @Test func systemAndMetaEventsKeepTheirBytes() throws {
    let (file, warnings) = try read(
      Make.file(
        [0, 0xF0, 3, 0x43, 0x12, 0xF7, 5, 0xF7, 2, 0xFA, 0xFF, 0, 0xFF, 0x7F, 0]
          + [0, 0xFF, 1, 0x81, 0] + [UInt8](repeating: 0xEE, count: 128) + Make.end))
    #expect(warnings.isEmpty)
    #expect(
      Array(file.tracks[0].events) == [
        MIDIEvent(tick: 0, .system(status: 0xF0, [0x43, 0x12, 0xF7])),
        MIDIEvent(tick: 5, .system(status: 0xF7, [0xFA, 0xFF])),
        MIDIEvent(tick: 5, .meta(type: 0x7F, [])),
        MIDIEvent(tick: 5, .meta(type: 1, [UInt8](repeating: 0xEE, count: 128))),
      ])
  }

  @Test(arguments: [
    (0x0001, MIDIFile.Division.metrical(ticksPerQuarter: 1)),
    (0x7FFF, .metrical(ticksPerQuarter: 32767)),
    (0xE728, .timeCode(framesPerSecond: 25, ticksPerFrame: 40)),
    (0xE8FF, .timeCode(framesPerSecond: 24, ticksPerFrame: 255)),
    (0xE301, .timeCode(framesPerSecond: 29, ticksPerFrame: 1)),
    (0xE250, .timeCode(framesPerSecond: 30, ticksPerFrame: 80)),
  ])
  func divisions(value: Int, division: MIDIFile.Division) throws {
    let (file, warnings) = try read(Make.file(Make.end, division: value))
    #expect(warnings.isEmpty && file.division == division)
  }

  @Test func runningStatusGoesOnAfterMetaAndSystemEventsUnlessStrict() throws {
    let track: [UInt8] =
      [0, 0x90, 60, 1, 0, 0xFF, 1, 0, 0, 61, 2, 0, 0xF0, 1, 0xF7, 7, 62, 3, 0, 63, 4]
      + [1, 0x91, 64, 5] + Make.end
    let (file, warnings) = try read(Make.file(track))
    #expect(file.notes().map(\.pitch) == [60, 61, 62, 63, 64])
    #expect(file.notes().map(\.channel) == [0, 0, 0, 0, 1])
    #expect(warnings.map(\.offset) == [31, 38], "each that goes on, once: \(warnings)")

    let strict = try read(Make.file(track), strict: true)
    #expect(strict.file.notes().map(\.pitch) == [60, 64])
    #expect(strict.warnings.first?.offset == 31)
  }

  @Test func aRIFFFileHoldsAMIDIFile() throws {
    let inner = Make.file([3, 0x90, 60, 1] + Make.end)
    func riff(_ chunks: [UInt8]) -> [UInt8] {
      Array("RIFF".utf8) + little(chunks.count + 4) + Array("RMID".utf8) + chunks
    }
    func little(_ value: Int) -> [UInt8] { Make.number(value, bytes: 4).reversed() }
    let data = Array("data".utf8) + little(inner.count) + inner
    let odd = Array("DISP".utf8) + little(3) + [1, 2, 3, 0]
    let plain = try read(inner).file
    for chunks in [data, odd + data, odd + data + odd] {
      let (file, warnings) = try read(riff(chunks))
      #expect(warnings.isEmpty && file == plain, "\(warnings)")
    }
    let wrong = Array("data".utf8) + little(inner.count + 99) + inner
    let (file, warnings) = try read(riff(wrong))
    #expect(file == plain && warnings.map(\.offset) == [12])
    let none = Array("daTA".utf8) + little(inner.count) + inner
    #expect(try read(riff(none)).file == plain)
  }

  @Test func foreignChunksAndALongerHeaderAreSkipped() throws {
    let bytes =
      Make.chunk("MThd", [0, 1, 0, 1, 0, 96, 1, 2, 3]) + Make.chunk("XFIH", [0x4D, 0x54, 0x72])
      + Make.chunk("MTrk", [0, 0x90, 60, 1] + Make.end) + Make.chunk("XFKM", [])
    let (file, warnings) = try read(bytes)
    #expect(warnings.map(\.offset) == [4])
    #expect(file.tracks.count == 1 && file.notes().count == 1)
  }

  @Test(arguments: [
    [], [0x4D], Array("MThd".utf8), Array("MThd".utf8) + [0, 0, 0],
    Array("%PDF-1.4 and so on".utf8),
    Array("RIFF".utf8) + [1, 0, 0, 0] + Array("WAVEfmt data".utf8),
    [UInt8](repeating: 0, count: 100_000) + Array("MThd".utf8) + [0, 0, 0, 6],
  ])
  func whatIsNoMIDIFileIsRefusedWithASentence(bytes: [UInt8]) throws {
    var warnings: [MIDIWarning] = []
    let error = #expect(throws: MIDIError.self) {
      _ = try MIDIFile.read(bytes, warnings: &warnings)
    }
    #expect(error!.message.count > 10 && warnings.isEmpty)
  }
}
