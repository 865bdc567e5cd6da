/// Turns the tokens of a performance into events.
final class PerformancePlayer: TokenPlayer {
  private var sounding = PitchSet()
  private var bin = 16
  /// Events not yet taken: a note, or an off for each pitch and the end.
  private var queue = EventQueue(capacity: 130)

  func reset() {
    sounding = PitchSet()
    bin = 16
    queue.reset()
  }

  func discard() { queue.discard() }

  func take(_ token: Int32, heard: Bool) {
    switch PerformanceTokens.meaning(token) {
    case .start: closeAll()
    case .end:
      closeAll()
      if !heard { queue.put(.end, pitch: 0, velocity: 0) }
    case .on(let pitch) where heard:
      if sounding[pitch] { queue.put(.noteOff, pitch: pitch, velocity: 0) }
      sounding[pitch] = false
    case .on(let pitch):
      sounding[pitch] = true
      queue.put(.noteOn, pitch: pitch, velocity: PerformanceTokens.velocity(bin))
    case .off(let pitch):
      if sounding[pitch] { queue.put(.noteOff, pitch: pitch, velocity: 0) }
      sounding[pitch] = false
    case .shift where heard: queue.waiting = 0
    case .shift(let steps):
      queue.waiting += steps * PerformanceTokens.ticksPerStep
      if steps == PerformanceTokens.longestShift { queue.put(.time, pitch: 0, velocity: 0) }
    case .velocity(let bin): self.bin = bin
    }
  }

  func next() -> MusicEvent? { queue.next() }

  private func closeAll() {
    for pitch in 0..<128 where sounding[pitch] { queue.put(.noteOff, pitch: pitch, velocity: 0) }
    sounding = PitchSet()
  }

  static var stateSize: Int { 32 }

  func save(to bytes: UnsafeMutableRawPointer) {
    let words: InlineArray<4, UInt64> = [
      sounding.low, sounding.high, UInt64(bin), UInt64(queue.waiting),
    ]
    for i in 0..<4 { bytes.storeBytes(of: words[i], toByteOffset: 8 * i, as: UInt64.self) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self) }
    guard word(2) < 32, word(3) < 1 << 48 else { return false }
    sounding.low = word(0)
    sounding.high = word(1)
    bin = Int(word(2))
    queue.reset()
    queue.waiting = Int(word(3))
    return true
  }
}

/// Turns events into the tokens of a performance as they come.
final class PerformanceListener: EventListener {
  private typealias Tokens = PerformanceTokens
  private var began = false
  /// Ticks not yet said.
  private var waiting = 0
  private var bin = -1
  private var sounding = PitchSet()

  func reset() {
    began = false
    waiting = 0
    bin = -1
    sounding = PitchSet()
  }

  func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    begin(each)
    let most = PerformanceLimits.widest.silence * Tokens.ticksPerStep
    waiting = min(most, waiting + max(0, min(event.delta, most)))
    guard event.pitch >= 0, event.pitch < 128 else { return }
    switch event.kind {
    case .noteOn where event.velocity > 0:
      passTime(each)
      if sounding[event.pitch] { each(Tokens.firstOff + Int32(event.pitch)) }
      if Tokens.bin(event.velocity) != bin {
        bin = Tokens.bin(event.velocity)
        each(Tokens.firstVelocity + Int32(bin))
      }
      each(Tokens.firstOn + Int32(event.pitch))
      sounding[event.pitch] = true
    case .noteOn, .noteOff:
      guard sounding[event.pitch] else { return }
      passTime(each)
      each(Tokens.firstOff + Int32(event.pitch))
      sounding[event.pitch] = false
    default: break
    }
  }

  func finish(_ each: (Int32) -> Void) {
    begin(each)
    passTime(each)
  }

  func follow(_ token: Int32) {
    switch Tokens.meaning(token) {
    case .start:
      reset()
      began = true
    case .end: reset()
    case .on(let pitch): sounding[pitch] = true
    case .off(let pitch): sounding[pitch] = false
    case .velocity(let bin): self.bin = bin
    case .shift: waiting = 0
    }
  }

  static var stateSize: Int { 40 }

  func save(to bytes: UnsafeMutableRawPointer) {
    let words: InlineArray<5, UInt64> = [
      began ? 1 : 0, UInt64(waiting), UInt64(bin + 1), sounding.low, sounding.high,
    ]
    for i in 0..<5 { bytes.storeBytes(of: words[i], toByteOffset: 8 * i, as: UInt64.self) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self) }
    guard word(0) <= 1, word(1) < 1 << 32, word(2) <= 32 else { return false }
    began = word(0) == 1
    waiting = Int(word(1))
    bin = Int(word(2)) - 1
    sounding.low = word(3)
    sounding.high = word(4)
    return true
  }

  private func begin(_ each: (Int32) -> Void) {
    guard !began else { return }
    began = true
    each(Tokens.start)
  }

  private func passTime(_ each: (Int32) -> Void) {
    let steps = (waiting + Tokens.ticksPerStep / 2) / Tokens.ticksPerStep
    waiting -= steps * Tokens.ticksPerStep
    Tokens.shift(steps, each)
  }
}
