/// How the notes of a file are played, beside their pitches and times: what music that continues the
/// file should keep.
public struct MIDICharacter: Equatable, Sendable {
  /// Quarter notes per minute where the first note begins; 120 unless the file says otherwise.
  public var tempo: Double
  /// The program that most of the notes are played with, 0 to 127 (General MIDI 1, sound set).
  public var program: Int
  /// The mean velocity of the notes, 1 to 127; 0 if there are no notes.
  public var velocity: Int

  /// The character of some of a file's notes, in the order of their starts.
  public init(_ file: MIDIFile, notes: [MIDINote]) {
    let start = notes.first?.start ?? 0
    let changes = file.tempoMap.changes
    let change = changes.last { $0.tick <= start } ?? changes[0]
    tempo = 60e6 / Double(change.microsecondsPerQuarter)
    program = Self.program(file, notes)
    let sum = notes.reduce(0) { $0 + $1.velocity }
    velocity = notes.isEmpty ? 0 : (sum + notes.count / 2) / notes.count
  }

  /// The character of the pitched notes of a file, or of its drums if it has no others.
  public init(_ file: MIDIFile) {
    let notes = file.notes()
    let pitched = notes.filter { $0.channel != drumChannel }
    self.init(file, notes: pitched.isEmpty ? notes : pitched)
  }

  /// A program change holds for its channel from its tick on, in whichever track it stands (SMF 1.0:
  /// the tracks of a file are played together). Notes before the first have program 0.
  private static func program(_ file: MIDIFile, _ notes: [MIDINote]) -> Int {
    var changes: [(tick: Int, channel: Int, program: Int)] = []
    for (track, start) in zip(file.tracks, file.trackStarts) {
      for record in track.events.records
      where record.kind == .channel && record.status & 0xF0 == 0xC0 {
        changes.append((start &+ record.tick, Int(record.status & 15), Int(record.first & 127)))
      }
    }
    guard !changes.isEmpty else { return 0 }
    changes.sort { $0.tick < $1.tick }
    var current = [Int](repeating: 0, count: 16)
    var votes = [Int](repeating: 0, count: 128)
    var next = 0
    for note in notes {
      while next < changes.count && changes[next].tick <= note.start {
        current[changes[next].channel] = changes[next].program
        next += 1
      }
      votes[current[note.channel]] += 1
    }
    return votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) } ?? 0
  }
}
