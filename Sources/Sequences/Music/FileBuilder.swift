import Memory

/// Collects events into a file: of one track, or, where parts are introduced by their programs, of a track for each and
/// one before them.
public struct FileBuilder {
  /// The first track.
  private let events = MIDIEvents.Store()
  /// Those of parts, each with the channel and the program it has.
  private var parts: [(events: MIDIEvents.Store, channel: Int, program: Int)] = []
  private var tick = 0
  private let ticksPerQuarter: Int

  public init(ticksPerQuarter: Int, tempo: Double, program: Int) throws(OutOfMemory) {
    self.ticksPerQuarter = ticksPerQuarter
    let micros = Int((60_000_000 / max(4, min(tempo, 1000))).rounded())
    let bytes = [UInt8(micros >> 16 & 0xFF), UInt8(micros >> 8 & 0xFF), UInt8(micros & 0xFF)]
    try events.append(MIDIEvent(tick: 0, .meta(type: MIDIMeta.tempo, bytes)))
    if program != 0 {
      try events.append(
        MIDIEvent(tick: 0, .channel(status: 0xC0, UInt8(max(0, min(program, 127))), 0)))
    }
  }

  public mutating func add(_ event: MusicEvent) throws(OutOfMemory) {
    tick += event.delta
    switch event.kind {
    case .noteOn, .noteOff:
      let status: UInt8 = (event.kind == .noteOn ? 0x90 : 0x80) | UInt8(event.channel)
      let part = parts.first { $0.channel == event.channel }
      try (part?.events ?? events).append(
        MIDIEvent(
          tick: tick, .channel(status: status, UInt8(event.pitch), UInt8(event.velocity))))
    case .program: try introduce(event.channel, event.pitch)
    case .timeSignature:
      let power = max(0, event.velocity.trailingZeroBitCount)
      let bytes = [UInt8(event.pitch), UInt8(power), 24, 8]
      try events.append(MIDIEvent(tick: tick, .meta(type: MIDIMeta.timeSignature, bytes)))
    case .time, .end: break
    }
  }

  /// The file of what was added, and the end of it: nothing can be added afterwards.
  public consuming func finish() throws(OutOfMemory) -> MIDIFile {
    let tracks = MIDITracks(events)
    try tracks.endTrack(at: tick)
    for part in parts {
      try MIDIEvents(part.events, 0..<part.events.records.count).append(to: events)
      try tracks.endTrack(at: tick)
    }
    return MIDIFile(
      format: parts.isEmpty ? 0 : 1, division: .metrical(ticksPerQuarter: ticksPerQuarter),
      tracks: tracks)
  }

  /// A part plays on a channel from here on; at the first time it gets a track.
  private mutating func introduce(_ channel: Int, _ program: Int) throws(OutOfMemory) {
    let place = parts.firstIndex { $0.channel == channel } ?? parts.count
    if place == parts.count {
      let store = MIDIEvents.Store()
      let title = Instrument.title(of: channel == drumChannel ? Instrument.drums : program)
      try store.append(MIDIEvent(tick: 0, .meta(type: MIDIMeta.trackName, Array(title.utf8))))
      parts.append((store, channel, -1))
    }
    guard parts[place].program != program else { return }
    parts[place].program = program
    let status = 0xC0 | UInt8(channel)
    try parts[place].events.append(
      MIDIEvent(tick: tick, .channel(status: status, UInt8(min(program, 127)), 0)))
  }
}
