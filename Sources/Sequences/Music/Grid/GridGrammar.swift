import Memory

/// Which tokens of a grid may follow, and which the constraints leave of them.
final class GridGrammar: BarGrammar {
  let grid: Grid
  /// What the event decoder and encoder read too.
  private(set) var state: GridState
  var time: GridState { state }
  func setOver() { state.isOver = true }
  var vocabulary: Int { grid.vocabularySize }
  var isBetweenNotes: Bool { state.last == grid.pitches }
  var constraints = MusicConstraints()

  /// A note the host dictates: the steps it sounds in, and its pitch from the lowest.
  private struct Forced {
    var from, to, pitch: Int
  }
  private static let mostForced = 1024
  private let forced: GrowableBuffer<Forced>
  private var forcedCount = 0

  /// The pitch token of each MIDI pitch; -1 for none.
  private let place: [Int16]

  init(_ grid: Grid, place: [Int16]) throws(OutOfMemory) {
    self.grid = grid
    self.place = place
    state = GridState(grid)
    forced = try GrowableBuffer(
      repeating: Forced(from: 0, to: 0, pitch: 0), count: Self.mostForced)
  }

  func reset() {
    state = GridState(grid)
    forcedCount = 0
  }

  func advance(_ token: Int32) {
    state.advance(token)
    if state.phase == .outside { forcedCount = 0 }
  }

  var canForceNotes: Bool { true }

  func force(start: Int, duration: Int, pitch: Int) -> Bool {
    let now = state.stepsOfPiece
    guard let steps = grid.steps(start: start, duration: duration), pitch >= 0, pitch < 128,
      place[pitch] >= 0, steps.upperBound > now
    else { return false }
    let (from, to) = (steps.lowerBound, steps.upperBound)
    // Room is made by forgetting what is past.
    if forcedCount == Self.mostForced {
      var kept = 0
      for i in 0..<forcedCount where forced[i].to > now {
        forced[kept] = forced[i]
        kept += 1
      }
      forcedCount = kept
    }
    guard forcedCount < Self.mostForced, hasVoice(from, to, Int(place[pitch])) else { return false }
    forced[forcedCount] = Forced(
      from: from, to: grid.lasts ? to : from + 1, pitch: Int(place[pitch]))
    forcedCount += 1
    return true
  }

  /// Whether a dictated note more finds a voice beside those that overlap it. (Encodings have one, or
  /// one for each pitch.)
  private func hasVoice(_ from: Int, _ to: Int, _ pitch: Int) -> Bool {
    var pitches = PitchSet()
    pitches[pitch] = true
    for i in 0..<forcedCount where forced[i].from < to && from < forced[i].to {
      pitches[forced[i].pitch] = true
    }
    return pitches.count <= grid.voices
  }

  func clearForcedNotes() { forcedCount = 0 }

  /// Whether a forced note is still to come or not over.
  var owesNotes: Bool {
    for i in 0..<forcedCount where forced[i].to > state.steps { return true }
    return false
  }

  func unsupported(_ constraints: MusicConstraints) -> UnsupportedConstraint? {
    if !grid.lasts {
      if constraints.lowest > 0 || constraints.highest < 127 { return .pitchRange }
      if constraints.scale != 0xFFF { return .scale }
      if constraints.key != 0 { return .key }
    }
    return hasTimeSignature(constraints) ? nil : .timeSignature
  }

  // MARK: - What may follow

  func forbidHeader(_ logits: UnsafeMutablePointer<Float>) { forbidOpening(logits) }

  func forbidInside(_ logits: UnsafeMutablePointer<Float>) {
    guard forbidTime(logits) else { return }
    forbidNotes(logits)
    if mustBegin {
      for pitch in 0..<grid.pitches where logits[Int(grid.firstNew) + pitch] > -.infinity {
        return forbid(logits, grid.firstStep..<grid.firstNew)
      }
    }
  }

  private func forbidNotes(_ logits: UnsafeMutablePointer<Float>) {
    var due = PitchSet()
    var begins = PitchSet()
    var over = PitchSet()
    for i in 0..<forcedCount
    where forced[i].from <= state.steps && state.steps < forced[i].to
      && forced[i].pitch < state.last
    {
      let pitch = forced[i].pitch
      due[pitch] = true
      if forced[i].from == state.steps || !state.sounding[pitch] { begins[pitch] = true }
    }
    for i in 0..<forcedCount where forced[i].to == state.steps { over[forced[i].pitch] = true }
    let highestDue = due.highest
    if highestDue >= 0 {
      forbid(logits, grid.firstStep..<grid.firstNew)
      logits[Int(Grid.end)] = -.infinity
      forbid(logits, Grid.firstTimeSignature..<grid.firstStep)
    }
    let most = min(grid.voices, constraints.voices)
    let full = state.voices + due.count >= most
    for pitch in 0..<grid.pitches {
      let new = Int(grid.firstNew) + pitch
      let held = Int(grid.firstHeld) + pitch
      if pitch == highestDue {
        // The host's own note, whatever else it wished for.
        if begins[pitch] {
          if grid.lasts { logits[held] = -.infinity }
          if logits[new] == -.infinity { logits[new] = 0 }
        } else {
          logits[new] = -.infinity
          if logits[held] == -.infinity { logits[held] = 0 }
        }
        continue
      }
      let impossible = pitch >= state.last || pitch < highestDue || full
      if impossible || !isAllowed(pitch) {
        logits[new] = -.infinity
      } else {
        logits[new] += constraints.density
      }
      if grid.lasts && (impossible || !state.sounding[pitch] || over[pitch]) {
        logits[held] = -.infinity
      }
    }
  }

  private func isAllowed(_ pitch: Int) -> Bool {
    let absolute = pitch + grid.lowest
    // A drum has no place in a scale.
    guard grid.lasts else { return true }
    return absolute >= constraints.lowest && absolute <= constraints.highest
      && constraints.scale >> UInt32(absolute % 12) & 1 == 1
  }

  // MARK: - Snapshots

  static var stateSize: Int { 8 * GridState.wordCount }

  func save(to bytes: UnsafeMutableRawPointer) { state.save(to: bytes) }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    guard let saved = GridState(grid, from: bytes) else { return false }
    state = saved
    return true
  }
}

extension GridState {
  func save(to bytes: UnsafeMutableRawPointer) {
    let words = words
    for i in 0..<Self.wordCount {
      bytes.setWord(i, words[i])
    }
  }

  init?(_ grid: Grid, from bytes: UnsafeRawPointer) {
    var words = InlineArray<14, UInt64>(repeating: 0)
    for i in 0..<Self.wordCount {
      words[i] = bytes.word(i)
    }
    self.init(grid, words: words)
  }
}
