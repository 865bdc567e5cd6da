import Memory
import Platform

/// Which tokens of a grid may follow, and which the constraints leave of them.
final class GridGrammar: MusicGrammar {
  let grid: Grid
  /// What the event decoder and encoder read too.
  private(set) var state: GridState
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

  var bars: Int { state.bars }

  /// Between two pieces.
  var isComplete: Bool { state.phase == .outside }

  func advance(_ token: Int32) {
    state.advance(token)
    if state.phase == .outside { forcedCount = 0 }
  }

  var canForceNotes: Bool { true }

  func force(start: Int, duration: Int, pitch: Int) -> Bool {
    let step = grid.ticksPerStep
    guard start >= 0, duration > 0, start < 1 << 40, duration < 1 << 40 else { return false }
    let from = (start + step / 2) / step
    let to = max(from + 1, (start + duration + step / 2) / step)
    guard pitch >= 0, pitch < 128, place[pitch] >= 0, to > state.steps else { return false }
    // Room is made by forgetting what is past.
    if forcedCount == Self.mostForced {
      var kept = 0
      for i in 0..<forcedCount where forced[i].to > state.steps {
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
  private var owesForced: Bool {
    for i in 0..<forcedCount where forced[i].to > state.steps { return true }
    return false
  }

  func unsupported(_ constraints: MusicConstraints) -> UnsupportedConstraint? {
    if !grid.lasts {
      if constraints.lowest > 0 || constraints.highest < 127 { return .pitchRange }
      if constraints.scale != 0xFFF { return .scale }
      if constraints.key != 0 { return .key }
    }
    let timeSignature = TimeSignature(constraints.numerator, constraints.denominator)
    return constraints.numerator == 0 || grid.timeSignature(timeSignature) != nil
      ? nil : .timeSignature
  }

  // MARK: - What may follow

  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    switch state.phase {
    case .outside: keep(logits, only: Grid.start)
    case .opening: forbidOpening(logits)
    case .inside: forbidInside(logits)
    }
  }

  private func forbid(_ logits: UnsafeMutablePointer<Float>, _ tokens: Range<Int32>) {
    for token in tokens { logits[Int(token)] = -.infinity }
  }

  private func keep(_ logits: UnsafeMutablePointer<Float>, only token: Int32) {
    forbid(logits, 0..<token)
    forbid(logits, token + 1..<Int32(grid.vocabularySize))
    if logits[Int(token)] == -.infinity { logits[Int(token)] = 0 }
  }

  private func forbidOpening(_ logits: UnsafeMutablePointer<Float>) {
    if constraints.numerator > 0,
      let index = grid.timeSignature(TimeSignature(constraints.numerator, constraints.denominator))
    {
      return keep(logits, only: Grid.firstTimeSignature + Int32(index))
    }
    forbid(logits, 0..<Grid.firstTimeSignature)
    forbid(logits, grid.firstStep..<Int32(grid.vocabularySize))
    forbidTimeSignatures(logits, except: -1)
  }

  /// Forbids time signatures the material does not have or whose bars are no whole number of steps, and one
  /// more.
  private func forbidTimeSignatures(_ logits: UnsafeMutablePointer<Float>, except: Int) {
    for i in 0..<grid.timeSignatures.all.count
    where i == except || !grid.timeSignatures.isFound(i) || grid.barSteps(i) == nil {
      logits[Int(Grid.firstTimeSignature) + i] = -.infinity
    }
  }

  private func forbidInside(_ logits: UnsafeMutablePointer<Float>) {
    if constraints.bars > 0 && state.isAtBarLine && state.bars >= constraints.bars {
      return keep(logits, only: Grid.end)
    }
    logits[Int(Grid.start)] = -.infinity
    fillLastBar(logits)
    if !mayEnd { logits[Int(Grid.end)] = -.infinity }
    if mayChangeTimeSignature {
      forbidTimeSignatures(logits, except: state.timeSignature)
    } else {
      forbid(logits, Grid.firstTimeSignature..<grid.firstStep)
    }
    let next = Int32((state.position + 1) % state.barSteps)
    forbid(logits, grid.firstStep..<grid.firstStep + next)
    forbid(logits, grid.firstStep + next + 1..<grid.firstNew)
    forbidNotes(logits)
    if mustBegin {
      for pitch in 0..<grid.pitches where logits[Int(grid.firstNew) + pitch] > -.infinity {
        return forbid(logits, grid.firstStep..<grid.firstNew)
      }
    }
  }

  /// A piece has a note in its first bar, as all that are learned from do; so none is silence.
  private var mustBegin: Bool {
    !state.played && state.bars == 0 && state.position == state.barSteps - 1
      && state.last == grid.pitches
  }

  /// At a bar line, or, where the material does so, within a bar that is not the last.
  private var mayChangeTimeSignature: Bool {
    guard state.last == grid.pitches, !state.timeSignatureNamed, state.played,
      constraints.numerator == 0
    else { return false }
    if state.position == 0 { return true }
    return grid.timeSignatures.changesWithinBars
      && (constraints.bars == 0 || state.bars + 1 < constraints.bars)
  }

  /// Within the last bar, where nothing is named since the last step, pieces of the material may end. Here what would
  /// end the piece lets a step pass, and once the end is the likeliest, what is left of the bar is silent: it would
  /// have the upbeat to a phrase that does not come.
  private func fillLastBar(_ logits: UnsafeMutablePointer<Float>) {
    guard constraints.bars > 0, state.bars + 1 == constraints.bars, state.position > 0,
      state.last == grid.pitches, state.played, !owesForced
    else { return }
    let (end, step) = (Int(Grid.end), Int(grid.firstStep) + (state.position + 1) % state.barSteps)
    if !state.isOver {
      state.isOver = (0..<grid.vocabularySize).allSatisfy { $0 == end || logits[$0] < logits[end] }
    }
    if state.isOver { return keep(logits, only: Int32(step)) }
    let (low, high) = (min(logits[step], logits[end]), max(logits[step], logits[end]))
    if low > -.infinity { logits[step] = high + logf(1 + expf(low - high)) }
  }

  /// Nothing named since the last step or time signature, a note in the piece, and the host agrees.
  private var mayEnd: Bool {
    guard state.last == grid.pitches, state.played, constraints.bars == 0 else { return false }
    if state.timeSignatureNamed || owesForced { return false }
    switch constraints.ending {
    case .anywhere: return true
    case .barLine: return state.position == 0
    case .never: return false
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
