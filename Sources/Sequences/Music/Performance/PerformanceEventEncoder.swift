/// Turns events into the tokens of a performance as they come. What the limits do not allow is cut, as
/// in the performances the model learned from.
final class PerformanceEventEncoder: EventEncoder {
  private typealias Tokens = PerformanceTokens
  private let limits: PerformanceLimits
  private let grammar: PerformanceGrammar
  /// Ticks not yet said; below 0 after a moment had to be moved.
  private var waiting = 0

  /// - `grammar`: whose state this reads.
  init(_ limits: PerformanceLimits, _ grammar: PerformanceGrammar) {
    self.limits = limits
    self.grammar = grammar
  }

  func reset() { waiting = 0 }

  func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    begin(each)
    let most = limits.silence * Tokens.ticksPerStep
    waiting = max(-most, min(most, waiting + min(event.delta, most)))
    guard event.pitch >= 0, event.pitch < 128 else { return }
    switch event.kind {
    case .end where grammar.state.played:
      passTime(each)
      for pitch in 0..<128 where grammar.state.sounding[pitch] { end(pitch, each) }
      each(Tokens.end)
      waiting = 0
    case .noteOn where event.velocity > 0:
      passTime(each)
      endOverdue(below: 128, each)
      if grammar.state.sounding[event.pitch] { end(event.pitch, each) }
      if event.pitch <= grammar.state.lastOn { passStep(each) }
      let bin = Tokens.bin(event.velocity)
      if bin != grammar.state.bin { each(Tokens.firstVelocity + Int32(bin)) }
      each(Tokens.firstOn + Int32(event.pitch))
    case .noteOn, .noteOff:
      guard grammar.state.sounding[event.pitch] else { return }
      passTime(each)
      endOverdue(below: event.pitch, each)
      if grammar.state.sounding[event.pitch] { end(event.pitch, each) }
    default: break
    }
  }

  func finish(_ each: (Int32) -> Void) {
    begin(each)
    passTime(each)
  }

  func follow(_ token: Int32) {
    switch Tokens.meaning(token) {
    case .start, .end, .shift: waiting = 0
    default: break
    }
  }

  private func begin(_ each: (Int32) -> Void) {
    if !grammar.state.inside { each(Tokens.start) }
  }

  /// Notes of one moment end before others begin, each in rising order: what was played in another
  /// order is said to be a step apart.
  private func end(_ pitch: Int, _ each: (Int32) -> Void) {
    if grammar.state.lastOn >= 0 || pitch <= grammar.state.lastOff { passStep(each) }
    if grammar.state.sounding[pitch] { each(Tokens.firstOff + Int32(pitch)) }
  }

  private func passStep(_ each: (Int32) -> Void) {
    waiting -= Tokens.ticksPerStep
    pass(1, each)
  }

  private func passTime(_ each: (Int32) -> Void) {
    let steps = max(0, (waiting + Tokens.ticksPerStep / 2) / Tokens.ticksPerStep)
    waiting -= steps * Tokens.ticksPerStep
    pass(min(steps, max(0, limits.silence - grammar.state.waited)), each)
  }

  /// Lets steps pass. Notes that would last too long end on the way.
  private func pass(_ steps: Int, _ each: (Int32) -> Void) {
    var rest = steps
    while rest > 0 {
      endOverdue(below: 128, each)
      var part = min(rest, Tokens.longestShift)
      for pitch in 0..<128 where grammar.state.sounding[pitch] {
        part = min(part, max(1, limits.note - grammar.state.age(pitch)))
      }
      each(Tokens.firstShift + Int32(part - 1))
      rest -= part
    }
  }

  /// Ends the notes that have lasted as long as they may, where notes may end at this moment.
  private func endOverdue(below pitch: Int, _ each: (Int32) -> Void) {
    guard grammar.state.lastOn < 0 else { return }
    for pitch in grammar.state.lastOff + 1..<max(pitch, grammar.state.lastOff + 1)
    where grammar.state.sounding[pitch] && grammar.state.age(pitch) >= limits.note {
      each(Tokens.firstOff + Int32(pitch))
    }
  }

  var ahead: Int { waiting }
  func catchUp() { waiting = 0 }

  /// The words after the first are 0: the grammar saves its state, and earlier versions did so here too.
  static var stateSize: Int { 8 * (PerformanceState.wordCount + 1) }

  func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(bitPattern: Int64(waiting)))
    for i in 1...PerformanceState.wordCount { bytes.setWord(i, 0) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    let ticks = Int64(bitPattern: bytes.word(0))
    guard ticks.magnitude < 1 << 32 else { return false }
    waiting = Int(ticks)
    return true
  }
}
