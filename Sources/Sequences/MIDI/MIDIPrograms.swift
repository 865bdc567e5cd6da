import Memory

/// The programs that notes are played with. A program change holds for its channel from its tick on, in whichever track
/// it stands (SMF 1.0: the tracks of a file are played together). Notes before the first have program 0.
struct MIDIPrograms {
  private struct Change: BitwiseCopyable {
    var track, channel, tick, program: Int
  }

  /// By channel and tick, and by track, channel and tick.
  private let ofChannels, ofTracks: GrowableBuffer<Change>

  init(_ file: MIDIFile) throws(OutOfMemory) {
    ofChannels = GrowableBuffer()
    ofTracks = GrowableBuffer()
    try file.forEachTrack { (track, number, start) throws(OutOfMemory) in
      try track.events.withRecords { (records) throws(OutOfMemory) in
        for record in records where record.kind == .channel && record.status & 0xF0 == 0xC0 {
          try ofChannels.append(
            Change(
              track: number, channel: Int(record.status & 15), tick: start &+ record.tick,
              program: Int(record.first & 127)))
        }
      }
    }
    try ofTracks.append(contentsOf: ofChannels.elements)
    try ofChannels.sort { ($0.channel, $0.tick) < ($1.channel, $1.tick) }
    try ofTracks.sort { ($0.track, $0.channel, $0.tick) < ($1.track, $1.channel, $1.tick) }
  }

  /// What a note is played with.
  func program(of note: MIDINote) -> Int { program(of: note, ofChannels, inTrack: false) ?? 0 }

  /// The same, but a program change in the note's own track comes first: files with many tracks on one channel mean it so.
  func programInTrack(of note: MIDINote) -> Int {
    program(of: note, ofTracks, inTrack: true) ?? program(of: note)
  }

  /// The last of these changes for a note's channel that is not after it.
  private func program(
    of note: MIDINote, _ changes: GrowableBuffer<Change>, inTrack: Bool
  ) -> Int? {
    let track = inTrack ? note.track : 0
    var (low, high) = (0, changes.count)
    while low < high {
      let middle = (low + high) / 2
      let change = changes[middle]
      let place = (inTrack ? change.track : 0, change.channel, change.tick)
      if place <= (track, note.channel, note.start) { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    let change = changes[low - 1]
    return change.channel == note.channel && (!inTrack || change.track == note.track)
      ? change.program : nil
  }
}
