import Sequences
import TestSupport
import Testing

@Suite struct MIDITempoMapTests {
  private func tempo(_ tick: Int, _ micros: Int) -> MIDIEvent {
    MIDIEvent(tick: tick, .meta(type: 0x51, MIDIMaterial.number(micros, bytes: 3)))
  }

  private func file(format: Int = 1, _ tracks: [[MIDIEvent]], end: Int = 0) -> MIDIFile {
    MIDIFile(
      format: format, division: .metrical(ticksPerQuarter: 100),
      tracks: tracks.map { .init(events: $0, end: end) })
  }

  @Test func withoutATempoAMinuteHas120QuarterNotes() {
    let map = file([[]]).tempoMap
    #expect(map.changes.count == 1 && map.seconds(at: 100) == 0.5 && map.tick(at: 0.5) == 100)
  }

  @Test func temposOfAllTracksAreHonoured() {
    let map = file([
      [tempo(0, 1_000_000), tempo(200, 250_000), tempo(200, 2_000_000)],
      [tempo(50, 0), tempo(300, 100_000)],
    ]).tempoMap
    #expect(map.changes.map(\.tick) == [0, 200, 300])
    #expect(map.changes.map(\.microsecondsPerQuarter) == [1_000_000, 2_000_000, 100_000])
    let seconds = [(0, 0.0), (100, 1), (200, 2), (250, 3), (300, 4), (400, 4.1), (1300, 5)]
    for (tick, wanted) in seconds {
      #expect(abs(map.seconds(at: tick) - wanted) < 1e-12)
      #expect(map.tick(at: wanted) == tick)
    }
  }

  @Test func aTempoAfterTheBeginningLeavesTheUsualOneBeforeIt() {
    let map = file([[tempo(100, 1_000_000)]]).tempoMap
    #expect(map.changes.map(\.seconds) == [0, 0.5] && map.seconds(at: 200) == 1.5)
  }

  @Test func inFormat2TemposFollowEachOther() {
    let tracks = [[tempo(0, 1_000_000)], [tempo(50, 100_000)]]
    let map = file(format: 2, tracks, end: 100).tempoMap
    #expect(map.changes.map(\.tick) == [0, 150])
  }

  @Test func timeCodeHasATempoOfItsOwn() {
    var code = MIDIFile(
      division: .timeCode(framesPerSecond: 25, ticksPerFrame: 40),
      tracks: [.init(events: [tempo(0, 1_000_000)])])
    #expect(code.tempoMap.seconds(at: 1000) == 1 && code.ticksPerQuarter == 500)
    code.division = .timeCode(framesPerSecond: 29, ticksPerFrame: 100)
    #expect(abs(code.tempoMap.seconds(at: 2997) - 1) < 1e-4)
    #expect(abs(code.tempoMap.seconds(at: 30000) - 10.01) < 1e-9)
    #expect(code.tempoMap.tick(at: 10.01) == 30000)
  }

  @Test func thereAndBackIsTheSameTick() {
    var random = SplitMix(8)
    for _ in 0..<100 {
      let file = MIDIMaterial.any(&random)
      let map = file.tempoMap
      for tick in [0, 1, file.end / 3, file.end] {
        #expect(map.tick(at: map.seconds(at: tick)) == tick)
      }
    }
  }

  @Test func secondsThatAreNoneAndThoseOutOfRange() {
    let map = file([[tempo(100, 1), tempo(200, 0xFFFFFF)]]).tempoMap
    #expect(map.tick(at: .nan) == 0 && map.tick(at: -1) == 0 && map.tick(at: -.infinity) == 0)
    #expect(map.tick(at: .infinity) == MIDIFile.maximumTick)
    #expect(map.seconds(at: .max).isFinite && map.seconds(at: .min).isFinite)
  }

  @Test func signaturesAndNames() {
    let file = file([
      [
        MIDIEvent(tick: 0, .meta(type: 3, Array("Flöte".utf8))),
        MIDIEvent(tick: 0, .meta(type: 3, [1])),
        MIDIEvent(tick: 0, .meta(type: 0x58, [4, 2, 24, 8])),
        MIDIEvent(tick: 0, .meta(type: 0x58, [3, 2, 24, 8])),
        MIDIEvent(tick: 90, .meta(type: 0x58, [255, 31])),
        MIDIEvent(tick: 9, .meta(type: 0x59, [0xF9, 1])),
      ],
      [
        MIDIEvent(tick: 50, .meta(type: 0x58, [6, 3, 24, 8])),
        MIDIEvent(tick: 9, .meta(type: 0x59, [7, 0])),
        MIDIEvent(tick: 9, .meta(type: 0x59, [8, 0])),
        MIDIEvent(tick: 0, .meta(type: 3, [0x46, 0x6C, 0xF6, 0x74, 0x65])),
      ],
      [],
    ])
    #expect(
      file.timeSignatures == [
        .init(tick: 0, numerator: 3, denominator: 4), .init(tick: 50, numerator: 6, denominator: 8),
        .init(tick: 90, numerator: 255, denominator: 1 << 31),
      ])
    #expect(file.keySignatures == [.init(tick: 9, sharps: 7, isMinor: false)])
    #expect(file.tracks.map(\.name) == ["Flöte", "Flöte", nil])
  }
}
