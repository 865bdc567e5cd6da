/// Collects events into a file of one track.
public struct FileBuilder {
  private var events: [MIDIEvent] = []
  private var tick = 0
  private let ticksPerQuarter: Int

  public init(ticksPerQuarter: Int, tempo: Double, program: Int) {
    self.ticksPerQuarter = ticksPerQuarter
    let micros = Int((60_000_000 / max(4, min(tempo, 1000))).rounded())
    events.append(
      MIDIEvent(
        tick: 0,
        .meta(
          type: 0x51, [UInt8(micros >> 16 & 0xFF), UInt8(micros >> 8 & 0xFF), UInt8(micros & 0xFF)])
      ))
    if program != 0 {
      events.append(
        MIDIEvent(tick: 0, .channel(status: 0xC0, UInt8(max(0, min(program, 127))), 0)))
    }
  }

  public mutating func add(_ event: MusicEvent) {
    tick += event.delta
    switch event.kind {
    case .noteOn, .noteOff:
      let status: UInt8 = (event.kind == .noteOn ? 0x90 : 0x80) | UInt8(event.channel)
      events.append(
        MIDIEvent(
          tick: tick, .channel(status: status, UInt8(event.pitch), UInt8(event.velocity))))
    case .metre:
      let power = max(0, event.velocity.trailingZeroBitCount)
      events.append(
        MIDIEvent(
          tick: tick, .meta(type: 0x58, [UInt8(event.pitch), UInt8(power), 24, 8])))
    case .time, .end: break
    }
  }

  public var file: MIDIFile {
    MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: ticksPerQuarter),
      tracks: [MIDIFile.Track(events: events, end: tick)])
  }
}
