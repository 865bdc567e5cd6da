import Memory

/// Which tokens of a piece with parts may follow, and which the constraints and given notes leave of them.
final class EnsembleGrammar: BarGrammar, PartGrammar {
  let ensemble: Ensemble
  let grid: Grid
  /// What the event decoder and encoder read too.
  private(set) var state: EnsembleState
  let given: GivenNotes
  var constraints = MusicConstraints() { didSet { isStale = true } }
  private(set) var ofParts = InlineArray<16, PartConstraints>(repeating: PartConstraints())
  private(set) var programs = InlineArray<16, Int>(repeating: 0)
  private(set) var wantedCount = 0
  /// The drum class of each MIDI pitch; -1 for none.
  let drums: [Int8]

  /// The pitches on which notes of each part may begin, and what is due in each in the present step; to be worked out
  /// again if stale.
  private(set) var allowed = InlineArray<16, PitchSet>(repeating: PitchSet())
  private(set) var dueNow = InlineArray<16, GivenNotes.Due>(repeating: GivenNotes.Due())
  private var isStale = true

  init(_ ensemble: Ensemble) throws(OutOfMemory) {
    self.ensemble = ensemble
    grid = ensemble.grid
    state = EnsembleState(ensemble)
    drums = (0..<128).map { Int8(DrumsEncoding.place($0) ?? -1) }
    given = try GivenNotes(drums: drums)
  }

  var time: GridState { state.time }
  func setOver() { state.time.isOver = true }
  var vocabulary: Int { ensemble.vocabularySize }
  var isBetweenNotes: Bool { state.speaking < 0 }
  var owesNotes: Bool { given.isOwed(state) }
  var parts: (any PartGrammar)? { self }
  func writeSides(into values: UnsafeMutablePointer<Int32>) {
    EnsembleSides.write(state, into: values)
  }

  func reset() {
    state = EnsembleState(ensemble)
    given.clear()
    isStale = true
  }

  func advance(_ token: Int32) {
    state.advance(token)
    if time.phase == .outside { given.clear() }
    // Within a part nothing changes but what is named.
    if !ensemble.isNote(token) { isStale = true }
  }

  func unsupported(_ constraints: MusicConstraints) -> UnsupportedConstraint? {
    hasTimeSignature(constraints) ? nil : .timeSignature
  }

  // MARK: - Parts

  var partCount: Int { state.count }

  func part(_ number: Int) -> Part {
    Part(program: program(number), channel: state.channel(of: number))
  }

  /// What the host wanted, if it is of the family that was declared.
  func program(_ number: Int) -> Int {
    let family = state.voices[number].family
    return number < wantedCount && Instrument.family(of: programs[number]) == family
      ? programs[number] : Instrument.program(of: family)
  }

  func wanted(_ number: Int) -> Int { programs[number] }

  func want(_ wanted: UnsafeBufferPointer<Int32>) {
    wantedCount = min(wanted.count, Part.most)
    for i in 0..<wantedCount { programs[i] = Int(wanted[i]) }
  }

  func partConstraints(_ number: Int) -> PartConstraints { ofParts[number] }

  func set(_ constraints: PartConstraints, of number: Int) {
    ofParts[number] = constraints
    isStale = true
  }

  func copy(_ other: any PartGrammar) {
    wantedCount = other.wantedCount
    for i in 0..<Part.most {
      programs[i] = other.wanted(i)
      ofParts[i] = other.partConstraints(i)
    }
    isStale = true
  }

  var canForceNotes: Bool { true }

  func force(start: Int, duration: Int, pitch: Int) -> Bool {
    give(part: 0, start: start, duration: duration, pitch: pitch, velocity: 0)
  }

  func give(part: Int, start: Int, duration: Int, pitch: Int, velocity: Int) -> Bool {
    guard let steps = grid.steps(start: start, duration: duration), (0...127).contains(pitch),
      (0..<Part.most).contains(part)
    else { return false }
    let isKnown = time.phase == .inside
    guard !isKnown || part < state.count, isKnown || wantedCount == 0 || part < wantedCount else {
      return false
    }
    let isDrums =
      isKnown
      ? state.voices[part].isDrums : part < wantedCount && programs[part] == Instrument.drums
    guard !isDrums || drums[pitch] >= 0 else { return false }
    let from = steps.lowerBound
    let to = isDrums ? from + 1 : steps.upperBound
    let now = time.stepsOfPiece
    guard to > now else { return false }
    isStale = true
    return given.add(
      part: part, from: from, to: to, pitch: pitch,
      level: velocity > 0 ? Ensemble.level(of: velocity) : -1, now: now)
  }

  func clearForcedNotes() {
    given.clear()
    isStale = true
  }

  /// What is due in a part in this step.
  func due(_ part: Int) -> GivenNotes.Due {
    update()
    return dueNow[part]
  }

  /// Something was played.
  func notePlayed() { isStale = true }

  func update() {
    guard isStale else { return }
    isStale = false
    given.due(state, isGiven: { ofParts[$0].isGiven }, into: &dueNow)
    for i in 0..<state.count { allowed[i] = beginnings(i) }
  }

  /// The pitches on which the constraints let notes of a part begin.
  private func beginnings(_ part: Int) -> PitchSet {
    var set = PitchSet()
    let own = ofParts[part]
    guard !own.isGiven, !isMuted(part), own.voices > 0 else { return set }
    if state.voices[part].isDrums {
      set.low = 1 << UInt64(Ensemble.drumClasses) - 1
      return set
    }
    let lowest = max(own.lowest, constraints.lowest)
    let highest = min(own.highest, constraints.highest)
    for pitch in stride(from: lowest, through: highest, by: 1)
    where constraints.scale >> UInt32(pitch % 12) & 1 == 1 { set[pitch] = true }
    return set
  }

  func isMuted(_ part: Int) -> Bool {
    if ofParts[part].isMuted { return true }
    guard !ofParts[part].isSolo else { return false }
    for i in 0..<state.count where ofParts[i].isSolo { return true }
    return false
  }

  // MARK: - Snapshots

  static var stateSize: Int { 8 * EnsembleState.wordCount }

  func save(to bytes: UnsafeMutableRawPointer) { state.save(to: bytes) }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    guard let saved = EnsembleState(ensemble, from: bytes) else { return false }
    state = saved
    isStale = true
    return true
  }
}
