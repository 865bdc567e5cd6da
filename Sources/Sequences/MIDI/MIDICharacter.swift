import Memory

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
  public init(_ file: MIDIFile, notes: some Sequence<MIDINote>) throws(OutOfMemory) {
    let programs = try MIDIPrograms(file)
    var votes = [Int](repeating: 0, count: 128)
    let changes = try MIDITempoMap(file).changes
    var change = changes[0]
    var (sum, count) = (0, 0)
    for note in notes {
      if count == 0 { change = changes.last { $0.tick <= note.start } ?? change }
      votes[programs.program(of: note)] += 1
      sum += note.velocity
      count += 1
    }
    tempo = 60e6 / Double(change.microsecondsPerQuarter)
    program = votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) } ?? 0
    velocity = count == 0 ? 0 : (sum + count / 2) / count
  }

  /// The character of the pitched notes of a file, or of its drums if it has no others.
  public init(_ file: MIDIFile) throws(OutOfMemory) {
    let notes = try file.pairedNotes()
    let isPitched = notes.contains { $0.channel != drumChannel }
    try self.init(file, notes: notes.lazy.filter { !isPitched || $0.channel != drumChannel })
  }
}
