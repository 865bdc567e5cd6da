/// Turns the tokens of a performance into events.
final class PerformanceEventDecoder: EventDecoder {
  private var sounding = PitchSet()
  private var bin = 16
  /// Events not yet taken: a note, or an off for each pitch and the end.
  private var queue = EventQueue()

  func reset() {
    sounding = PitchSet()
    bin = 16
    queue.reset()
  }

  func take(_ token: Int32, heard: Bool) {
    switch PerformanceTokens.meaning(token) {
    case .start: closeAll(heard: heard)
    case .end:
      closeAll(heard: heard)
      if !heard { queue.put(.end, pitch: 0, velocity: 0) }
    case .on(let pitch):
      end(pitch)
      if heard { return }
      sounding[pitch] = true
      queue.put(.noteOn, pitch: pitch, velocity: PerformanceTokens.velocity(bin))
    case .off(let pitch): end(pitch)
    case .shift where heard: queue.waiting = 0
    case .shift(let steps):
      queue.waiting += steps * PerformanceTokens.ticksPerStep
      let second = PerformanceTokens.longestShift * PerformanceTokens.ticksPerStep
      if queue.waiting >= second { queue.put(.time, pitch: 0, velocity: 0) }
    case .velocity(let bin): self.bin = bin
    }
  }

  func next() -> MusicEvent? { queue.next() }
  var waiting: Int { queue.waiting }
  func skipTime() { queue.waiting = 0 }

  private func end(_ pitch: Int) {
    if sounding[pitch] { queue.put(.noteOff, pitch: pitch, velocity: 0) }
    sounding[pitch] = false
  }

  /// Ends all notes. The time of a piece that others begin or end is theirs.
  private func closeAll(heard: Bool) {
    if heard { queue.waiting = 0 }
    for pitch in 0..<128 { end(pitch) }
  }

  static var stateSize: Int { 24 + EventQueue.stateSize }

  func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, sounding.low)
    bytes.setWord(1, sounding.high)
    bytes.setWord(2, UInt64(bin))
    queue.save(to: bytes + 24)
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.word(i) }
    guard word(2) < 32, queue.restore(from: bytes + 24) else { return false }
    sounding.low = word(0)
    sounding.high = word(1)
    bin = Int(word(2))
    return true
  }
}
