/// Which tokens of a performance may follow, and which the musician's wishes leave of them.
final class PerformanceGrammar: MusicGrammar {
  private typealias Tokens = PerformanceTokens
  private var state = PerformanceState()
  var controls = MusicControls()

  func reset() { state = PerformanceState() }
  func advance(_ token: Int32) { state.advance(token) }
  var isComplete: Bool { !state.inside }

  /// A performance has no bars.
  var bars: Int { 0 }
  func force(start: Int, duration: Int, pitch: Int) -> Bool { false }
  func forceNothing() {}

  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    guard state.inside else {
      forbid(logits, 1..<Int32(Tokens.count))
      if logits[0] == -.infinity { logits[0] = 0 }
      return
    }
    logits[Int(Tokens.start)] = -.infinity
    // It ends in silence, once something was played.
    if !state.played || !state.sounding.isEmpty || state.velocityNamed || controls.ending == .never
    {
      logits[Int(Tokens.end)] = -.infinity
    }
    forbidNotes(logits)
    guard canBegin else {
      // Time can always pass, where wishes that changed meanwhile leave nothing else.
      let mayEnd = logits[Int(Tokens.end)] > -.infinity
      if state.shiftOver && (!state.sounding.isEmpty || mayEnd) {
        forbid(logits, Tokens.firstShift..<Tokens.firstVelocity)
      }
      forbid(logits, Tokens.firstVelocity..<Int32(Tokens.count))
      return
    }
    if state.velocityNamed {
      forbid(logits, Tokens.firstShift..<Int32(Tokens.count))
      return
    }
    if state.shiftOver { forbid(logits, Tokens.firstShift..<Tokens.firstVelocity) }
    if state.bin >= 0 { logits[Int(Tokens.firstVelocity) + state.bin] = -.infinity }
  }

  private func forbid(_ logits: UnsafeMutablePointer<Float>, _ tokens: Range<Int32>) {
    for token in tokens { logits[Int(token)] = -.infinity }
  }

  private var isFull: Bool { state.sounding.count >= controls.voices }

  private func mayBegin(_ pitch: Int) -> Bool {
    pitch > state.lastOn && !state.sounding[pitch] && pitch >= controls.lowest
      && pitch <= controls.highest && controls.scale >> UInt16(pitch % 12) & 1 == 1
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
        logits[on] += controls.density
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
