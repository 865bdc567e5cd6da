/// The side inputs of pieces with parts: those of every grid with pitches (`MusicSides`), and six that are always told,
/// four of them of the part whose notes come next:
///
/// | name | values |
/// |---|---|
/// | `part` | its number plus 1; 0 between parts |
/// | `instrument` | its family plus 1 |
/// | `part_pitch` | the highest note it had when it sounded last in an earlier step, plus 1; 0 for none, and for drums |
/// | `part_time` | steps since it began a note, at most 33; 0 for none |
/// | `lead` | the first pitch named in this step, plus 1; 0 for none |
/// | `place` | the place of the step in the bar, plus 1 |
enum EnsembleSides {
  static func inputs(_ grid: Grid) -> [SideInput] {
    MusicSides.inputs(hasBars: true, hasKey: true) + [
      SideInput(name: "part", count: Part.most + 1),
      SideInput(name: "instrument", count: Instrument.families + 1),
      SideInput(name: "part_pitch", count: 129),
      SideInput(name: "part_time", count: EnsembleState.Voice.mostAge + 1),
      SideInput(name: "lead", count: 129),
      SideInput(name: "place", count: grid.positions + 1),
    ]
  }

  /// Where those of the part begin.
  static let first = 4

  @inline(__always)
  static func write(_ state: EnsembleState, into values: UnsafeMutablePointer<Int32>) {
    let isSaid = state.speaking >= 0
    let voice = isSaid ? state.voices[state.speaking] : EnsembleState.Voice()
    values[first] = Int32(state.speaking + 1)
    values[first + 1] = isSaid ? Int32(voice.family + 1) : 0
    values[first + 2] = isSaid ? Int32(voice.recent) : 0
    values[first + 3] = isSaid ? Int32(voice.age) : 0
    values[first + 4] = Int32(state.lead)
    values[first + 5] = Int32(state.time.position + 1)
  }
}

/// Follows a piece with parts.
final class EnsembleSideCursor: SideCursor {
  private var state: EnsembleState
  private var facts = SideFacts()

  init(_ ensemble: Ensemble) { state = EnsembleState(ensemble) }

  func begin(_ facts: SideFacts) {
    self.facts = facts
    state = EnsembleState(state.ensemble)
  }

  func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>) {
    state.advance(token)
    MusicSides.write(bars: state.time.bars, facts, hasBars: true, hasKey: true, into: values)
    EnsembleSides.write(state, into: values)
  }

  /// What a whole piece tells of itself.
  static func facts(of piece: UnsafeBufferPointer<Int32>, _ ensemble: Ensemble) -> SideFacts {
    var times = PitchClassTimes()
    var state = EnsembleState(ensemble)
    // The highest of the notes that began last, and whether time has passed since.
    var (last, isPast) = (0, true)
    for token in piece {
      state.advance(token)
      switch ensemble.meaning(token) {
      case .time(let meaning): if case .step = meaning { isPast = true }
      case .hold(let part):
        let held = state.voices[part].held
        for pitch in 0..<128 where held[pitch] { times.add(pitch: pitch) }
      case .new(let pitch):
        last = isPast ? pitch : max(last, pitch)
        isPast = false
        times.add(pitch: pitch)
      case .held(let pitch): times.add(pitch: pitch)
      case .drum, .part, .instrument, .velocity: break
      }
    }
    var facts = SideFacts()
    facts.bars = Int32(clamping: state.time.bars + (state.time.position == 0 ? 0 : 1))
    facts.key = times.key()
    facts.endsOnTonic = facts.key > 0 && last % 12 == Int(facts.key - 1) % 12
    return facts
  }
}
