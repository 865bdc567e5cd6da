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
    let programs = try ProgramVotes(file)
    let changes = try MIDITempoMap(file).changes
    var change = changes[0]
    var (sum, count) = (0, 0)
    for note in notes {
      if count == 0 { change = changes.last { $0.tick <= note.start } ?? change }
      programs.vote(note)
      sum += note.velocity
      count += 1
    }
    tempo = 60e6 / Double(change.microsecondsPerQuarter)
    program = programs.winner
    velocity = count == 0 ? 0 : (sum + count / 2) / count
  }

  /// The character of the pitched notes of a file, or of its drums if it has no others.
  public init(_ file: MIDIFile) throws(OutOfMemory) {
    let notes = try file.pairedNotes()
    let isPitched = notes.contains { $0.channel != drumChannel }
    try self.init(file, notes: notes.lazy.filter { !isPitched || $0.channel != drumChannel })
  }
}

/// Counts notes by the programs they are played with. A program change holds for its channel from its tick
/// on, in whichever track it stands (SMF 1.0: the tracks of a file are played together). Notes before the
/// first have program 0.
private final class ProgramVotes {
  private struct Change: BitwiseCopyable {
    var tick, channel, program: Int
  }

  private let changes = GrowableBuffer<Change>()
  private var next = 0
  private var current = [Int](repeating: 0, count: 16)
  private var votes = [Int](repeating: 0, count: 128)

  init(_ file: MIDIFile) throws(OutOfMemory) {
    try file.forEachTrack { (track, _, start) throws(OutOfMemory) in
      try track.events.withRecords { (records) throws(OutOfMemory) in
        for record in records where record.kind == .channel && record.status & 0xF0 == 0xC0 {
          try changes.append(
            Change(
              tick: start &+ record.tick, channel: Int(record.status & 15),
              program: Int(record.first & 127)))
        }
      }
    }
    try changes.sort { $0.tick < $1.tick }
  }

  func vote(_ note: MIDINote) {
    while next < changes.count && changes[next].tick <= note.start {
      current[changes[next].channel] = changes[next].program
      next += 1
    }
    votes[current[note.channel]] += 1
  }

  var winner: Int { votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) } ?? 0 }
}
