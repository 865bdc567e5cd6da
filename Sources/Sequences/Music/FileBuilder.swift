import Memory

/// Collects events into a file of one track.
public struct FileBuilder {
  private let events = MIDIEvents.Store()
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
      try events.append(
        MIDIEvent(
          tick: tick, .channel(status: status, UInt8(event.pitch), UInt8(event.velocity))))
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
    return MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: ticksPerQuarter), tracks: tracks)
  }
}
