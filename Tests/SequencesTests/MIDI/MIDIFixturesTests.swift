import Foundation
import Sequences
import Testing

/// Notes, tempos and signatures as mido sees them: Tests/midi/make_fixtures.py.
@Suite struct MIDIFixturesTests {
  struct Facts: Decodable {
    var ticks_per_quarter: Int
    var end: Int
    var notes: [[Int]]
    var held: [[Int]]
    var tempos: [[Double]]
    var time_signatures: [[Int]]
    var key_signatures: [KeySignature]
    var names: [String]
  }

  /// [tick, name].
  struct KeySignature: Decodable {
    var tick: Int
    var name: String

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      tick = try list.decode(Int.self)
      name = try list.decode(String.self)
    }
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("../midi/fixtures")

  private static let facts: [String: Facts] = {
    let data = try! Data(contentsOf: folder.appendingPathComponent("notes.json"))
    return try! JSONDecoder().decode([String: Facts].self, from: data)
  }()

  /// The name of a key: those of major keys by fifths from Cb on; a minor key is three fifths on.
  private func name(_ key: MIDIKeySignature) -> String {
    let names = ["Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#"]
    let minors = names.dropFirst(3) + ["G#", "D#", "A#"]
    return key.isMinor ? Array(minors)[key.sharps + 7] + "m" : names[key.sharps + 7]
  }

  private static let warnings = [
    "all_kinds": 1, "running_across_metas": 2, "overlaps": 2, "missing_note_offs": 2,
    "all_notes_off": 4, "early_end_of_track": 2, "format_2": 1, "pedal": 2,
  ]

  @Test(arguments: facts.keys.sorted())
  func whatMidoSees(fixture: String) throws {
    let wanted = Self.facts[fixture]!
    let data = try Data(contentsOf: Self.folder.appendingPathComponent(fixture + ".mid"))
    let (file, warnings) = try read(Array(data), checkingNotes: true)
    #expect(
      warnings.count == Self.warnings[fixture] ?? 0,
      "\(warnings)")
    #expect(file.notes().map { $0.facts + [$0.track] } == wanted.notes)
    #expect(file.notes(sustain: true).map { $0.facts + [$0.track] } == wanted.held)
    #expect(file.ticksPerQuarter == wanted.ticks_per_quarter && file.end == wanted.end)
    let tempos = file.tempoMap.changes
    #expect(tempos.count == wanted.tempos.count)
    for (found, tempo) in zip(tempos, wanted.tempos) {
      #expect(Double(found.tick) == tempo[0])
      #expect(abs(found.seconds - tempo[1]) < 1e-9)
      #expect(Double(found.microsecondsPerQuarter) == tempo[2])
    }
    #expect(
      file.timeSignatures.map { [$0.tick, $0.numerator, $0.denominator] } == wanted.time_signatures)
    #expect(file.keySignatures.map(\.tick) == wanted.key_signatures.map(\.tick))
    #expect(file.keySignatures.map(name) == wanted.key_signatures.map(\.name))
    #expect(file.tracks.map { $0.name ?? "" } == wanted.names)
    // Written by us, and read again, it is the same.
    #expect(try read(file.write()).file == file)
  }

  @Test func thereAreFixtures() { #expect(Self.facts.count == 11) }
}
