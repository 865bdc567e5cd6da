import TestSupport
import Testing

@testable import Sequences

@Suite struct MIDICharacterTests {
  /// Tracks of (tick, message); quarter notes of 480 ticks.
  private func file(_ tracks: [[(Int, MIDIEvent.Message)]]) -> MIDIFile {
    MIDIFile(
      division: .metrical(ticksPerQuarter: 480),
      tracks: tracks.map { track in
        MIDIFile.Track(events: track.map { MIDIEvent(tick: $0.0, $0.1) })
      })
  }

  private func note(_ tick: Int, _ channel: UInt8, _ pitch: UInt8, _ velocity: UInt8)
    -> [(Int, MIDIEvent.Message)]
  {
    [
      (tick, .channel(status: 0x90 | channel, pitch, velocity)),
      (tick + 240, .channel(status: 0x80 | channel, pitch, 0)),
    ]
  }

  @Test func tempoProgramAndVelocity() throws {
    let tempo: [UInt8] = [0x0F, 0x42, 0x40]
    let later: [UInt8] = [0x07, 0xA1, 0x20]
    let one = file([
      [
        (0, .meta(type: 0x51, tempo)), (0, .channel(status: 0xC2, 24, 0)),
        (960, .meta(type: 0x51, later)), (960, .channel(status: 0xC2, 40, 0)),
      ],
      note(480, 2, 60, 50) + note(720, 2, 62, 61) + note(960, 2, 64, 70),
    ])
    #expect(try MIDICharacter(one).tempo == 60)
    #expect(try MIDICharacter(one).program == 24)
    #expect(try MIDICharacter(one).velocity == 60)
    // From the second tempo and program on.
    let notes = one.notes().filter { $0.start >= 960 }
    #expect(try MIDICharacter(one, notes: notes).tempo == 120)
    #expect(try MIDICharacter(one, notes: notes).program == 40)
  }

  @Test func ofTheNotesAnEncodingTakes() throws {
    // A high melody on one program, chords on another, drums.
    var melody: [(Int, MIDIEvent.Message)] = [(0, .channel(status: 0xC0, 73, 0))]
    var chords: [(Int, MIDIEvent.Message)] = [(0, .channel(status: 0xC1, 48, 0))]
    var drums: [(Int, MIDIEvent.Message)] = []
    for i in 0..<8 {
      melody += note(480 * i, 0, UInt8(72 + i), 100)
      for pitch in [48, 52, 55] as [UInt8] {
        chords.append((480 * i, .channel(status: 0x91, pitch, 40)))
      }
      for pitch in [48, 52, 55] as [UInt8] {
        chords.append((480 * i + 400, .channel(status: 0x81, pitch, 0)))
      }
      drums += note(480 * i, 9, 38, 120)
    }
    let all = file([melody, chords, drums])
    func character(_ name: String) throws -> MIDICharacter {
      try MIDICharacter(all, notes: try Encodings.music(name, stepsPerQuarter: 4).select(all))
    }
    #expect(try character("melody").program == 73 && character("melody").velocity == 100)
    #expect(try character("polyphony").program == 48 && character("polyphony").velocity == 55)
    #expect(try character("drums").velocity == 120)
    #expect(try character("performance").program == 48)
    #expect(try MIDICharacter(all) == (try character("polyphony")))
  }

  @Test func withoutNotesOrWithATimeCode() throws {
    let empty = try MIDICharacter(file([]))
    #expect(empty.tempo == 120 && empty.program == 0 && empty.velocity == 0)
    var film = file([note(0, 0, 60, 90)])
    film.division = .timeCode(framesPerSecond: 25, ticksPerFrame: 40)
    #expect(try MIDICharacter(film).tempo == 120 && MIDICharacter(film).velocity == 90)
  }

  @Test func gridsThatMoveNotes() throws {
    func line(_ ticks: [Int]) -> MIDIFile {
      file([ticks.flatMap { note($0, 0, UInt8(60 + $0 / 40 % 12), 90) }.sorted { $0.0 < $1.0 }])
    }
    let sixteenths = line((0..<32).map { $0 * 120 })
    let triplets = line((0..<24).map { $0 * 160 })
    let four = try MelodyEncoding(stepsPerQuarter: 4)
    let twelve = try MelodyEncoding(stepsPerQuarter: 12)
    #expect(four.offGrid(sixteenths) == 0 && twelve.offGrid(sixteenths) == 0)
    #expect(four.offGrid(triplets) == 2.0 / 3 && twelve.offGrid(triplets) == 0)
    #expect(four.fittingSteps(sixteenths) == 4 && four.fittingSteps(triplets) == 3)
    let both = line((0..<24).map { $0 * 160 } + (32..<64).map { $0 * 120 })
    #expect(four.fittingSteps(both) == 12)
    var random = SplitMix(1)
    let free = line((0..<200).map { 480 * $0 + Int.random(in: 0..<200, using: &random) })
    #expect(four.fittingSteps(free) == nil)
    #expect(four.offGrid(file([])) == 0)
  }
}
