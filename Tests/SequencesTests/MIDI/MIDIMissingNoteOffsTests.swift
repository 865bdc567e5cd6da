import Sequences
import TestSupport
import Testing

/// Files in which note-offs are missing, and those whose notes a controller ends.
@Suite struct MIDIMissingNoteOffsTests {
  private typealias Make = MIDIMaterial
  private typealias Event = MIDIMaterial.Event

  private func notes(_ tracks: [Event]..., end: Int = 0) -> [[Int]] {
    Make.file(end: end, tracks).notes().map { [$0.start, $0.duration] }
  }

  @Test func theNotesAfterItKeepTheirLengths() {
    let scale = (0..<8).flatMap { i -> [Event] in
      [(192 + 96 * i, 0x90, 60, 80), (240 + 96 * i, 0x80, 60, 64)]
    }
    let lengths = (0..<8).map { [192 + 96 * $0, 48] }
    #expect(
      notes([(0, 0x90, 60, 90), (96, 0x90, 60, 90), (192, 0x80, 60, 64)] + scale)
        == [[0, 192], [96, 96]] + lengths)
    // Struck twice and released once, again and again.
    let doubled = (0..<9).flatMap { i -> [Event] in
      [(96 * i, 0x90, 60, 80), (96 * i, 0x90, 60, 70), (96 * i + 48, 0x80, 60, 64)]
    }
    let lengthsOfDoubled = (0..<18).map { [96 * ($0 / 2), 48] }
    #expect(notes(doubled) == lengthsOfDoubled)
    // Never released: to the next stroke.
    let struck = (0..<9).map { i -> Event in (96 * i, 0x90, 60, 80) }
    let lengthsOfStruck = (0..<9).map { [96 * $0, $0 < 8 ? 96 : 132] }
    #expect(notes(struck, end: 900) == lengthsOfStruck)
  }

  /// Whatever note-offs are left out, notes whose note-off is there keep their lengths, and the others
  /// are over when their key is played next.
  @Test func noNoteOffLeftOutChangesAnotherNote() {
    var random = SplitMix(16)
    for round in 0..<300 {
      var events: [Event] = []
      /// Start, length, key and whether it keeps its note-off.
      var wanted: [(start: Int, duration: Int, key: Int, isWhole: Bool)] = []
      for key in 60..<64 {
        var tick = Int(random.next() % 50)
        for _ in 0..<Int(random.next() % 20) {
          let duration = 1 + Int(random.next() % 40)
          let isWhole = random.next() % 4 != 0
          wanted.append((tick, duration, key, isWhole))
          events.append((tick, 0x90, UInt8(key), 1 + UInt8(random.next() % 127)))
          if isWhole {
            events.append((tick + duration, round % 2 == 0 ? 0x80 : 0x90, UInt8(key), 0))
          }
          tick += duration + Int(random.next() % 3)
        }
      }
      // Note-offs come first, as they do in files of their kind.
      events.sort {
        ($0.0, $0.1 == 0x80 || $0.3 == 0 ? 0 : 1) < ($1.0, $1.1 == 0x80 || $1.3 == 0 ? 0 : 1)
      }
      let file = Make.file(end: 2000, [events])
      let notes = file.notes()
      #expect(notes.count == wanted.count)
      for (i, note) in wanted.enumerated() {
        let found = notes.filter { $0.start == note.start && $0.pitch == note.key }
        #expect(found.count == 1)
        if note.isWhole { #expect(found[0].duration == note.duration, "round \(round), note \(i)") }
        let next = wanted[(i + 1)...].first { $0.key == note.key }
        #expect(found[0].end <= next.map { $0.start + $0.duration } ?? 2000)
      }
    }
  }

  @Test func notesOfAKeyThatOverlapAreNoDamage() {
    #expect(
      notes([
        (0, 0x90, 60, 1), (10, 0x90, 60, 2), (20, 0x80, 60, 0), (25, 0x90, 60, 3),
        (30, 0x80, 60, 0), (40, 0x80, 60, 0),
      ]) == [[0, 20], [10, 20], [25, 15]])
    // Nor are those that stand in several tracks.
    #expect(
      notes(
        [(0, 0x90, 60, 1), (30, 0x80, 60, 0)], [(10, 0x90, 60, 2), (20, 0x80, 60, 0)])
        == [[0, 30], [10, 10]])
  }

  @Test(arguments: [120, 123, 124, 125, 126, 127] as [UInt8])
  func controllersEndTheNotesOfTheirChannel(controller: UInt8) {
    let other: [Event] = [
      (0, 0x90, 72, 1), (0, 0x91, 72, 1), (200, 0x80, 72, 0), (200, 0x81, 72, 0),
    ]
    #expect(
      notes([
        (0, 0x90, 60, 90), (96, 0xB0, controller, 0), (96, 0x90, 60, 80), (144, 0x80, 60, 64),
      ]) == [[0, 96], [96, 48]])
    // In all tracks, but for what begins then; a later note-off finds nothing more to end.
    #expect(
      notes(
        [(96, 0xB0, controller, 0)], other,
        [(96, 0x90, 60, 1), (100, 0x90, 72, 1), (150, 0x80, 72, 0), (160, 0x80, 60, 0)])
        == [[0, 96], [0, 200], [96, 64], [100, 50]])
    // Also if nothing else comes after.
    #expect(notes([(0, 0x90, 60, 1)], [(50, 0xB0, controller, 0)], end: 99) == [[0, 50]])
  }

  @Test func otherControllersEndNothing() {
    for controller in [64, 119, 121, 122] as [UInt8] {
      #expect(
        notes([(0, 0x90, 60, 1), (5, 0xB0, controller, 0), (9, 0x80, 60, 0)]) == [[0, 9]])
    }
  }

  @Test func inFormat2TracksDoNotEndEachOthersNotes() {
    let tracks: [[Event]] = [
      [(5, 0x90, 60, 1), (20, 0xB0, 64, 127)],
      [(0, 0x90, 60, 1), (5, 0x80, 60, 0), (9, 0xB0, 120, 0)],
      [(0, 0x90, 60, 1)],
    ]
    for sustain in [false, true] {
      let notes = Make.file(format: 2, end: 50, tracks).notes(sustain: sustain)
      #expect(notes.map { [$0.start, $0.duration] } == [[5, 45], [50, 5], [100, 50]])
    }
  }

  @Test func whatIsMendedIsTold() throws {
    func warnings(_ track: [UInt8]) throws -> [MIDIWarning] {
      try read(Make.file(track + Make.end), checkingNotes: true).warnings
    }
    let missing = try warnings([0, 0x93, 60, 1, 9, 60, 1, 9, 60, 0])
    #expect(missing.map(\.offset) == [14])
    #expect(
      missing.first?.message
        == "notes without a note-off in track 1: 1; the first (pitch 60, channel 3) begins at tick 0 and is ended at tick 18"
    )
    let cut = try warnings([0, 0x90, 60, 1, 0, 61, 1, 9, 0xB0, 123, 0, 9, 0x90, 60, 1, 9, 60, 0])
    #expect(cut.map(\.offset) == [14])
    #expect(cut.first?.message.contains("All Notes Off") == true)
    #expect(cut.first?.message.contains("track 1: 2;") == true)
    #expect(try warnings([0, 0x90, 60, 1, 9, 60, 0, 0, 0xB0, 123, 0]).isEmpty)
  }
}
