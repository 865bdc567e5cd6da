import GRU
import Sequences

// Sessions of music: events in, events out, and a musician's constraints.

extension Session {
  /// What a session over a model of music has besides.
  final class Music {
    let encoding: any MusicEncoding
    let reader: MusicReader
    /// The time signatures the model has beside the standard ones, for messages.
    let extraTimeSignatures: Sentence
    /// What the host was given and has not been told the end of.
    var sounding = SoundingNotes()
    /// Whether the encoder was fed something that the network has not read yet.
    var hasHeard = false
    /// Ticks by which the host's time is ahead of the session's, which is on the grid: the next events
    /// come so much earlier after the last one heard.
    var ahead = 0

    init(_ encoding: any MusicEncoding, _ reader: MusicReader) {
      self.encoding = encoding
      self.reader = reader
      var names: Sentence = ""
      for timeSignature in encoding.extraTimeSignatures {
        names = "\(names), \(timeSignature.numerator)/\(timeSignature.denominator)"
      }
      extraTimeSignatures = names
    }

    func reset() {
      sounding.endAll()
      reader.reset()
      hasHeard = false
      ahead = 0
    }

    /// Leaves the events out that the decoder has ready, and their time. The ends of notes among them are given later.
    func skipEvents() {
      while let event = reader.decoder.next() { sounding.skip(event) }
      reader.decoder.skipTime()
    }

    /// The next event for the host that needs no other token.
    func nextEvent() -> MusicEvent? {
      while var event = reader.decoder.next() {
        let moved = min(ahead, event.delta)
        event.delta -= moved
        ahead -= moved
        if let event = sounding.handOut(event) { return event }
      }
      return nil
    }

    var stateSize: Int { reader.stateSize + 16 }

    func save(to bytes: UnsafeMutableRawPointer) {
      reader.save(to: bytes)
      (bytes + stateSize - 16).setWord(0, UInt64(bitPattern: Int64(ahead)))
      (bytes + stateSize - 16).setWord(1, hasHeard ? 1 : 0)
    }

    func restore(from bytes: UnsafeRawPointer) -> Bool {
      let ticks = Int64(bitPattern: (bytes + stateSize - 16).word(0))
      let heard = (bytes + stateSize - 16).word(1)
      guard heard <= 1, ticks.magnitude < 1 << 20, reader.restore(from: bytes) else { return false }
      hasHeard = heard == 1
      ahead = Int(ticks)
      return true
    }
  }

  /// Throws if the model is not of music.
  private func requireMusic() throws(LibrettoError) -> Music {
    guard let music else {
      throw LibrettoError(
        .unsupported,
        model.kind == .text
          ? "this is a model of \(model.encoding.name), not of music; use the calls for text"
          : "this is a model of \(model.encoding.name), not of music; use the calls for tokens")
    }
    return music
  }

  /// The musician's constraints, from the next token on; throws if one is out of range, or the
  /// encoding cannot keep to it. Real-time.
  public func set(_ constraints: MusicConstraints) throws(LibrettoError) {
    let music = try requireMusic()
    try constraints.validate()
    if let constraint = music.reader.grammar.unsupported(constraints) {
      throw LibrettoError(.unsupported, refusal(constraint, constraints, music))
    }
    music.reader.grammar.constraints = constraints
  }

  private func refusal(
    _ constraint: UnsupportedConstraint, _ constraints: MusicConstraints, _ music: Music
  ) -> Sentence {
    switch constraint {
    case .pitchRange:
      "the pitch range is \(constraints.lowest) to \(constraints.highest), but drums have no pitches; leave it at 0 to 127"
    case .scale:
      "the scale is \(constraints.scale), but drums have no pitches; leave it at 4095, all pitch classes"
    case .key:
      "the key is \(constraints.key), but drums have none; leave it at 0"
    case .bars:
      "the number of bars is \(constraints.bars), but a performance has no bars; leave it at 0 and count the time of the events"
    case .ending:
      "the ending is at a bar line, but a performance has no bars; let it end anywhere or never"
    case .timeSignature where !music.reader.grammar.canForceNotes:
      "the time signature is \(constraints.numerator)/\(constraints.denominator), but a performance has no bars; leave it at 0/0"
    case .timeSignature:
      "the time signature is \(constraints.numerator)/\(constraints.denominator); this model has 4/4, 3/4, 2/4, 6/8, 2/2, 9/8, 12/8, 3/8, 3/2, 5/4, 7/8, 6/4, 5/8, 7/4, 1/4, 4/8\(music.extraTimeSignatures), if such a bar is a whole number of steps of its grid"
    }
  }

  /// The constraints in force.
  public var constraints: MusicConstraints {
    music?.reader.grammar.constraints ?? MusicConstraints()
  }

  /// The same; throws if the model is not of music. Real-time.
  public func musicConstraints() throws(LibrettoError) -> MusicConstraints {
    try requireMusic().reader.grammar.constraints
  }

  /// Ticks per quarter note of the events of this session; 0 for text.
  public var ticksPerQuarter: Int { model.ticksPerQuarter }

