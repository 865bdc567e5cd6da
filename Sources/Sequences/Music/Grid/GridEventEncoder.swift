/// Puts events on the grid as they come, and turns each step into tokens once it is over.
final class GridEventEncoder: EventEncoder {
  private let grid: Grid
  /// The pitch token of each MIDI pitch; -1 for none.
  private let place: [Int16]
  private var began = false
  private var timeSignatureSaid = false
  private var timeSignature = 0
  private var barSteps: Int
  private var position = 0
  /// Ticks since the beginning, and steps already turned into tokens.
  private var tick = 0
  private var step = 0
  /// What sounds, what began in this step, and what has ended but must sound until the step is over.
  private var sounding = PitchSet()
  private var new = PitchSet()
  private var ending = PitchSet()
  /// What was handed on of the present step by `finish`.
  private var said = false

  init(_ grid: Grid, place: [Int16]) {
    self.grid = grid
    self.place = place
    barSteps = grid.barSteps(0) ?? 1
  }

  func reset() {
    began = false
    timeSignatureSaid = false
    timeSignature = 0
    barSteps = grid.barSteps(0) ?? 1
    (position, tick, step) = (0, 0, 0)
    (sounding, new, ending) = (PitchSet(), PitchSet(), PitchSet())
    said = false
  }

  func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    let length = grid.ticksPerStep
    let reached = step * length
    tick = reached + shortened(tick - reached + event.delta)
    let now = (tick + length / 2) / length
    if event.kind == .timeSignature && !timeSignatureSaid {
      if let index = grid.timeSignature(TimeSignature(event.pitch, event.velocity)) {
        timeSignature = index
        barSteps = grid.barSteps(index) ?? barSteps
      }
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
    case .start:
      reset()
      began = true
    case .end: reset()
    case .timeSignature(let index):
      timeSignatureSaid = true
      timeSignature = index
      barSteps = grid.barSteps(index) ?? barSteps
      position = 0
    case .step(let next):
      position = next
      step += 1
      tick = max(tick, step * grid.ticksPerStep)
      for pitch in 0..<grid.pitches where ending[pitch] { sounding[pitch] = false }
      (new, ending) = (PitchSet(), PitchSet())
      said = false
    case .new, .held: break
    }
  }

  var ahead: Int { tick - step * grid.ticksPerStep }
  func catchUp() { tick = step * grid.ticksPerStep }

  static var stateSize: Int { 96 }

  func save(to bytes: UnsafeMutableRawPointer) {
    let words: InlineArray<12, UInt64> = [
      (began ? 1 : 0) | (said ? 2 : 0) | (timeSignatureSaid ? 4 : 0), UInt64(timeSignature),
      UInt64(position),
      UInt64(tick), UInt64(step), sounding.low, sounding.high, new.low, new.high, ending.low,
      ending.high, 0,
    ]
    for i in 0..<12 { bytes.setWord(i, words[i]) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.word(i) }
    func set(_ i: Int) -> PitchSet {
      var set = PitchSet()
      (set.low, set.high) = (word(i), word(i + 1))
      return set
    }
    // Steps that lag far behind would take the next event for ever.
    let furthest = (max(Grid.longestPause, grid.positions) + 1) * grid.ticksPerStep
    guard word(0) <= 7, word(1) < UInt64(grid.timeSignatures.all.count),
      word(2) < UInt64(grid.positions),
      word(3) < 1 << 48, word(4) < 1 << 48,
      Int(word(3)) - Int(word(4)) * grid.ticksPerStep <= furthest, set(5).highest < grid.pitches,
      set(7).highest < grid.pitches, set(9).highest < grid.pitches, word(11) == 0
    else { return false }
    began = word(0) & 1 == 1
    said = word(0) & 2 == 2
    timeSignatureSaid = word(0) & 4 == 4
    timeSignature = Int(word(1))
    barSteps = grid.barSteps(timeSignature) ?? barSteps
    (position, tick, step) = (Int(word(2)), Int(word(3)), Int(word(4)))
    (sounding, new, ending) = (set(5), set(7), set(9))
    return true
  }

  /// A time without so many whole bars that it is no longer than the longest pause, or at most a bar.
  private func shortened(_ ticks: Int) -> Int {
    let bar = barSteps * grid.ticksPerStep
    let over = ticks - Grid.longestPause * grid.ticksPerStep
    guard over > 0 else { return ticks }
    return ticks - min((over + bar - 1) / bar, (ticks - 1) / bar) * bar
  }

  private func begin(_ each: (Int32) -> Void) {
    if !began { each(Grid.start) }
    began = true
    if !timeSignatureSaid { each(Grid.firstTimeSignature + Int32(timeSignature)) }
    timeSignatureSaid = true
  }

  private func closeStep(_ each: (Int32) -> Void) {
    if !said { sayNotes(each) }
    said = false
    position = (position + 1) % barSteps
    each(grid.firstStep + Int32(position))
    for pitch in 0..<grid.pitches where ending[pitch] { sounding[pitch] = false }
    if !grid.lasts { sounding = PitchSet() }
    new = PitchSet()
    ending = PitchSet()
    step += 1
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
