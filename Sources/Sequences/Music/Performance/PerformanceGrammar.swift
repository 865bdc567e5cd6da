/// Which tokens of a performance may follow, and which the constraints leave of them.
final class PerformanceGrammar: MusicGrammar {
  private typealias Tokens = PerformanceTokens
  private let limits: PerformanceLimits
  /// What the event encoder reads too.
  private(set) var state = PerformanceState()
  var constraints = MusicConstraints()

  init(_ limits: PerformanceLimits) { self.limits = limits }

  func reset() { state = PerformanceState() }
  func advance(_ token: Int32) { state.advance(token) }
  var isComplete: Bool { !state.inside }

  /// A performance has no bars.
  var bars: Int { 0 }
  var canForceNotes: Bool { false }
  func force(start: Int, duration: Int, pitch: Int) -> Bool { false }
  func clearForcedNotes() {}

  func unsupported(_ constraints: MusicConstraints) -> UnsupportedConstraint? {
    if constraints.bars > 0 { return .bars }
    if constraints.numerator > 0 { return .timeSignature }
    return constraints.ending == .barLine ? .ending : nil
  }

  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    let step = logits[Int(Tokens.firstShift)]
    keepToOrder(logits)
    // Time can pass where wishes that changed, or what somebody else played, leave nothing else.
    for token in 0..<Tokens.count where logits[token] > -.infinity { return }
    logits[Int(Tokens.firstShift)] = step
  }

  private func keepToOrder(_ logits: UnsafeMutablePointer<Float>) {
    guard state.inside else {
      forbid(logits, 1..<Int32(Tokens.count))
      if logits[0] == -.infinity { logits[0] = 0 }
      return
    }
    logits[Int(Tokens.start)] = -.infinity
    if let overdue {
      forbid(logits, Tokens.end..<Tokens.firstOff)
      forbid(logits, Tokens.firstShift..<Int32(Tokens.count))
      for pitch in 0..<128
      where !state.sounding[pitch] || pitch <= state.lastOff || pitch > overdue {
        logits[Int(Tokens.firstOff) + pitch] = -.infinity
      }
      return
    }
    // It ends in silence, once something was played.
    if !state.played || !state.sounding.isEmpty || state.velocityNamed
      || constraints.ending == .never
    {
      logits[Int(Tokens.end)] = -.infinity
    }
    forbidNotes(logits)
    guard canBegin else {
      let mayEnd = logits[Int(Tokens.end)] > -.infinity
      if !state.sounding.isEmpty || mayEnd {
        forbidShifts(logits)
      } else {
        // Nothing can happen: a second at a time passes.
        forbid(logits, Tokens.firstShift..<Tokens.firstVelocity - 1)
      }
      forbid(logits, Tokens.firstVelocity..<Int32(Tokens.count))
      return
    }
    if state.velocityNamed {
      forbid(logits, Tokens.firstShift..<Int32(Tokens.count))
      return
    }
    forbidShifts(logits)
    if state.bin >= 0 { logits[Int(Tokens.firstVelocity) + state.bin] = -.infinity }
  }

  /// The lowest pitch that has sounded for as long as a note may: it must end before anything else.
  private var overdue: Int? {
    guard state.lastOn < 0 && !state.velocityNamed else { return nil }
    for pitch in 0..<128
    where state.sounding[pitch] && pitch > state.lastOff && state.age(pitch) >= limits.note {
      return pitch
    }
    return nil
  }

  /// Leaves the shifts that end before a note or the silence would last too long.
  private func forbidShifts(_ logits: UnsafeMutablePointer<Float>) {
    var most = state.shiftOver ? 0 : min(Tokens.longestShift, limits.silence - state.waited)
    for pitch in 0..<128 where state.sounding[pitch] {
      most = min(most, limits.note - state.age(pitch))
    }
    forbid(logits, Tokens.firstShift + Int32(max(0, most))..<Tokens.firstVelocity)
  }

  private func forbid(_ logits: UnsafeMutablePointer<Float>, _ tokens: Range<Int32>) {
    for token in tokens { logits[Int(token)] = -.infinity }
  }

  private var isFull: Bool { state.sounding.count >= constraints.voices }

  private func mayBegin(_ pitch: Int) -> Bool {
    pitch > state.lastOn && !state.sounding[pitch] && pitch >= constraints.lowest
      && pitch <= constraints.highest && constraints.scale >> UInt32(pitch % 12) & 1 == 1
  }

  /// Whether any note may begin now, so that a velocity leads somewhere.
  private var canBegin: Bool {
    guard !isFull else { return false }
    for pitch in 0..<128 where mayBegin(pitch) { return true }
    return false
  }

  private func forbidNotes(_ logits: UnsafeMutablePointer<Float>) {
    let full = isFull
    for pitch in 0..<128 {
      let on = Int(Tokens.firstOn) + pitch
      if full || state.bin < 0 || !mayBegin(pitch) {
        logits[on] = -.infinity
      } else {
        logits[on] += constraints.density
      }
      // Note-offs come before the moment's note-ons, from the lowest up.
      if !state.sounding[pitch] || pitch <= state.lastOff || state.lastOn >= 0
        || state.velocityNamed
      {
        logits[Int(Tokens.firstOff) + pitch] = -.infinity
      }
    }
  }

  static var stateSize: Int { 8 * PerformanceState.wordCount }
  func save(to bytes: UnsafeMutableRawPointer) { state.save(to: bytes) }
  func restore(from bytes: UnsafeRawPointer) -> Bool {
    guard let saved = PerformanceState(from: bytes) else { return false }
    state = saved
    return true
  }
}
