/// The side inputs of chords that last, beside those of every grid (`MusicSides`). They are always told:
///
/// | name | values |
/// |---|---|
/// | `voice` | after N notes of a step: the pitch of the note N + 1 from the top of the step before, counted from 1; 0 for none |
/// | `voice_below` | that of the one below it |
///
/// Where no voice is added or left out, the next note is where `voice` goes.
enum VoiceSides {
  static func inputs(_ grid: Grid) -> [SideInput] {
    guard grid.hasVoices else { return [] }
    return ["voice", "voice_below"].map {
      SideInput(name: $0, count: grid.pitches + 1, mayHide: false)
    }
  }

  /// After the four of `MusicSides`.
  private static let first = 4

  @inline(__always)
  static func write(_ state: GridState, into values: UnsafeMutablePointer<Int32>) {
    var rest = state.sounding
    for _ in 0..<state.voices where !rest.isEmpty { rest = rest.below(rest.highest) }
    values[first] = Int32(rest.highest + 1)
    if !rest.isEmpty { rest = rest.below(rest.highest) }
    values[first + 1] = Int32(rest.highest + 1)
  }
}
