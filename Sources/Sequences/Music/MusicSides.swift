/// The side inputs of music, and their values.
///
/// | name | values |
/// |---|---|
/// | `bars_to_go` | bars up to the end of the piece, the present one included: 1 for none, 2 for one, up to 33 for 32 or more |
/// | `phrase` | the place of the bar in a phrase of eight: 1 to 8 |
/// | `key` | the key of the piece, a `MusicKey` |
/// | `close` | 1 before the last bar; in it 2 for the tonic C, up to 13 for B |
///
/// 0 is "not told". Encodings on a grid have the first two, those with pitches `key`, those with both `close`
/// too. It is told of pieces that end on the tonic of their key, and so a model that is told it ends there.
enum MusicSides {
  static let barsToGo = SideInput(name: "bars_to_go", count: 34)
  static let phrase = SideInput(name: "phrase", count: 9)
  static let key = SideInput(name: "key", count: MusicKey.count)
  static let close = SideInput(name: "close", count: 14)

  static func inputs(hasBars: Bool, hasKey: Bool) -> [SideInput] {
    (hasBars ? [barsToGo, phrase] : []) + (hasKey ? [key] : []) + (hasBars && hasKey ? [close] : [])
  }

  /// Whether `close`, the last of the four of an encoding with bars and pitches, tells the tonic.
  static func tellEnding(_ values: UnsafePointer<Int32>) -> Bool { values[3] > 1 }

  /// Writes the values at a place of a piece.
  ///
  /// - `bars`: complete bars.
  @inline(__always)
  static func write(
    bars: Int, _ facts: SideFacts, hasBars: Bool, hasKey: Bool,
    into values: UnsafeMutablePointer<Int32>
  ) {
    var next = 0
    func put(_ value: Int32) {
      values[next] = facts.hidden >> UInt32(next) & 1 == 1 ? 0 : value
      next += 1
    }
    let left = Int(facts.bars) - bars
    if hasBars {
      put(facts.bars <= 0 ? 0 : Int32(1 + min(max(left, 0), 32)))
      put(Int32(bars % 8 + 1))
    }
    if hasKey { put(facts.key) }
    if hasBars && hasKey {
      // Not where one of those it is made of is hidden.
      let isTold =
        facts.bars > 0 && facts.key > 0 && facts.endsOnTonic && facts.hidden & 0b101 == 0
      put(!isTold ? 0 : left > 1 ? 1 : (facts.key - 1) % 12 + 2)
    }
  }
}

/// Follows a piece on a grid.
final class GridSideCursor: SideCursor {
  private let grid: Grid
  private var facts = SideFacts()
  private var position = 0
  /// Complete bars.
  private(set) var bars = 0

  init(_ grid: Grid) { self.grid = grid }

  func begin(_ facts: SideFacts) {
    self.facts = facts
    (position, bars) = (0, 0)
  }

  func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>) {
    follow(token)
    MusicSides.write(
      bars: bars, facts, hasBars: true, hasKey: grid.lasts, into: values)
  }

  private func follow(_ token: Int32) {
    switch grid.meaning(token) {
    case .timeSignature:
      // A bar that is cut short is complete.
      if position != 0 { bars += 1 }
      position = 0
    case .step(let next):
      if next == 0 { bars += 1 }
      position = next
    case .start, .end, .new, .held: break
    }
  }

  /// What a whole piece tells of itself.
  static func facts(of piece: UnsafeBufferPointer<Int32>, _ grid: Grid) -> SideFacts {
    let cursor = GridSideCursor(grid)
    var times = PitchClassTimes()
    // The highest of the notes that began last, and whether time has passed since.
    var (last, isPast) = (0, true)
    for token in piece {
      cursor.follow(token)
      guard grid.lasts else { continue }
      switch grid.meaning(token) {
      case .new(let pitch):
        last = isPast ? pitch + grid.lowest : max(last, pitch + grid.lowest)
        isPast = false
      case .step: isPast = true
      case .start, .end, .timeSignature, .held: break
      }
      if let pitch = grid.pitch(token) { times.add(pitch: pitch + grid.lowest) }
    }
    var facts = SideFacts()
    facts.bars = Int32(clamping: cursor.bars + (cursor.position == 0 ? 0 : 1))
    facts.key = times.key()
    facts.endsOnTonic = facts.key > 0 && last % 12 == Int(facts.key - 1) % 12
    return facts
  }
}

/// Follows a performance, which has a key alone.
final class PerformanceSideCursor: SideCursor {
  private var facts = SideFacts()

  func begin(_ facts: SideFacts) { self.facts = facts }

  func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>) {
    MusicSides.write(bars: 0, facts, hasBars: false, hasKey: true, into: values)
  }

  /// What a whole piece tells of itself: each note counts by the time it sounds.
  static func facts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts {
    var times = PitchClassTimes()
    var sounding = PitchSet()
    for token in piece {
      switch PerformanceTokens.meaning(token) {
      case .on(let pitch):
        sounding[pitch] = true
        // One that ends at once sounded too.
        times.add(pitch: pitch)
      case .off(let pitch): sounding[pitch] = false
      case .shift(let steps):
        for pitch in 0..<128 where sounding[pitch] { times.add(pitch: pitch, min(steps, 200)) }
      case .start, .end, .velocity: break
      }
    }
    var facts = SideFacts()
    facts.key = times.key()
    return facts
  }
}
