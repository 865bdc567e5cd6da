/// Performances: note-on, note-off, time and velocity as played.
///
/// Lost are: time finer than 10 ms, velocity finer than four steps, channels and programs, drums, and
/// of notes and silences what is beyond the limits. Notes held by the sustain pedal last until it is
/// released. A note that would begin on a key that still sounds ends the one before.
public final class PerformanceEncoding: MusicEncoding {
  public static let name = "performance"

  public let limits: PerformanceLimits

  public init(limits: PerformanceLimits = .widest) { self.limits = limits }

  init(properties: [String: EncodingProperty]) {
    func steps(_ name: String) -> Int { properties[name]?.string.flatMap { Int($0) } ?? .max }
    limits = PerformanceLimits(clamping: steps("longest_note"), steps("longest_silence"))
  }

  public var vocabularySize: Int { PerformanceTokens.count }
  public var properties: [String: EncodingProperty] {
    [
      "longest_note": .short(String(limits.note)),
      "longest_silence": .short(String(limits.silence)),
    ]
  }
  public var ticksPerQuarter: Int { PerformanceTokens.ticksPerQuarter }

  public func select(_ file: MIDIFile) -> [MIDINote] {
    file.notes(sustain: true).filter { $0.channel != drumChannel }
  }

  public func encode(_ file: MIDIFile) -> [Int32]? { encode(file, stretch: 1) }

  /// The tokens of a piece played `stretch` times as long.
  public func encode(_ file: MIDIFile, stretch: Double) -> [Int32]? {
    /// Something at a step; ends come before beginnings, each from the lowest pitch up.
    struct Moment {
      let step: Int
      let begins: Bool
      let pitch, bin: Int
    }
    let clock = file.tempoMap
    func step(_ tick: Int) -> Int {
      Int(min(clock.seconds(at: tick) * 100 * stretch, 1e12).rounded())
    }
    var moments: [Moment] = []
    /// The place in `moments` of the end of the last note of each pitch, and where it began.
    var last = [(end: Int, start: Int)?](repeating: nil, count: 128)
    for note in select(file) {
      let start = step(note.start)
      var end = min(start + limits.note, max(start + 1, step(note.start + note.duration)))
      if let before = last[note.pitch], moments[before.end].step > start {
        // Of two notes that begin together the longer stays; else the later one cuts the other.
        if before.start == start {
          end = max(end, moments[before.end].step)
          moments[before.end] = Moment(step: end, begins: false, pitch: note.pitch, bin: 0)
          continue
        }
        moments[before.end] = Moment(step: start, begins: false, pitch: note.pitch, bin: 0)
      }
      moments.append(
        Moment(
          step: start, begins: true, pitch: note.pitch, bin: PerformanceTokens.bin(note.velocity)))
      last[note.pitch] = (moments.count, start)
      moments.append(Moment(step: end, begins: false, pitch: note.pitch, bin: 0))
    }
    guard !moments.isEmpty else { return nil }
    moments.sort {
      ($0.step, $0.begins ? 1 : 0, $0.pitch) < ($1.step, $1.begins ? 1 : 0, $1.pitch)
    }
    var tokens: [Int32] = [PerformanceTokens.start]
    var now = 0
    var bin = -1
    for moment in moments {
      PerformanceTokens.shift(min(moment.step - now, limits.silence)) {
        tokens.append($0)
      }
      now = moment.step
      if moment.begins {
        if moment.bin != bin {
          bin = moment.bin
          tokens.append(PerformanceTokens.firstVelocity + Int32(bin))
        }
        tokens.append(PerformanceTokens.firstOn + Int32(moment.pitch))
      } else {
        tokens.append(PerformanceTokens.firstOff + Int32(moment.pitch))
      }
    }
    tokens.append(PerformanceTokens.end)
    return tokens
  }

  public func withoutOpeningSilence(_ tokens: [Int32]) -> [Int32] {
    let silent = tokens.dropFirst().prefix {
      $0 >= PerformanceTokens.firstShift && $0 < PerformanceTokens.firstVelocity
    }.count
    return Array(tokens[..<1] + tokens[(1 + silent)...])
  }

  public func withoutClosingSilence(_ tokens: [Int32]) -> [Int32] {
    let silent = tokens.dropLast().reversed().prefix {
      $0 >= PerformanceTokens.firstShift && $0 < PerformanceTokens.firstVelocity
    }.count
    return Array(tokens.dropLast(silent + 1) + tokens.suffix(1))
  }

  public func steps(of tokens: UnsafeBufferPointer<Int32>) -> Int? { nil }

  public func ticks(of token: Int32) -> Int {
    if case .shift(let steps) = PerformanceTokens.meaning(token) {
      steps * PerformanceTokens.ticksPerStep
    } else {
      0
    }
  }

  public func transposed(_ token: Int32, by semitones: Int) -> Int32 {
    token >= PerformanceTokens.firstOn && token < PerformanceTokens.firstShift
      ? token + Int32(semitones) : token
  }

  public func pitch(of token: Int32) -> Int? {
    switch PerformanceTokens.meaning(token) {
    case .on(let pitch), .off(let pitch): pitch
    default: nil
    }
  }

  public func name(of token: Int32) -> String {
    switch PerformanceTokens.meaning(token) {
    case .start: "START"
    case .end: "END"
    case .on(let pitch): "NOTE_ON \(pitch)"
    case .off(let pitch): "NOTE_OFF \(pitch)"
    case .shift(let steps): "TIME_SHIFT \(steps * 10)"
    case .velocity(let bin): "VELOCITY \(PerformanceTokens.velocity(bin))"
    }
  }

  public var pitchRange: ClosedRange<Int> { 0...127 }
  public func makeMusicGrammar() -> any MusicGrammar { PerformanceGrammar(limits) }
  public func makePlayer() -> any TokenPlayer { PerformancePlayer() }
  public func makeListener() -> any EventListener { PerformanceListener(limits) }
}
