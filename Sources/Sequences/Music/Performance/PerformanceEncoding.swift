import Memory

/// Performances: note-on, note-off, time and velocity as played.
///
/// Lost are: time finer than 10 ms, velocity finer than four steps, channels and programs, drums, and
/// of notes and silences what is beyond the limits. Notes held by the sustain pedal last until it is
/// released. A note that would begin on a key that still sounds ends the one before.
public final class PerformanceEncoding: MusicEncoding {
  public static let name = "performance"

  public let limits: PerformanceLimits

  public init(limits: PerformanceLimits = .widest) { self.limits = limits }

  init(properties: [String: EncodingProperty]) {
    func steps(_ name: String) -> Int { properties[name]?.string.flatMap { Int($0) } ?? .max }
    limits = PerformanceLimits(clamping: steps("longest_note"), steps("longest_silence"))
  }

  public var vocabularySize: Int { PerformanceTokens.count }
  public var properties: [String: EncodingProperty] {
    [
      "longest_note": .short(String(limits.note)),
      "longest_silence": .short(String(limits.silence)),
    ]
  }
  public var ticksPerQuarter: Int { PerformanceTokens.ticksPerQuarter }

  public var ownSideInputs: [SideInput] { MusicSides.inputs(hasBars: false, hasKey: true) }
  public func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts {
    PerformanceSideCursor.facts(of: piece)
  }
  public func makeSideCursor() -> (any SideCursor)? { PerformanceSideCursor() }
  public func writeSides(
    bars: Int, _ facts: SideFacts, into values: UnsafeMutablePointer<Int32>
  ) { MusicSides.write(bars: bars, facts, hasBars: false, hasKey: true, into: values) }

  public func tokens(of file: MIDIFile) throws(EncodingError) -> GrowableBuffer<Int32>? {
    try tokens(of: file, stretch: 1)
  }

  /// With the limits of notes and silences that the first files show.
  public func fitted(
    to timeSignatures: TimeSignatureSurvey,
    firstFiles: ((MIDIFile) throws(EncodingError) -> Void) throws(EncodingError) -> Void
  ) throws(EncodingError) -> any MusicEncoding {
    let survey = try allocating { () throws(OutOfMemory) in try PerformanceLimits.Survey() }
    try firstFiles { (file) throws(EncodingError) in try survey.note(file) }
    return PerformanceEncoding(limits: survey.limits)
  }

  public var stretches: [Double] { [0.95, 1.05] }

  public func tokens(of file: MIDIFile, stretch: Double) throws(EncodingError)
    -> GrowableBuffer<Int32>?
  {
    try allocating { () throws(OutOfMemory) in try makeTokens(file, stretch) }
  }

  public func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let notes = try file.pairedNotes(sustain: true)
    notes.keep { $0.channel != drumChannel }
    return notes
  }

  private func makeTokens(_ file: MIDIFile, _ stretch: Double) throws(OutOfMemory)
    -> GrowableBuffer<Int32>?
  {
    /// Something at a step; ends come before beginnings, each from the lowest pitch up.
    struct Moment: BitwiseCopyable {
      let step: Int
      let begins: Bool
      let pitch, bin: Int
    }
    let clock = try MIDITempoMap(file)
    let notes = try selected(file)
    func step(_ tick: Int) -> Int {
      Int(min(clock.seconds(at: tick) * 100 * stretch, 1e12).rounded())
    }
    let moments = try GrowableBuffer<Moment>(capacity: 2 * notes.count)
    /// The place in `moments` of the end of the last note of each pitch, and where it began.
    var last = [(end: Int, start: Int)?](repeating: nil, count: 128)
    for note in notes {
      let start = step(note.start)
      var end = min(start + limits.note, max(start + 1, step(note.start + note.duration)))
      if let before = last[note.pitch], moments[before.end].step > start {
        // Of two notes that begin together the longer stays; else the later one cuts the other.
        if before.start == start {
          end = max(end, moments[before.end].step)
          moments[before.end] = Moment(step: end, begins: false, pitch: note.pitch, bin: 0)
          continue
        }
        moments[before.end] = Moment(step: start, begins: false, pitch: note.pitch, bin: 0)
      }
      moments.appendReserved(
        Moment(
          step: start, begins: true, pitch: note.pitch, bin: PerformanceTokens.bin(note.velocity)))
      last[note.pitch] = (moments.count, start)
      moments.appendReserved(Moment(step: end, begins: false, pitch: note.pitch, bin: 0))
    }
    guard moments.count > 0 else { return nil }
    try moments.sort {
      ($0.step, $0.begins ? 1 : 0, $0.pitch) < ($1.step, $1.begins ? 1 : 0, $1.pitch)
    }
    let tokens = GrowableBuffer<Int32>()
    try tokens.append(PerformanceTokens.start)
    var now = 0
    var bin = -1
    for moment in moments {
      try PerformanceTokens.shift(min(moment.step - now, limits.silence)) {
        (token) throws(OutOfMemory) in try tokens.append(token)
      }
      now = moment.step
      if moment.begins {
        if moment.bin != bin {
          bin = moment.bin
          try tokens.append(PerformanceTokens.firstVelocity + Int32(bin))
        }
        try tokens.append(PerformanceTokens.firstOn + Int32(moment.pitch))
      } else {
        try tokens.append(PerformanceTokens.firstOff + Int32(moment.pitch))
      }
    }
    try tokens.append(PerformanceTokens.end)
    return tokens
  }

  public func removeOpeningSilence(from tokens: GrowableBuffer<Int32>) {
    let first = tokens.dropFirst().firstIndex { !isShift($0) } ?? tokens.count
    tokens.remove(from: 1, to: first)
  }

  public func removeClosingSilence(from tokens: GrowableBuffer<Int32>) {
    let last = tokens.dropLast().lastIndex { !isShift($0) } ?? 0
    tokens.remove(from: last + 1, to: tokens.count - 1)
  }

  private func isShift(_ token: Int32) -> Bool {
    token >= PerformanceTokens.firstShift && token < PerformanceTokens.firstVelocity
  }

  public func steps(of tokens: UnsafeBufferPointer<Int32>) -> Int? { nil }

  public func ticks(of token: Int32) -> Int {
    if case .shift(let steps) = PerformanceTokens.meaning(token) {
      steps * PerformanceTokens.ticksPerStep
    } else {
      0
    }
  }

  public func transposed(_ token: Int32, by semitones: Int) -> Int32 {
    token >= PerformanceTokens.firstOn && token < PerformanceTokens.firstShift
      ? token + Int32(semitones) : token
  }

  public func pitch(of token: Int32) -> Int? {
    switch PerformanceTokens.meaning(token) {
    case .on(let pitch), .off(let pitch): pitch
    default: nil
    }
  }

  public func name(of token: Int32) -> String {
    switch PerformanceTokens.meaning(token) {
    case .start: "START"
    case .end: "END"
    case .on(let pitch): "NOTE_ON \(pitch)"
    case .off(let pitch): "NOTE_OFF \(pitch)"
    case .shift(let steps): "TIME_SHIFT \(steps * 10)"
    case .velocity(let bin): "VELOCITY \(PerformanceTokens.velocity(bin))"
    }
  }

  public var pitchRange: ClosedRange<Int> { 0...127 }
  public func makeReader() -> MusicReader {
    let grammar = PerformanceGrammar(limits)
    return MusicReader(
      grammar: grammar, decoder: PerformanceEventDecoder(),
      encoder: PerformanceEventEncoder(limits, grammar))
  }
}