  /// Bars that are complete.
  public var bars: Int { music?.reader.grammar.bars ?? 0 }

  /// Reads an event as somebody plays it. Its time counts from the event before, drawn or fed.
  /// Real-time, in a time proportional to the steps that pass in it, of which there is a most.
  public func feed(event: MusicEvent) throws(LibrettoError) {
    let music = try requireMusic()
    guard event.delta >= 0, event.delta < 1 << 31 else {
      throw LibrettoError(
        .argument, "the event's delta is \(event.delta); it must be from 0 to 2147483647 ticks")
    }
    guard (0...127).contains(event.pitch), (0...127).contains(event.velocity) else {
      throw LibrettoError(
        .argument,
        "the event has pitch \(event.pitch) and velocity \(event.velocity); both are from 0 to 127")
    }
    // The host counts from the last event, the encoder from the moment the tokens have reached: of a grid, a step after
    // an event that was drawn. Before that there may be time by which the host was ahead of an event that was fed.
    var event = event
    event.delta += music.ahead - music.reader.decoder.waiting
    music.ahead = 0
    music.reader.decoder.skipTime()
    music.reader.encoder.take(event) { read($0, .encoded) }
    // After an end that was read nothing of the next piece was heard: it begins with what is drawn.
    music.hasHeard = !(event.kind == .end && music.reader.grammar.isComplete)
  }

  /// The next event. Draws the tokens of one step, or of one second, at most: if nothing happens the
  /// event says that time passes. After the end of a piece a new one begins. Notes that are over in
  /// the sequence, but not for the host, end first. Real-time.
  public func nextEvent() throws(LibrettoError) -> MusicEvent {
    let music = try requireMusic()
    if let event = music.sounding.nextOverdue() { return event }
    finishHearing()
    var draws = 0
    while true {
      if let event = music.nextEvent() { return event }
      guard draws < Self.mostDraws else {
        throw LibrettoError(
          .exhausted,
          "\(draws) tokens in a row made no event; let the mask allow time to pass, or turn the grammar on"
        )
      }
      _ = try drawNext()
      draws += 1
    }
  }

  /// The notes that `nextEvent` began and did not end. Real-time.
  public func sounding() throws(LibrettoError) -> SoundingNotes { try requireMusic().sounding }

  /// Counts these notes as ended; for a host that ends them itself. Real-time.
  public func forgetSounding() throws(LibrettoError) { try requireMusic().sounding.forget() }

  /// More than the tokens of a step, or of a second, can be where the grammar is kept to.
  private static let mostDraws = 1024

  /// Reads what was heard of the present step, as a draw wants it.
  func finishHearing() {
    guard let music, music.hasHeard else { return }
    music.reader.encoder.finish { read($0, .encoded) }
    music.hasHeard = false
    music.ahead = music.reader.encoder.ahead
    music.reader.encoder.catchUp()
  }

  /// Dictates a note, in ticks from the beginning of the piece: the model writes it and fills in the
  /// rest. Real-time.
  public func force(start: Int, duration: Int, pitch: Int) throws(LibrettoError) {
    let grammar = try requireMusic().reader.grammar
    guard grammar.canForceNotes else {
      throw LibrettoError(
        .unsupported, "\(model.encoding.name) has no grid to force notes on; feed them as events")
    }
    guard grammar.force(start: start, duration: duration, pitch: pitch) else {
      throw LibrettoError(
        .argument,
        "a note of pitch \(pitch) at tick \(start) for \(duration) ticks cannot be forced: it is past, out of the encoding's range, or one too many"
      )
    }
  }

  /// Takes back what was dictated and has not come yet. Real-time.
  public func clearForcedNotes() throws(LibrettoError) {
    try requireMusic().reader.grammar.clearForcedNotes()
  }
}

extension MusicConstraints {
  /// Throws if a constraint is out of range.
  func validate() throws(LibrettoError) {
    func require(_ holds: Bool, _ sentence: @autoclosure () -> Sentence) throws(LibrettoError) {
      if !holds { throw LibrettoError(.argument, sentence()) }
    }
    try require(
      lowest >= 0 && lowest <= highest && highest <= 127,
      "the pitches are \(lowest) to \(highest); they must be from 0 to 127, the lower one first")
    try require(
      scale & 0xFFF != 0 && scale <= 0xFFF,
      "the scale is \(scale); it must have bits of the 12 pitch classes, 1 to 4095")
    try require(voices >= 1 && voices <= 128, "there are \(voices) voices; it must be 1 to 128")
    try require(
      density >= -20 && density <= 20, "density is \(density); it must be from -20 to 20")
    try require(bars >= 0 && bars <= 1_000_000, "bars are \(bars); it must be 0 to 1000000")
    try require(
      (0..<Int32(MusicKey.count)).contains(key),
      "the key is \(key); it must be 0 for none, 1 to 12 for C major to B major, or 13 to 24 for C minor to B minor"
    )
    try require(
      (numerator == 0 && denominator == 0) || (numerator > 0 && denominator > 0),
      "the time signature is \(numerator)/\(denominator)")
  }
}
