/// The vocabulary of the encoding `ensemble`: that of a grid of all pitches, then what parts need.
///
/// A piece is
///
///     START INSTRUMENT... TIME_SIGNATURE (part... STEP_k)... END
///
/// with a part, of those that sound in a step, in their order, being
///
///     HOLD_i, or PART_i [VELOCITY_v] (NEW | HELD | DRUM)...
///
/// - `INSTRUMENT` declares the next part: its family of General MIDI, or drums.
/// - `HOLD_i` says that all notes of a part go on and none begins, which is always said so.
/// - `PART_i` says whose notes follow, until the next `PART` or the end of the step.
/// - `VELOCITY_v` is the level of what the part begins from here on. It comes where that is another one than before,
///   and a note of the part begins in the step.
/// - `NEW p` and `HELD p` are as on every grid, in falling order of pitch within a part; `DRUM c` is a stroke of drums.
///
/// The other tokens are those of `Grid`.
struct Ensemble: Equatable, Sendable {
  /// The tokens before those of parts.
  let grid: Grid
  let firstDrum, firstPart, firstHold, firstInstrument, firstVelocity: Int32
  let vocabularySize: Int

  static let levels = 8
  /// The level of each part before one is named.
  static let firstLevel = 5
  /// Those of `DrumsEncoding`.
  static let drumClasses = 9
  /// The most notes with pitches at a time, of all parts: with a stroke of each drum 128.
  static let mostPitches = 128 - drumClasses

  init(_ grid: Grid) {
    self.grid = grid
    firstDrum = Int32(grid.vocabularySize)
    firstPart = firstDrum + Int32(Self.drumClasses)
    firstHold = firstPart + Int32(Part.most)
    firstInstrument = firstHold + Int32(Part.most)
    firstVelocity = firstInstrument + Int32(Instrument.families)
    vocabularySize = Int(firstVelocity) + Self.levels
  }

  enum Meaning: Equatable {
    /// One of the grid's own, which names no note.
    case time(Grid.Meaning)
    case new(Int)
    case held(Int)
    case drum(Int)
    case part(Int)
    case hold(Int)
    case instrument(Int)
    case velocity(Int)
  }

  func meaning(_ token: Int32) -> Meaning {
    switch token {
    case ..<grid.firstNew: .time(grid.meaning(token))
    case ..<grid.firstHeld: .new(Int(token - grid.firstNew))
    case ..<firstDrum: .held(Int(token - grid.firstHeld))
    case ..<firstPart: .drum(Int(token - firstDrum))
    case ..<firstHold: .part(Int(token - firstPart))
    case ..<firstInstrument: .hold(Int(token - firstHold))
    case ..<firstVelocity: .instrument(Int(token - firstInstrument))
    default: .velocity(Int(token - firstVelocity))
    }
  }

  /// Whether a token names a note.
  func isNote(_ token: Int32) -> Bool { token >= grid.firstNew && token < firstPart }
  /// Whether a token names a part, or its notes that go on.
  func isPart(_ token: Int32) -> Bool { token >= firstPart && token < firstInstrument }

  /// The token for the beginning of a note of a family.
  func new(_ pitch: Int, _ family: Int) -> Int32 {
    (family == Instrument.drumFamily ? firstDrum : grid.firstNew) + Int32(pitch)
  }
  func held(_ pitch: Int) -> Int32 { grid.firstHeld + Int32(pitch) }
  func part(_ number: Int) -> Int32 { firstPart + Int32(number) }
  func hold(_ number: Int) -> Int32 { firstHold + Int32(number) }
  func instrument(_ family: Int) -> Int32 { firstInstrument + Int32(family) }
  func velocity(_ level: Int) -> Int32 { firstVelocity + Int32(level) }

  static func level(of velocity: Int) -> Int { min(max(velocity, 0), 127) / 16 }
  static func velocity(of level: Int) -> Int { 16 * level + 8 }
}
