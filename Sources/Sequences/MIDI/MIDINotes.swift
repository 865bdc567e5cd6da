import Memory

extension MIDIFile {
  /// The notes of all tracks by start, then channel, then pitch, and of equals by track and place in
  /// it.
  ///
  /// Notes are paired within a track: a note-off ends the longest sounding note of its channel and
  /// pitch. A note-off that ends none does nothing; a note-on of velocity 0 is a note-off. In format 2
  /// each track begins where the one before ends. O(events + notes log tracks).
  ///
  /// Note-offs may be missing. Where a key gets fewer of them than note-ons, the notes without one are
  /// those after which the key never falls silent: as with unmatched brackets. Such a note ends at the
  /// next note-off of its key, which ends another note as well, at the next note-on without a note-off,
  /// or at the end of its track.
  ///
  /// All Sound Off, All Notes Off and the changes of mode (controllers 120 and 123 to 127) end the
  /// notes of their channel, in every track, that began before them.
  ///
  /// - `sustain`: whether the sustain pedal (controller 64, down from 64 on) lengthens the notes of its
  ///   channel, in every track: while it is down, a note released sounds until the pedal is lifted, its
  ///   key is struck again, or the file ends (in format 2, the track). Controller 121 lifts the pedal,
  ///   120 ends also what it holds.
  public func pairedNotes(sustain: Bool = false) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let counts = MIDICounts(self)
    let notes = try GrowableBuffer<MIDINote>(repeating: .none, count: counts.notes)
    guard counts.notes > 0 else { return notes }
    let controls = try MIDIChannelControls(self, count: counts.controls)
    var pairing = try MIDINotePairing(notes, controls)
    try pairing.add(self) { _, _ in }
    try notes.sortByStart()
    if sustain { try controls.sustain(notes) }
    return notes
  }

  /// Hands on what has to be mended in the notes of each track.
  func mendedNotes(
    _ each: (_ track: Int, MIDINotePairing.Mended) -> Void
  ) throws(OutOfMemory) {
    let counts = MIDICounts(self)
    guard counts.notes > 0 else { return }
    let notes = try GrowableBuffer<MIDINote>(repeating: .none, count: counts.notes)
    let controls = try MIDIChannelControls(self, count: counts.controls)
    var pairing = try MIDINotePairing(notes, controls)
    try pairing.add(self, each)
  }

  /// How many notes begin in the file.
  public var noteCount: Int { MIDICounts(self).notes }
}

/// How many notes begin in a file, and how many control changes there are that act on notes.
private struct MIDICounts {
  private(set) var notes = 0
  private(set) var controls = 0

  init(_ file: MIDIFile) {
    for track in file.tracks {
      track.events.withRecords { records in
        for record in records {
          notes &+= record.notesBegun
          controls &+= record.actsOnNotes ? 1 : 0
        }
      }
    }
  }
}

extension MIDIEvents.Record {
  /// 1 for a note-on, otherwise 0; without a branch, which would be mispredicted.
  @inline(__always)
  fileprivate var notesBegun: Int {
    let differs = (status & 0xF0 ^ 0x90) | kind.rawValue
    return (differs == 0 ? 1 : 0) & (second != 0 ? 1 : 0)
  }

  /// Whether it is the sustain pedal or a channel mode message.
  @inline(__always)
  var actsOnNotes: Bool {
    kind == .channel && status & 0xF0 == 0xB0 && (first == 64 || first >= 120)
  }
}
