import Sequences

/// Makes a file of tokens as they are drawn.
struct MusicRecorder {
  private let reader: MusicReader
  private let primer: Primer?
  private let plan: PartsPlan?
  let ticksPerQuarter: Int
  private let timing: MusicTiming
  private let ticksPerStep: Int?
  private var events: [MIDIEvent] = []
  /// Those of parts, which have tracks of their own.
  private var parts: [(channel: Int, name: String, events: [MIDIEvent])] = []
  /// Ticks of the encoding.
  private(set) var tick = 0
  private(set) var isOver = false
  /// The tick that nothing comes after.
  private var end = Int.max
  /// Notes that sound, each a channel and a pitch.
  private var sounding = Set<Int>()
  /// Time signatures, which are no news if they say what holds.
  private var timeSignature: (Int, Int)?

  var isSounding: Bool { !sounding.isEmpty }
  var seconds: Double { timing.seconds(tick) }

  init(
    _ encoding: any MusicEncoding, _ timing: MusicTiming, program: Int, key: MIDIKeySignature?,
    primer: Primer?, plan: PartsPlan?
  ) throws {
    reader = try encoding.makeReader()
    self.primer = primer
    self.plan = plan
    plan?.want(of: reader.grammar)
    ticksPerQuarter = encoding.ticksPerQuarter
    self.timing = timing
    ticksPerStep = encoding.hasBars ? encoding.ticksPerQuarter / encoding.stepsPerQuarter : nil
    let micros = timing.microsecondsPerQuarter
    let bytes = [16, 8, 0].map { UInt8(truncatingIfNeeded: micros >> $0) }
    events.append(MIDIEvent(tick: 0, .meta(type: 0x51, bytes)))
    if let key {
      let sharps = UInt8(bitPattern: Int8(key.sharps))
      events.append(MIDIEvent(tick: 0, .meta(type: 0x59, [sharps, key.isMinor ? 1 : 0])))
    }
    guard !encoding.hasOrders else { return }
    let channel = UInt8(encoding.channel)
    events.append(MIDIEvent(tick: 0, .channel(status: 0xC0 | channel, UInt8(program), 0)))
  }

  mutating func take(_ token: Int32) {
    guard !isOver else { return }
    reader.take(token, .drawn)
    while let event = reader.decoder.next() { add(event) }
  }

  /// Lets nothing come after a tick.
  mutating func limit(to tick: Int) { end = tick }

  /// Ends all notes, and the piece at its limit if it has one.
  mutating func finish() {
    if end < Int.max { tick = end }
    for note in sounding.sorted() { append(0x80, note >> 7, note & 127, 64) }
    sounding = []
    isOver = true
  }

  private mutating func add(_ event: MusicEvent) {
    tick = min(tick + event.delta, end)
    let note = event.channel << 7 | event.pitch
    switch event.kind {
    case .noteOn:
      guard tick < end else { return }
      sounding.insert(note)
      append(0x90, event.channel, event.pitch, velocity(event))
    case .noteOff:
      guard sounding.remove(note) != nil else { return }
      append(0x80, event.channel, event.pitch, 64)
    case .timeSignature:
      guard timeSignature ?? (0, 0) != (event.pitch, event.velocity) else { return }
      timeSignature = (event.pitch, event.velocity)
      let power = UInt8(clamping: event.velocity.trailingZeroBitCount)
      events.append(
        MIDIEvent(
          tick: timing.place(tick), .meta(type: 0x58, [UInt8(clamping: event.pitch), power, 24, 8]))
      )
    case .program: introduce(event)
    case .time: break
    case .end: isOver = true
    }
  }

  private mutating func append(_ kind: UInt8, _ channel: Int, _ pitch: Int, _ velocity: Int) {
    let event = MIDIEvent(
      tick: timing.place(tick),
      .channel(
        status: kind | UInt8(channel & 15), UInt8(clamping: pitch), UInt8(clamping: velocity)))
    if let part = parts.firstIndex(where: { $0.channel == channel }) {
      parts[part].events.append(event)
    } else {
      events.append(event)
    }
  }

  /// A part gets a track, with its program and a name.
  private mutating func introduce(_ event: MusicEvent) {
    let drums = event.channel == GeneralMIDI.drumChannel
    let title = Instrument.title(of: drums ? Instrument.drums : event.pitch)
    let same = parts.count { $0.name == title || $0.name.hasPrefix(title + " ") }
    let names = plan?.names ?? []
    let wanted = names.indices.contains(parts.count) ? names[parts.count] : nil
    let name = wanted ?? (same == 0 ? title : "\(title) \(same + 1)")
    let program = UInt8(clamping: event.pitch)
    parts.append(
      (
        event.channel, name,
        [
          MIDIEvent(tick: 0, .meta(type: 0x03, Array(name.utf8))),
          MIDIEvent(
            tick: timing.place(tick), .channel(status: 0xC0 | UInt8(event.channel), program, 0)),
        ]
      ))
  }

  /// A grid knows no velocities: they are the primer's.
  private func velocity(_ event: MusicEvent) -> Int {
    guard let primer, let ticksPerStep, parts.isEmpty else { return event.velocity }
    return primer.velocity(step: tick / ticksPerStep, pitch: event.pitch)
  }

  var file: MIDIFile {
    let end = timing.place(tick)
    return MIDIFile(
      format: parts.isEmpty ? 0 : 1, division: .metrical(ticksPerQuarter: timing.ticksPerQuarter),
      tracks: ([events] + parts.map(\.events)).map { MIDIFile.Track(events: $0, end: end) })
  }
}

/// From the ticks of an encoding to those of a file, and to seconds.
///
/// On a grid they are the same, and the tempo says how fast it goes. A performance has its own time,
/// that of the primer or else of what was learned, where a tick is a 500th of a quarter note at 120 a
/// minute; it is written at the primer's tempo so as to last as long, and another tempo stretches it.
struct MusicTiming {
  let ticksPerQuarter: Int
  let microsecondsPerQuarter: Int
  /// Ticks of the file to one of the encoding.
  private let scale: Double

  init(_ encoding: any MusicEncoding, tempo: Double?, primer: Primer?) {
    let usual = 120.0
    var natural = primer?.character.tempo ?? usual
    if encoding.hasBars {
      ticksPerQuarter = encoding.ticksPerQuarter
      scale = 1
    } else {
      // About a millisecond to a tick, at any tempo.
      natural = min(natural, 1000)
      let perMinute = usual * Double(encoding.ticksPerQuarter)
      ticksPerQuarter = Int((perMinute / natural).rounded())
      scale = Double(ticksPerQuarter) * natural / perMinute
    }
    microsecondsPerQuarter = max(1, min(Int((60e6 / (tempo ?? natural)).rounded()), 0xFF_FFFF))
  }

  private var secondsPerTick: Double {
    scale * Double(microsecondsPerQuarter) / (1e6 * Double(ticksPerQuarter))
  }

  /// The tick of the file.
  func place(_ tick: Int) -> Int { Int((Double(tick) * scale).rounded()) }
  func seconds(_ tick: Int) -> Double { Double(tick) * secondsPerTick }
  func tick(_ seconds: Double) -> Int { Int((seconds / secondsPerTick).rounded()) }
}
