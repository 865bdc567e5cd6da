/// The notes a host was given and has not been told the end of. It keeps note-ons and note-offs in
/// pairs for the host, however the sequence goes on: where tokens are drawn whose events nobody
/// takes, and where a session goes back to an earlier state. It belongs to the host's time, not to
/// the sequence, so it is not part of a snapshot. None of its calls allocates.
public struct SoundingNotes {
  /// By channel: the notes that sound, and those of them that are over in the sequence already.
  private var sounding = InlineArray<16, PitchSet>(repeating: PitchSet())
  private var overdue = InlineArray<16, PitchSet>(repeating: PitchSet())
  private var overdueCount = 0

  public init() {}

  public var count: Int {
    var count = 0
    for channel in 0..<16 { count += sounding[channel].count }
    return count
  }

  /// A note-off for each note that sounds.
  public func forEach(_ body: (MusicEvent) -> Void) {
    for channel in 0..<16 where !sounding[channel].isEmpty {
      for pitch in 0..<128 where sounding[channel][pitch] {
        body(MusicEvent(delta: 0, .noteOff, channel: channel, pitch: pitch))
      }
    }
  }

  /// The end of a note that is over in the sequence: it comes before any other event.
  public mutating func nextOverdue() -> MusicEvent? {
    guard overdueCount > 0 else { return nil }
    for channel in 0..<16 where !overdue[channel].isEmpty {
      let pitch = overdue[channel].highest
      overdue[channel][pitch] = false
      sounding[channel][pitch] = false
      overdueCount -= 1
      return MusicEvent(delta: 0, .noteOff, channel: channel, pitch: pitch)
    }
    return nil
  }

  /// What the host is given for an event: the event itself, or, for the end of a note it was not
  /// given, the time that passes until then, if any does. There must be no overdue note.
  public mutating func handOut(_ event: MusicEvent) -> MusicEvent? {
    switch event.kind {
    case .noteOn: sounding[event.channel][event.pitch] = true
    case .noteOff where sounding[event.channel][event.pitch]:
      sounding[event.channel][event.pitch] = false
    case .noteOff: return event.delta > 0 ? MusicEvent(delta: event.delta, .time) : nil
    case .time, .timeSignature, .end, .program: break
    }
    return event
  }

  /// Takes note of an event that the host will not be given.
  public mutating func skip(_ event: MusicEvent) {
    guard event.kind == .noteOff else { return }
    end(event.channel, event.pitch)
  }

  /// The sequence begins anew or goes on elsewhere: whatever sounds is over.
  public mutating func endAll() {
    overdue = sounding
    overdueCount = count
  }

  /// Counts all notes as ended: the host ended them itself.
  public mutating func forget() { self = SoundingNotes() }

  private mutating func end(_ channel: Int, _ pitch: Int) {
    guard sounding[channel][pitch], !overdue[channel][pitch] else { return }
    overdue[channel][pitch] = true
    overdueCount += 1
  }
}
