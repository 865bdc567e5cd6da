/// Turns the tokens of a grid into events: at the end of each step its note-offs, then its note-ons.
final class GridPlayer: TokenPlayer {
  private let grid: Grid
  private let channel: Int
  private let velocity: Int
  /// The MIDI pitch of each pitch token.
  private let pitches: [UInt8]
  private var state: GridState
  /// What sounds because this player began it.
  private var mine = PitchSet()
  /// What somebody else began in this step.
  private var theirs = PitchSet()

  /// Events not yet taken: at most a metre, and an off and an on for each pitch, and the end.
  private var queue: EventQueue

  init(_ grid: Grid, pitches: [UInt8], channel: Int, velocity: Int) {
    self.grid = grid
    self.pitches = pitches
    self.channel = channel
    self.velocity = velocity
    state = GridState(grid)
    queue = EventQueue(capacity: 2 * grid.pitches + 4)
  }

  func reset() {
    state = GridState(grid)
    mine = PitchSet()
    theirs = PitchSet()
    queue.reset()
  }

  func discard() { queue.discard() }

  func take(_ token: Int32, heard: Bool) {
    switch grid.meaning(token) {
    case .start:
      closeAll()
    case .metre(let index) where !heard:
      let metre = Metre.all[index]
      put(.metre, pitch: metre.numerator, velocity: metre.denominator)
    case .step:
      emitStep()
      if heard {
        queue.waiting = 0
      } else {
        if queue.isEmpty { put(.time, pitch: 0, velocity: 0) }
        queue.waiting += grid.ticksPerStep
      }
    case .end:
      closeAll()
      if !heard { put(.end, pitch: 0, velocity: 0) }
    case .new(let pitch) where heard: theirs[pitch] = true
    case .metre, .new, .held: break
    }
    state.advance(token)
  }

  func next() -> MusicEvent? { queue.next() }

  private func put(_ kind: MusicEvent.Kind, pitch: Int, velocity: Int) {
    let isNote = kind == .noteOn || kind == .noteOff
    queue.put(kind, channel: isNote ? channel : 0, pitch: pitch, velocity: velocity)
  }

  private func emitStep() {
    for pitch in 0..<grid.pitches where mine[pitch] && !state.held[pitch] {
      mine[pitch] = false
      put(.noteOff, pitch: Int(pitches[pitch]), velocity: 0)
    }
    for pitch in 0..<grid.pitches where state.new[pitch] && !theirs[pitch] {
      mine[pitch] = true
      put(.noteOn, pitch: Int(pitches[pitch]), velocity: velocity)
    }
    theirs = PitchSet()
  }

  private func closeAll() {
    for pitch in 0..<grid.pitches where mine[pitch] {
      mine[pitch] = false
      put(.noteOff, pitch: Int(pitches[pitch]), velocity: 0)
    }
  }

  static var stateSize: Int { 8 * (GridState.wordCount + 5) }

  func save(to bytes: UnsafeMutableRawPointer) {
    state.save(to: bytes)
    let rest = bytes + 8 * GridState.wordCount
    rest.storeBytes(of: mine.low, as: UInt64.self)
    rest.storeBytes(of: mine.high, toByteOffset: 8, as: UInt64.self)
    rest.storeBytes(of: UInt64(queue.waiting), toByteOffset: 16, as: UInt64.self)
    rest.storeBytes(of: theirs.low, toByteOffset: 24, as: UInt64.self)
    rest.storeBytes(of: theirs.high, toByteOffset: 32, as: UInt64.self)
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    let rest = bytes + 8 * GridState.wordCount
    var mine = PitchSet()
    mine.low = rest.loadUnaligned(as: UInt64.self)
    mine.high = rest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let waiting = rest.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    var theirs = PitchSet()
    theirs.low = rest.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
    theirs.high = rest.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
    guard let state = GridState(grid, from: bytes), mine.highest < grid.pitches,
      theirs.highest < grid.pitches,
      waiting < 1 << 48
    else { return false }
    self.state = state
    self.mine = mine
    self.theirs = theirs
    queue.reset()
    queue.waiting = Int(waiting)
    return true
  }
}
