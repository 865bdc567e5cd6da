/// Turns the tokens of a grid into events: at the end of each step its note-offs, then its note-ons.
final class GridEventDecoder: EventDecoder {
  private let grammar: GridGrammar
  private let grid: Grid
  private let channel: Int
  private let velocity: Int
  /// The MIDI pitch of each pitch token.
  private let pitches: [UInt8]
  /// What sounds because this decoder began it.
  private var mine = PitchSet()
  /// What somebody else began in this step.
  private var theirs = PitchSet()

  /// Events not yet taken: at most a time signature, and an off and an on for each pitch, and the end.
  private var queue: EventQueue

  /// - `grammar`: whose state this reads.
  init(_ grammar: GridGrammar, pitches: [UInt8], channel: Int, velocity: Int) {
    self.grammar = grammar
    grid = grammar.grid
    self.pitches = pitches
    self.channel = channel
    self.velocity = velocity
    queue = EventQueue()
  }

  func reset() {
    mine = PitchSet()
    theirs = PitchSet()
    queue.reset()
  }

  func take(_ token: Int32, heard: Bool) {
    switch grid.meaning(token) {
    case .start: closeAll(heard: heard)
    case .timeSignature(let index) where !heard:
      let timeSignature = grid.timeSignatures.all[index]
      put(.timeSignature, pitch: timeSignature.numerator, velocity: timeSignature.denominator)
    case .step:
      // The time of what others play is theirs: what ends in it ends at once.
      if heard { queue.waiting = 0 }
      emitStep()
      if !heard {
        if queue.isEmpty { put(.time, pitch: 0, velocity: 0) }
        queue.waiting += grid.ticksPerStep
      }
    case .end:
      closeAll(heard: heard)
      if !heard { put(.end, pitch: 0, velocity: 0) }
    case .new(let pitch) where heard: theirs[pitch] = true
    case .timeSignature, .new, .held: break
    }
  }

  func next() -> MusicEvent? { queue.next() }
  var waiting: Int { queue.waiting }
  func skipTime() { queue.waiting = 0 }

  private func put(_ kind: MusicEvent.Kind, pitch: Int, velocity: Int) {
    let isNote = kind == .noteOn || kind == .noteOff
    queue.put(kind, channel: isNote ? channel : 0, pitch: pitch, velocity: velocity)
  }

  private func emitStep() {
    for pitch in 0..<grid.pitches where mine[pitch] && !grammar.state.held[pitch] {
      mine[pitch] = false
      put(.noteOff, pitch: Int(pitches[pitch]), velocity: 0)
    }
    for pitch in 0..<grid.pitches where grammar.state.new[pitch] && !theirs[pitch] {
      mine[pitch] = true
      put(.noteOn, pitch: Int(pitches[pitch]), velocity: velocity)
    }
    theirs = PitchSet()
  }

  /// Ends all notes. The time of a piece that others begin or end is theirs.
  private func closeAll(heard: Bool) {
    if heard { queue.waiting = 0 }
    for pitch in 0..<grid.pitches where mine[pitch] {
      mine[pitch] = false
      put(.noteOff, pitch: Int(pitches[pitch]), velocity: 0)
    }
  }

  /// The words of the grammar's state come first, 0: it saves them, and earlier versions did so here too.
  static var stateSize: Int { 8 * (GridState.wordCount + 4) + EventQueue.stateSize }

  func save(to bytes: UnsafeMutableRawPointer) {
    for i in 0..<GridState.wordCount { bytes.setWord(i, 0) }
    let rest = bytes + 8 * GridState.wordCount
    rest.setWord(0, mine.low)
    rest.setWord(1, mine.high)
    rest.setWord(2, theirs.low)
    rest.setWord(3, theirs.high)
    queue.save(to: rest + 32)
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    let rest = bytes + 8 * GridState.wordCount
    func word(_ i: Int) -> UInt64 { rest.word(i) }
    var mine = PitchSet()
    (mine.low, mine.high) = (word(0), word(1))
    var theirs = PitchSet()
    (theirs.low, theirs.high) = (word(2), word(3))
    guard mine.highest < grid.pitches, theirs.highest < grid.pitches,
      queue.restore(from: rest + 32)
    else { return false }
    self.mine = mine
    self.theirs = theirs
    return true
  }
}
