/// The vocabulary of performances: notes as played, off any grid.
///
///     START (NOTE_OFF p* VELOCITY v? NOTE_ON p* TIME_SHIFT t*)* END
///
/// At one moment the note-offs come first, then the note-ons, each in rising order of pitch, a
/// velocity before the first note-on it changes for. Longer times are whole seconds first. So every
/// performance has one spelling alone. After Oore et al. 2018, with an order.
enum PerformanceTokens {
  static let start: Int32 = 0
  static let end: Int32 = 1
  static let firstOn: Int32 = 2
  static let firstOff: Int32 = 130
  static let firstShift: Int32 = 258
  static let firstVelocity: Int32 = 358
  static let count = 390

  /// A shift is 1 to 100 steps of 10 ms; at 500 ticks per quarter and 120 quarters a minute a step
  /// is 10 ticks.
  static let longestShift = 100
  static let ticksPerQuarter = 500
  static let ticksPerStep = 10
  enum Meaning {
    case start
    case end
    case on(Int)
    case off(Int)
    case shift(Int)
    /// The bin, 0 to 31.
    case velocity(Int)
  }

  static func meaning(_ token: Int32) -> Meaning {
    switch token {
    case start: .start
    case end: .end
    case ..<firstOff: .on(Int(token - firstOn))
    case ..<firstShift: .off(Int(token - firstOff))
    case ..<firstVelocity: .shift(Int(token - firstShift) + 1)
    default: .velocity(Int(token - firstVelocity))
    }
  }

  /// 32 bins of four velocities each, and the velocity that stands for a bin.
  static func bin(_ velocity: Int) -> Int { min(31, max(0, velocity / 4)) }
  static func velocity(_ bin: Int) -> Int { min(127, 4 * bin + 2) }

  /// Hands on the tokens of a time.
  static func shift<Failure: Error>(
    _ steps: Int, _ each: (Int32) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = steps
    while rest > 0 {
      let part = min(rest, longestShift)
      try each(firstShift + Int32(part - 1))
      rest -= part
    }
  }
}

/// What must be known of a performance so far.
struct PerformanceState {
  /// Outside a piece, or inside.
  var inside = false
  var sounding = PitchSet()
  /// The velocity in force, a bin; -1 before the first.
  var bin = -1
  /// The pitch of the last note-off and note-on of this moment; -1 for none yet.
  var lastOff = -1
  var lastOn = -1
  /// Whether the last token was a velocity, after which a note-on is due.
  var velocityNamed = false
  /// Whether the last token was a shift of less than the longest, after which no shift may follow.
  var shiftOver = false
  var steps = 0
  /// The step each pitch that sounds began at, and of the last note that began or ended.
  var began = InlineArray<128, Int>(repeating: 0)
  var lastNote = 0
  /// Whether anything was played.
  var played = false

  /// How long the note of a pitch has lasted, and how long nothing has begun or ended.
  func age(_ pitch: Int) -> Int { steps - began[pitch] }
  var waited: Int { steps - lastNote }

  mutating func advance(_ token: Int32) {
    velocityNamed = false
    switch PerformanceTokens.meaning(token) {
    case .start:
      self = PerformanceState()
      inside = true
    case .end:
      self = PerformanceState()
    case .on(let pitch):
      sounding[pitch] = true
      began[pitch] = steps
      lastNote = steps
      lastOn = pitch
      played = true
      shiftOver = false
      inside = true
    case .off(let pitch):
      sounding[pitch] = false
      lastNote = steps
      lastOff = pitch
      shiftOver = false
    case .shift(let steps):
      self.steps += steps
      shiftOver = steps < PerformanceTokens.longestShift
      lastOff = -1
      lastOn = -1
    case .velocity(let bin):
      self.bin = bin
      velocityNamed = true
      shiftOver = false
    }
  }

  /// Ten words, one with the last note, and one for each pitch.
  static let wordCount = 11 + 128

  private var words: InlineArray<11, UInt64> {
    [
      inside ? 1 : 0, sounding.low, sounding.high, UInt64(bin + 1), UInt64(lastOff + 1),
      UInt64(lastOn + 1), velocityNamed ? 1 : 0, shiftOver ? 1 : 0, UInt64(steps), played ? 1 : 0,
      UInt64(lastNote),
    ]
  }

  init() {}

  /// nil if no sequence of tokens leads to these words.
  init?(from bytes: UnsafeRawPointer) {
    func word(_ i: Int) -> UInt64 { bytes.word(i) }
    guard word(0) <= 1, word(3) <= 32, word(4) <= 128, word(5) <= 128, word(6) <= 1, word(7) <= 1,
      word(8) < 1 << 48, word(9) <= 1, word(10) <= word(8)
    else { return nil }
    for pitch in 0..<128 where word(11 + pitch) > word(8) { return nil }
    inside = word(0) == 1
    sounding.low = word(1)
    sounding.high = word(2)
    bin = Int(word(3)) - 1
    lastOff = Int(word(4)) - 1
    lastOn = Int(word(5)) - 1
    velocityNamed = word(6) == 1
    shiftOver = word(7) == 1
    steps = Int(word(8))
    played = word(9) == 1
    lastNote = Int(word(10))
    for pitch in 0..<128 { began[pitch] = Int(word(11 + pitch)) }
  }

  func save(to bytes: UnsafeMutableRawPointer) {
    let words = words
    for i in 0..<11 { bytes.setWord(i, words[i]) }
    for pitch in 0..<128 {
      bytes.setWord(11 + pitch, UInt64(began[pitch]))
    }
  }
}
