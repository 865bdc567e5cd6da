import Sequences
import TestSupport
import Testing

@Suite struct MIDIFileWriterTests {
  private typealias Make = MIDIMaterial

  @Test func theBytesAreThoseOfTheStandard() {
    let file = MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: 96),
      tracks: [
        .init(
          events: [
            MIDIEvent(tick: 0, .meta(type: 0x58, [4, 2, 24, 8])),
            MIDIEvent(tick: 0, .channel(status: 0x92, 48, 96)),
            MIDIEvent(tick: 0, .channel(status: 0x92, 60, 96)),
            MIDIEvent(tick: 192, .channel(status: 0xC1, 76, 0)),
            MIDIEvent(tick: 192, .system(status: 0xF0, [1, 0xF7])),
            MIDIEvent(tick: 200, .channel(status: 0xC1, 77, 0)),
          ], end: 328)
      ])
    let track: [UInt8] = [
      0, 0xFF, 0x58, 4, 4, 2, 24, 8, 0, 0x92, 48, 96, 0, 60, 96, 0x81, 0x40, 0xC1, 76,
      0, 0xF0, 2, 1, 0xF7, 8, 0xC1, 77, 0x81, 0, 0xFF, 0x2F, 0,
    ]
    #expect(file.write() == Make.header(format: 0, division: 96) + Make.chunk("MTrk", track))
  }

  @Test func timeCode() {
    let file = MIDIFile(division: .timeCode(framesPerSecond: 25, ticksPerFrame: 40))
    #expect(file.write() == Make.header(tracks: 0, division: 0xE728))
  }

  @Test func deltaTimesTakeAsFewBytesAsTheyCan() throws {
    for (ticks, count) in [
      (0, 1), (127, 1), (128, 2), (16383, 2), (16384, 3), (2_097_151, 3), (2_097_152, 4),
      (1 << 28 - 1, 4),
    ] {
      let file = MIDIFile(
        format: 0, division: .metrical(ticksPerQuarter: 96), tracks: [.init(end: ticks)])
      let bytes = file.write()
      #expect(bytes.count == 22 + count + 3, "\(ticks)")
      #expect(try read(bytes).file == file, "\(ticks)")
    }
  }

  @Test func whatIsWrittenReadsTheSame() throws {
    var random = SplitMix(3)
    for round in 0..<500 {
      let file = Make.any(&random)
      let bytes = file.write()
      let again = try read(bytes, strict: true)
      #expect(again.file == file && again.warnings.isEmpty, "round \(round): \(again.warnings)")
      #expect(again.file.write() == bytes)
    }
  }

  @Test func longPausesAreFilledUp() throws {
    let largest = 1 << 28 - 1
    for pause in [largest, largest + 1, 2 * largest, 1 << 35, MIDIFile.maximumTick] {
      let events = [0, pause].map { MIDIEvent(tick: $0, .channel(status: 0x90, 60, 1)) }
      let file = MIDIFile(
        format: 0, division: .metrical(ticksPerQuarter: 1),
        tracks: [.init(events: events, end: pause)])
      let again = try read(file.write(), strict: true)
      #expect(again.warnings.isEmpty && again.file.notes() == file.notes())
      #expect(again.file.end == pause)
      #expect((again.file == file) == (pause == largest))
    }
  }

  @Test func whatIsNoFileBecomesOne() throws {
    let events = [
      MIDIEvent(tick: -5, .channel(status: 0x90, 200, 255)),
      MIDIEvent(tick: 10, .channel(status: 0x7F, 1, 1)),
      MIDIEvent(tick: 10, .channel(status: 0xF8, 1, 1)),
      MIDIEvent(tick: 10, .meta(type: 0x2F, [])),
      MIDIEvent(tick: 10, .system(status: 0x90, [1])),
      MIDIEvent(tick: 7, .meta(type: 0xFF, [1])),
      MIDIEvent(tick: 3, .channel(status: 0xD0, 1, 99)),
      MIDIEvent(tick: .max, .meta(type: 1, [])),
      MIDIEvent(tick: .min, .channel(status: 0x80, 127, 0)),
    ]
    let file = MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: 0),
      tracks: [.init(events: events, end: .min), .init(end: .min)])
    let again = try read(file.write()).file
    #expect(again.format == 1 && again.division == .metrical(ticksPerQuarter: 1))
    let written = again.tracks[0].events.filter { $0.message != .meta(type: 1, []) }
    #expect(
      written == [
        MIDIEvent(tick: 0, .channel(status: 0x90, 127, 127)),
        MIDIEvent(tick: 7, .meta(type: 0xFF, [1])),
        MIDIEvent(tick: 7, .channel(status: 0xD0, 1, 0)),
        MIDIEvent(tick: MIDIFile.maximumTick, .channel(status: 0x80, 127, 0)),
      ])
    _ = (file.notes(sustain: true), file.tempoMap, file.end)
    for (division, wanted) in [
      (MIDIFile.Division.metrical(ticksPerQuarter: 1 << 40), 0x7FFF),
      (.metrical(ticksPerQuarter: .min), 1),
      (.timeCode(framesPerSecond: .max, ticksPerFrame: .max), 0x80FF),
      (.timeCode(framesPerSecond: .min, ticksPerFrame: .min), 0xFF01),
    ] {
      let file = MIDIFile(format: .max, division: division)
      #expect(file.write() == Make.header(format: 2, tracks: 0, division: wanted))
      #expect(file.ticksPerQuarter >= 1 && file.tempoMap.seconds(at: .max).isFinite)
    }
  }
}
