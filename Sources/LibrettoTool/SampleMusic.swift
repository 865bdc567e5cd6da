import Libretto
import Sequences

/// Music that a model made, and what was asked for.
struct MusicSample {
  private let encoding: any MusicEncoding
  private let options: MusicOptions
  let file: MIDIFile

  init(
    _ model: Model, _ encoding: any MusicEncoding, _ options: MusicOptions,
    _ settings: SamplerSettings, seed: UInt64
  ) throws {
    self.encoding = encoding
    self.options = options
    var controls = try options.controls(for: encoding)
    var tokens = [encoding.startToken]
    if let prime = options.prime {
      let primer = try readMIDI(prime)
      tokens = try orFail { () throws(LibrettoError) in try model.encode(primer, name: prime) }
      // The end token: the music goes on.
      tokens.removeLast()
    }
    let session = try orFail { () throws(LibrettoError) in
      let session = try Session(model, seed: seed, settings: settings)
      try session.set(controls)
      try tokens.withUnsafeBufferPointer { (b) throws(LibrettoError) in try session.feed(b) }
      return session
    }
    var recorder = MusicRecorder(encoding, options)
    for token in tokens { recorder.take(token) }
    if encoding is any GridEncoding {
      controls.bars = options.bars ?? session.bars + 16
      guard session.bars < controls.bars else {
        throw Failure(
          "the primer has \(session.bars) bars; ask for more than that with --bars", code: 64)
      }
      try Self.play(session, controls, &recorder)
    } else {
      try Self.perform(session, controls, options.seconds ?? 30, &recorder)
    }
    file = recorder.file
  }

  /// Draws tokens up to the end of the last bar.
  private static func play(
    _ session: Session, _ controls: MusicControls, _ recorder: inout MusicRecorder
  ) throws {
    try orFail { () throws(LibrettoError) in
      try session.set(controls)
      while !recorder.isOver { recorder.take(try session.next().token) }
    }
  }

  /// Draws tokens for some seconds, at the tempo learned; after them notes end, and no more begin.
  private static func perform(
    _ session: Session, _ controls: MusicControls, _ seconds: Double,
    _ recorder: inout MusicRecorder
  ) throws {
    let ticksPerSecond = 2 * Double(session.ticksPerQuarter)
    let end = recorder.tick + Int(seconds * ticksPerSecond)
    var controls = controls
    controls.ending = .never
    try orFail { () throws(LibrettoError) in
      try session.set(controls)
      while recorder.tick < end && !recorder.isOver { recorder.take(try session.next().token) }
      // Nothing is in this scale that this range has: no note can begin.
      (controls.lowest, controls.highest, controls.scale) = (0, 0, 1 << 1)
      controls.ending = .anywhere
      try session.set(controls)
      let last = recorder.tick + Int(3 * ticksPerSecond)
      while recorder.tick < last && recorder.isSounding && !recorder.isOver {
        recorder.take(try session.next().token)
      }
    }
    recorder.finish()
  }

  /// Writes the file, shows it, and says how to hear it.
  func write(_ path: String) throws {
    try writeFile(path, file.write())
    let roll = TerminalRoll(
      file, width: Terminal.width, colored: Terminal.isInteractive,
      inSeconds: !(encoding is any GridEncoding))
    Terminal.write(roll.text)
    let facts = MIDIFacts(file)
    let notes = facts.notes.count == 1 ? "1 note" : "\(grouped(facts.notes.count)) notes"
    let bars =
      encoding is any GridEncoding
      ? (facts.barCount == 1 ? "1 bar, " : "\(trimmed(facts.barCount, 2)) bars, ") : ""
    print("\(path): \(bars)\(length(facts.seconds)), \(notes)")
    if facts.notes.isEmpty { print("It is all silence; try another --seed, or more --bars.") }
    Terminal.flush()
    guard let wav = options.wav else {
      print(Listening.advice(path))
      return
    }
    try Listening.render(path, to: wav, soundfont: options.soundfont)
    print("\(wav): the same as sound")
  }
}

/// Makes a file of tokens as they are drawn.
struct MusicRecorder {
  private let player: any TokenPlayer
  private let ticksPerQuarter: Int
  private let endToken: Int32?
  private var events: [MIDIEvent] = []
  private(set) var tick = 0
  private(set) var isOver = false
  /// Notes that sound.
  private var sounding = 0
  /// Time signatures, which are no news if they say what holds.
  private var metre: (Int, Int)?

  var isSounding: Bool { sounding > 0 }

  init(_ encoding: any MusicEncoding, _ options: MusicOptions) {
    player = encoding.makePlayer()
    ticksPerQuarter = encoding.ticksPerQuarter
    endToken = (0..<Int32(encoding.vocabularySize)).first { encoding.name(of: $0) == "END" }
    let micros = min(Int((60e6 / (options.tempo ?? 120)).rounded()), 0xFF_FFFF)
    let bytes = [16, 8, 0].map { UInt8(truncatingIfNeeded: micros >> $0) }
    events.append(MIDIEvent(tick: 0, .meta(type: 0x51, bytes)))
    if let key = options.keySignature {
      let sharps = UInt8(bitPattern: Int8(key.sharps))
      events.append(MIDIEvent(tick: 0, .meta(type: 0x59, [sharps, key.isMinor ? 1 : 0])))
    }
    let channel = UInt8((encoding as? any GridEncoding)?.channel ?? 0)
    events.append(
      MIDIEvent(tick: 0, .channel(status: 0xC0 | channel, UInt8(options.program ?? 0), 0)))
  }

  mutating func take(_ token: Int32) {
    guard !isOver else { return }
    player.take(token, heard: false)
    while let event = player.next() { add(event) }
  }

  /// Ends all notes.
  mutating func finish() {
    if let endToken { take(endToken) }
  }

  private mutating func add(_ event: MusicEvent) {
    tick += event.delta
    let pitch = UInt8(clamping: event.pitch)
    switch event.kind {
    case .noteOn, .noteOff:
      let isOn = event.kind == .noteOn
      sounding += isOn ? 1 : -1
      let status: UInt8 = (isOn ? 0x90 : 0x80) | UInt8(event.channel & 15)
      let velocity = isOn ? UInt8(clamping: event.velocity) : 64
      events.append(MIDIEvent(tick: tick, .channel(status: status, pitch, velocity)))
    case .metre:
      guard metre ?? (0, 0) != (event.pitch, event.velocity) else { return }
      metre = (event.pitch, event.velocity)
      let power = UInt8(clamping: event.velocity.trailingZeroBitCount)
      events.append(MIDIEvent(tick: tick, .meta(type: 0x58, [pitch, power, 24, 8])))
    case .time: break
    case .end: isOver = true
    }
  }

  var file: MIDIFile {
    MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: ticksPerQuarter),
      tracks: [MIDIFile.Track(events: events, end: tick)])
  }
}
