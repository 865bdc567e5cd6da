/// Puts events on the grid as they come, and turns each step into tokens once it is over.
final class GridEventEncoder: EventEncoder {
  private let grammar: GridGrammar
  private let grid: Grid
  /// The pitch token of each MIDI pitch; -1 for none.
  private let place: [Int16]
  /// The one a piece is to begin with.
  private var timeSignature = 0
  /// Ticks since the beginning.
  private var tick = 0
  /// What sounds, what began in this step, and what has ended but must sound until the step is over.
  private var sounding = PitchSet()
  private var new = PitchSet()
  private var ending = PitchSet()
  /// What was handed on of the present step by `finish`.
  private var said = false

  /// - `grammar`: whose state this reads.
  init(_ grammar: GridGrammar, place: [Int16]) {
    self.grammar = grammar
    grid = grammar.grid
    self.place = place
  }

  private var phase: GridState.Phase { grammar.state.phase }
  /// Steps already turned into tokens.
  private var step: Int { grammar.state.stepsOfPiece }
  private var barSteps: Int {
    phase == .inside ? grammar.state.barSteps : grid.barSteps(timeSignature) ?? 1
  }

  func reset() {
    timeSignature = 0
    tick = 0
    (sounding, new, ending) = (PitchSet(), PitchSet(), PitchSet())
    said = false
  }

  func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    let reached = step * grid.ticksPerStep
    tick = max(0, reached + grid.shortened(tick - reached + event.delta, barSteps: barSteps))
    let now = grid.step(nearest: tick)
    if event.kind == .timeSignature && phase != .inside {
      timeSignature = grid.timeSignature(event) ?? timeSignature
      return
    }
    begin(each)
    while step < now { closeStep(each) }
    if event.kind == .end {
      // A piece has a step, and ends in the place of one.
      if said || !new.isEmpty || step == 0 { closeStep(each) }
      each(Grid.end)
      return reset()
    }
    let pitch = event.pitch >= 0 && event.pitch < 128 ? Int(place[event.pitch]) : -1
    guard pitch >= 0 else { return }
    switch event.kind {
    case .noteOn where event.velocity > 0:
      new[pitch] = true
      sounding[pitch] = true
      ending[pitch] = false
    case .noteOn, .noteOff:
      if new[pitch] { ending[pitch] = true } else { sounding[pitch] = false }
    default: break
    }
  }

  func finish(_ each: (Int32) -> Void) {
    begin(each)
    guard !said else { return }
    sayNotes(each)
    said = true
  }

  func follow(_ token: Int32) {
    switch grid.meaning(token) {
    case .start, .end: reset()
    case .step:
      tick = max(tick, step * grid.ticksPerStep)
      sounding.subtract(ending)
      (new, ending) = (PitchSet(), PitchSet())
      said = false
    case .timeSignature, .new, .held: break
    }
  }

  var ahead: Int { tick - step * grid.ticksPerStep }
  func catchUp() { tick = step * grid.ticksPerStep }

  /// Two words and two bits of earlier versions, which repeated the grammar's state, are 0.
  static var stateSize: Int { 96 }

  func save(to bytes: UnsafeMutableRawPointer) {
    let words: InlineArray<12, UInt64> = [
      said ? 2 : 0, UInt64(timeSignature), 0, UInt64(tick), 0, sounding.low, sounding.high, new.low,
      new.high, ending.low,
      ending.high, 0,
    ]
    for i in 0..<12 { bytes.setWord(i, words[i]) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.word(i) }
    func set(_ i: Int) -> PitchSet { bytes.pitches(i) }
    guard word(0) <= 7, word(1) < UInt64(grid.timeSignatures.all.count), word(3) < 1 << 48,
      Int(word(3)) - step * grid.ticksPerStep <= grid.mostAhead, set(5).highest < grid.pitches,
      set(7).highest < grid.pitches, set(9).highest < grid.pitches, word(11) == 0
    else { return false }
    said = word(0) & 2 == 2
    (timeSignature, tick) = (Int(word(1)), Int(word(3)))
    (sounding, new, ending) = (set(5), set(7), set(9))
    return true
  }

  private func begin(_ each: (Int32) -> Void) {
    if phase == .outside { each(Grid.start) }
    if phase == .opening { each(Grid.firstTimeSignature + Int32(timeSignature)) }
  }

  private func closeStep(_ each: (Int32) -> Void) {
    if !said { sayNotes(each) }
    said = false
    each(grid.firstStep + Int32((grammar.state.position + 1) % barSteps))
    sounding.subtract(ending)
    if !grid.lasts { sounding = PitchSet() }
    new = PitchSet()
    ending = PitchSet()
  }

  private func sayNotes(_ each: (Int32) -> Void) {
    var voices = 0
    for pitch in stride(from: grid.pitches - 1, through: 0, by: -1) {
      guard voices < grid.voices else {
        // What is not said is over.
        (new[pitch], sounding[pitch]) = (false, false)
        continue
      }
      if new[pitch] {
        each(grid.firstNew + Int32(pitch))
        voices += 1
      } else if grid.lasts && sounding[pitch] {
        each(grid.firstHeld + Int32(pitch))
        voices += 1
      }
    }
  }
}

extension Grid {
  /// The number of the time signature that an event names; nil where none such can be kept.
  func timeSignature(_ event: MusicEvent) -> Int? {
    timeSignature(TimeSignature(event.pitch, event.velocity)).flatMap {
      barSteps($0) == nil ? nil : $0
    }
  }

  /// The most ticks that what is heard may be ahead of its tokens: with more the next event would take for ever.
  var mostAhead: Int { (max(Self.longestPause, positions) + 1) * ticksPerStep }

  /// A time without so many whole bars that it is no longer than the longest pause, or at most a bar.
  func shortened(_ ticks: Int, barSteps: Int) -> Int {
    let bar = barSteps * ticksPerStep
    let over = ticks - Self.longestPause * ticksPerStep
    guard over > 0 else { return ticks }
    return ticks - min((over + bar - 1) / bar, (ticks - 1) / bar) * bar
  }
}
