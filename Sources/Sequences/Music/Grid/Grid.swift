/// The vocabulary that the grid encodings share, and where each kind of token begins.
///
/// Time is a grid of steps. A piece is
///
///     START TIME_SIGNATURE (NEW | HELD)* STEP_k (NEW | HELD)* STEP_k ... END
///
/// - `TIME_SIGNATURE` names the time signature; it comes first, and again where it changes, which begins a bar.
/// - `NEW p` and `HELD p` are the notes that sound in a step, in falling order of pitch: those that
///   begin with it and those that go on from the step before. What is not named has ended.
/// - `STEP_k` ends a step; k is the place in the bar of the step that follows, 0 being the bar line.
///   So the network always knows the time signature's position.
/// - `END` comes in place of a step.
///
/// Since the notes of a step follow one another, the product of the tokens' probabilities is the
/// exact joint probability of the step.
public struct Grid: Equatable, Sendable {
  /// Steps per quarter note, 1 to 24.
  public let stepsPerQuarter: Int
  /// The lowest pitch, and how many there are, each a token.
  public let lowest: Int
  public let pitches: Int
  /// Whether notes last (else they are strokes, as on a drum, and there are no `HELD` tokens).
  public let lasts: Bool
  /// The most notes at a time.
  public let voices: Int
  /// The time signatures.
  var timeSignatures = TimeSignatureTable()

  static let start: Int32 = 0
  static let end: Int32 = 1
  static let firstTimeSignature: Int32 = 2

  init(stepsPerQuarter: Int, lowest: Int, pitches: Int, lasts: Bool, voices: Int)
    throws(EncodingError)
  {
    guard (1...24).contains(stepsPerQuarter) else {
      throw .invalid("there are \(stepsPerQuarter) steps per quarter note; it must be 1 to 24")
    }
    self.stepsPerQuarter = stepsPerQuarter
    self.lowest = lowest
    self.pitches = pitches
    self.lasts = lasts
    self.voices = voices
  }

  var firstStep: Int32 { Self.firstTimeSignature + Int32(timeSignatures.all.count) }
  var positions: Int { TimeSignature.longestBar * stepsPerQuarter }
  var firstNew: Int32 { firstStep + Int32(positions) }
  var firstHeld: Int32 { firstNew + Int32(pitches) }
  var vocabularySize: Int { Int(firstHeld) + (lasts ? pitches : 0) }

  /// 480 where the steps divide it, as sequencers like it, else a multiple of the steps.
  public var ticksPerQuarter: Int {
    480 % stepsPerQuarter == 0 ? 480 : stepsPerQuarter * 40
  }
  public var ticksPerStep: Int { ticksPerQuarter / stepsPerQuarter }

  /// The most tokens of a piece: an hour and a half of a piano's 88 keys at 120 quarter notes a minute
  /// and four steps to each.
  public static let mostTokens = 1 << 22

  /// A silence is not kept longer than this many steps: 64 quarter notes.
  var longestSilence: Int { 64 * stepsPerQuarter }

  /// A pause while others play is read as at most this many steps, or as a bar if that is longer.
  static let longestPause = 64

  /// The step nearest to a time in ticks.
  func step(nearest ticks: Int) -> Int { (ticks + ticksPerStep / 2) / ticksPerStep }

  /// The steps of a note, at least one; nil if its ticks are out of range.
  func steps(start: Int, duration: Int) -> Range<Int>? {
    guard start >= 0, duration > 0, start < 1 << 40, duration < 1 << 40 else { return nil }
    let first = step(nearest: start)
    return first..<max(first + 1, step(nearest: start + duration))
  }

  /// Steps of a bar of a time signature; nil if it is no whole number of them.
  func barSteps(_ timeSignature: Int) -> Int? {
    timeSignatures.all[timeSignature].steps(perQuarter: stepsPerQuarter)
  }

  /// The token's number for a time signature; nil where there is none on this grid.
  func timeSignature(_ timeSignature: TimeSignature) -> Int? {
    timeSignature.fits(perQuarter: stepsPerQuarter)
      ? timeSignatures.all.firstIndex(of: timeSignature) : nil
  }

  /// What a token says.
  enum Meaning: Equatable {
    case start
    case end
    case timeSignature(Int)
    case step(position: Int)
    /// Pitches are counted from the lowest.
    case new(Int)
    case held(Int)
  }

  func meaning(_ token: Int32) -> Meaning {
    switch token {
    case Self.start: .start
    case Self.end: .end
    case ..<firstStep: .timeSignature(Int(token - Self.firstTimeSignature))
    case ..<firstNew: .step(position: Int(token - firstStep))
    case ..<firstHeld: .new(Int(token - firstNew))
    default: .held(Int(token - firstHeld))
    }
  }

  /// The pitch of a token that names one, counted from the lowest.
  func pitch(_ token: Int32) -> Int? {
    switch meaning(token) {
    case .new(let p), .held(let p): p
    default: nil
    }
  }

  /// The token for the same note so many semitones higher; other tokens stay. The result must be in
  /// range: see `pitchRange`.
  public func transposed(_ token: Int32, by semitones: Int) -> Int32 {
    token >= firstNew ? token + Int32(semitones) : token
  }
}
