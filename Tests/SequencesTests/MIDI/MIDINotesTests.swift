import Sequences
import TestSupport
import Testing

@Suite struct MIDINotesTests {
  private typealias Make = MIDIMaterial

  private typealias Event = MIDIMaterial.Event

  private func file(format: Int = 1, end: Int = 0, _ tracks: [[Event]]) -> MIDIFile {
    Make.file(format: format, end: end, tracks)
  }

  @Test func aNoteOffEndsTheLongestSoundingNoteOfItsKey() {
    let notes = file([
      [
        (0, 0x90, 60, 1), (1, 0x90, 60, 2), (2, 0x91, 60, 3), (3, 0x90, 61, 4), (4, 0x90, 60, 5),
        (10, 0x80, 60, 0), (20, 0x90, 60, 0), (30, 0x80, 60, 0), (40, 0x91, 60, 0),
        (50, 0x80, 61, 0),
      ]
    ]).notes()
    #expect(
      notes.map(\.facts) == [
        [0, 10, 0, 60, 1], [1, 19, 0, 60, 2], [2, 38, 1, 60, 3], [3, 47, 0, 61, 4],
        [4, 26, 0, 60, 5],
      ])
  }

  @Test func notesThatNothingEndsLastToTheEndOfTheirTrack() {
    let notes = file(
      end: 100,
      [
        [(5, 0x80, 60, 0), (10, 0x90, 60, 1), (20, 0x90, 60, 2), (25, 0x80, 60, 0)],
        [(10, 0x80, 60, 0), (30, 0x90, 60, 3), (130, 0x90, 99, 1)],
      ]
    ).notes()
    #expect(
      notes.map(\.facts) == [
        [10, 15, 0, 60, 1], [20, 5, 0, 60, 2], [30, 100, 0, 60, 3], [130, 0, 0, 99, 1],
      ])
    #expect(notes.map(\.track) == [0, 0, 1, 1])
  }

  @Test func otherMessagesAreNoNotes() {
    let notes = file([
      [(0, 0xA0, 60, 1), (0, 0xB0, 60, 1), (0, 0xC0, 60, 0), (0, 0xD0, 60, 0), (0, 0xE0, 60, 1)]
    ]).notes()
    #expect(notes.isEmpty)
  }

  @Test func inFormat2EachTrackBeginsWhereTheOneBeforeEnds() {
    let tracks: [[Event]] = [
      [(10, 0x90, 60, 1), (20, 0x80, 60, 0)], [], [(10, 0x90, 60, 1), (200, 0x80, 60, 0)],
      [(10, 0x90, 60, 1)],
    ]
    #expect(file(format: 2, end: 100, tracks).notes().map(\.start) == [10, 210, 410])
    #expect(file(format: 2, end: 100, tracks).notes().map(\.duration) == [10, 190, 90])
    #expect(file(format: 2, end: 100, tracks).end == 500)
    #expect(file(format: 1, end: 100, tracks).notes().map(\.start) == [10, 10, 10])
    #expect(file(format: 1, end: 100, tracks).end == 200)
  }

  @Test func theOrderIsStartChannelPitchTrack() {
    var random = SplitMix(5)
    for round in 0..<200 {
      // Chords of any size in any order, in any number of tracks.
      let size = [1, 3, 10, 100, 1000][round % 5]
      let spread = [1, 4, 1000][round % 3]
      var tracks: [[Event]] = []
      for _ in 0..<Int(random.next() % 7) {
        var tick = 0
        tracks.append(
          (0..<Int(random.next() % UInt64(2 * size))).map { _ in
            tick += random.next() % 4 == 0 ? Int(random.next() % UInt64(spread)) : 0
            return (tick, 0x90 | UInt8(random.next() % 3), UInt8(random.next() % 128), 64)
          })
      }
      let notes = file(tracks).notes()
      let wanted = tracks.enumerated().flatMap { number, track in
        track.map { [$0.0, Int($0.1 & 15), Int($0.2), number] }
      }.sorted { $0.lexicographicallyPrecedes($1) }
      #expect(notes.map { [$0.start, $0.channel, $0.pitch, $0.track] } == wanted)
    }
  }

  @Test func theSustainPedalLengthensNotes() {
    let played = file(
      end: 100,
      [
        [
          (0, 0x90, 60, 1), (1, 0x91, 60, 2), (2, 0x90, 64, 3),
          (5, 0xB0, 64, 64), (6, 0xB0, 64, 64),
          (10, 0x80, 60, 0), (10, 0x81, 60, 0),  // the first is held, the second of another channel
          (20, 0x90, 60, 4), (21, 0x80, 60, 0),  // struck again
          (30, 0x90, 67, 5), (40, 0x80, 64, 0), (50, 0xB0, 64, 63),  // the pedal is lifted
          (60, 0x80, 67, 0),  // its key was still down
          (70, 0xB0, 64, 100), (75, 0x90, 72, 6), (76, 0x80, 72, 0),  // to the end of the file
        ],
        // Another track of the same channel.
        [(0, 0x90, 60, 7), (15, 0x80, 60, 0), (80, 0x90, 1, 1), (81, 0x80, 1, 0)],
      ])
    func durations(_ notes: [MIDINote]) -> [[Int]] { notes.map { [$0.start, $0.duration] } }
    #expect(
      durations(played.notes()) == [
        [0, 10], [0, 15], [1, 9], [2, 38], [20, 1], [30, 30], [75, 1], [80, 1],
      ])
    #expect(
      durations(played.notes(sustain: true)) == [
        [0, 20], [0, 20], [1, 9], [2, 48], [20, 30], [30, 30], [75, 25], [80, 20],
      ])
  }

  @Test func overlappingNotesOfAKeyUnderThePedal() {
    let played = file([
      [
        (0, 0xB0, 64, 127), (0, 0x90, 60, 1), (10, 0x90, 60, 2), (20, 0x80, 60, 0),
        (30, 0x80, 60, 0), (40, 0xB0, 64, 0), (50, 0x90, 60, 3), (60, 0x80, 60, 0),
      ]
    ])
    #expect(played.notes(sustain: true).map(\.duration) == [40, 30, 10])
  }

  @Test func pedalsNeverShortenOrAddNotes() {
    var random = SplitMix(6)
    for _ in 0..<300 {
      let file = Make.any(&random)
      let plain = file.notes()
      let held = file.notes(sustain: true)
      #expect(plain.count == held.count)
      for (a, b) in zip(plain, held) {
        #expect(a.start == b.start && a.pitch == b.pitch && a.velocity == b.velocity)
        #expect(a.duration <= b.duration && b.end <= file.end)
      }
    }
  }

  @Test func itsFieldsKeepTheirRanges() {
    var note = MIDINote(
      start: 1, duration: 2, channel: 99, pitch: -1, velocity: 0, track: 1 << 40)
    #expect(note.facts == [1, 2, 15, 0, 1] && note.track == Int(Int32.max))
    (note.channel, note.pitch, note.velocity, note.track) = (3, 200, 500, 7)
    #expect(note.facts == [1, 2, 3, 127, 127] && note.track == 7 && note.end == 3)
    note.channel = 4
    note.pitch = 5
    #expect(note.channel == 4 && note.pitch == 5)
  }
}
