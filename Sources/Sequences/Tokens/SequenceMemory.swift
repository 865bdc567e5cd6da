import Memory

/// The memory of a sequence: the passage of it that ends like its end does, and the token that followed there.
///
/// Each token is looked up with those before it among the contexts that were read; the longest that is found
/// is compared token by token, and followed for as long as it is right. Three side inputs tell the network
/// what is expected, for how many tokens the match has lasted, and how often the passage has come round: how far to
/// trust it is learned (as
/// pointer networks and neural caches do, Merity et al. 2016, Grave et al. 2016; the look-up is the match
/// model of context mixing compressors, Mahoney 2005).
///
/// Takes the same time for each token, and the same memory. None of its calls allocates.
public final class SequenceMemory {
  /// How far it looks, by what pays.
  public struct Reach: BitwiseCopyable, Sendable {
    /// Tokens it looks back over, a power of two.
    public private(set) var capacity: Int
    /// The lengths of the contexts that are looked up, in tokens: the longest first.
    public let contexts: InlineArray<3, Int>

    /// Whether the music has bars, of which phrases are made.
    public let hasBars: Bool

    /// The same for sequences of at most so many tokens, in less memory.
    public func limited(to tokens: Int) -> Reach {
      var reach = self
      while reach.capacity > 64 && reach.capacity / 2 > tokens { reach.capacity /= 2 }
      return reach
    }

    public static let grid = Reach(capacity: 1 << 13, contexts: [12, 6, 3], hasBars: true)
    public static let performance = Reach(capacity: 1 << 13, contexts: [12, 6, 3], hasBars: false)
    public static let text = Reach(capacity: 1 << 15, contexts: [16, 8, 4], hasBars: false)
  }

  /// A match is compared over at most so many tokens when it is found.
  private static let mostCompared = 32
  private static let mostLength = 1 << 16
  /// How often what was read may come round in one go and be expected again: patterns within a bar, or where there
  /// are no bars; and whole bars.
  private static let mostRounds = 4
  private static let mostRoundsOfBars = 3

  /// The side inputs of an encoding of so many tokens: `memory_rounds`, how often the passage has come round in one
  /// go, plus 1; `memory_token`, the token expected plus 1; `memory_length`, a bucket of the length of the
  /// match. 0 is "nothing" in all.
  ///
  /// Where there are bars `memory_phrase` comes first: the token, plus 1, that is at this place of the phrase before.
  public static func sideInputs(vocabulary: Int, hasBars: Bool) -> [SideInput] {
    (hasBars ? [SideInput(name: "memory_phrase", count: vocabulary + 1)] : []) + [
      SideInput(name: "memory_rounds", count: mostRounds + 1),
      SideInput(name: "memory_token", count: vocabulary + 1),
      SideInput(name: "memory_length", count: lengths.count + 1),
    ]
  }

  /// The shortest match of each bucket.
  private static let lengths: InlineArray<15, Int> = [
    1, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128,
  ]

  public let reach: Reach
  private let mask: Int
  /// The last tokens, that at place i of the sequence at i modulo `capacity`.
  private let tokens: GrowableBuffer<UInt16>
  /// For each context the place after its last occurrence, by a hash of it: `[contexts][capacity]`.
  private let places: GrowableBuffer<UInt32>
  /// Where the sequence began, and the place of the next token: above 0, so that 0 can stand for none.
  private var start = 1
  private var now = 1
  /// The place of the token that is expected, and how many before it are as they are here; 0 for none.
  private var source = 0
  private var length = 0
  /// Bars begun, where each of the last ones began at its number modulo `phraseBars`, and the place in the phrase
  /// before that is as far as this one; 0 for none.
  private var bars = 0
  private var barStarts = InlineArray<8, Int>(repeating: 0)
  private var phraseSource = 0
  /// Bars of a phrase: what comes again does so after eight, or within the first eight after four.
  private static let phraseBars = 8

  public init(_ reach: Reach) throws(OutOfMemory) {
    self.reach = reach
    mask = reach.capacity - 1
    tokens = try GrowableBuffer(repeating: 0, count: reach.capacity)
    places = try GrowableBuffer(repeating: 0, count: reach.capacity * reach.contexts.count)
  }

  /// At the beginning of a piece: what was read before is forgotten.
  public func reset() {
    start = now
    length = 0
    (bars, phraseSource) = (0, 0)
  }

  /// The token that is expected next; nil for none. Nothing is expected of a passage that has come round often
  /// enough: to follow for ever what was just done would be a loop.
  public var expected: Int32? {
    let distance = now - source
    guard length > 0 else { return nil }
    let rounds = distance < barLength ? Self.mostRounds : Self.mostRoundsOfBars
    return length < rounds * distance ? token(source) : nil
  }

  /// How often the bars that are followed have come round in one go; 0 if it is a pattern within a bar.
  public var barRounds: Int {
    let distance = now - source
    return reach.hasBars && length > 0 && distance >= max(1, barLength) ? length / distance : 0
  }

  /// The token that would go on with what is followed, expected or not.
  public var followed: Int32? { length > 0 ? token(source) : nil }

  /// Tokens of the bar before, which patterns within a bar are shorter than.
  private var barLength: Int {
    guard reach.hasBars else { return .max }
    guard bars >= 2 else { return 0 }
    return barStarts[(bars - 1) % Self.phraseBars] - barStarts[(bars - 2) % Self.phraseBars]
  }

  /// The token at this place of the phrase before, as long as all since the bar line is as there; nil for none.
  private var expectedByPhrase: Int32? {
    phraseSource > 0 && now - phraseSource < reach.capacity ? token(phraseSource) : nil
  }

  /// Takes the next token.
  ///
  /// - `beginsBar`: whether a bar begins after it.
  public func advance(_ token: Int32, beginsBar: Bool = false) {
    phraseSource = expectedByPhrase == token ? phraseSource + 1 : 0
    if length > 0 && self.token(source) == token {
      length = min(length + 1, Self.mostLength)
      source += 1
    } else {
      length = 0
    }
    tokens[now & mask] = UInt16(truncatingIfNeeded: token)
    now += 1
    if beginsBar { beginBar() }
    lookUp()
  }

  private func beginBar() {
    // A time signature at a bar line begins the same bar.
    if bars > 0 && barStarts[(bars - 1) % Self.phraseBars] == now - 1 { bars -= 1 }
    let back = bars >= Self.phraseBars ? Self.phraseBars : Self.phraseBars / 2
    phraseSource = bars >= back ? barStarts[(bars - back) % Self.phraseBars] : 0
    barStarts[bars % Self.phraseBars] = now
    bars += 1
  }

  /// Writes the side values.
  ///
  /// - `strength`: below 1 the match is told as so many times as long; 0 tells nothing.
  public func write(into values: UnsafeMutablePointer<Int32>, strength: Float = 1) {
    var values = values
    if reach.hasBars {
      values[0] = strength > 0 ? (expectedByPhrase ?? -1) + 1 : 0
      values += 1
    }
    let told = strength < 1 ? Int(Float(length) * strength) : length
    guard told > 0, let expected else {
      (values[0], values[1], values[2]) = (0, 0, 0)
      return
    }
    values[0] = Int32(length / (now - source)) + 1
    values[1] = expected + 1
    var bucket = 0
    for i in 0..<Self.lengths.count where Self.lengths[i] <= told { bucket = i + 1 }
    values[2] = Int32(bucket)
  }

  private func token(_ place: Int) -> Int32 { Int32(tokens[place & mask]) }

  /// Looks for a match longer than the present one, and notes the contexts that end here.
  private func lookUp() {
    let known = min(now - start, mask)
    var hash: UInt64 = 0
    var read = 0
    // From the shortest context to the longest, whose hash goes on from that of the one before.
    for context in (0..<reach.contexts.count).reversed() {
      let size = reach.contexts[context]
      guard size <= known else { return }
      while read < size {
        hash = (hash ^ UInt64(UInt32(bitPattern: token(now - 1 - read)))) &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        read += 1
      }
      let slot = context * reach.capacity + Int(truncatingIfNeeded: hash >> 40) & mask
      let age = Int(UInt32(truncatingIfNeeded: now) &- places[slot])
      places[slot] = UInt32(truncatingIfNeeded: now)
      // Too old, or of the piece before.
      guard size > length, age > 0, age < known else { continue }
      let found = common(now - age, now, atMost: min(Self.mostCompared, known - age))
      guard found >= size else { continue }
      (source, length) = (now - age, found)
    }
  }

  /// How many tokens before two places are the same.
  private func common(_ a: Int, _ b: Int, atMost most: Int) -> Int {
    var count = 0
    while count < most && token(a - 1 - count) == token(b - 1 - count) { count += 1 }
    return count
  }

  // MARK: - Snapshots

  /// Words before the tokens: their number, the length of the match and how far back it is, the bars, how far back
  /// the place in the phrase before is, and each of the last bars.
  private static let stateWords = 5 + phraseBars
  public var stateSize: Int { 8 * Self.stateWords + 2 * reach.capacity }

  public func save(to bytes: UnsafeMutableRawPointer) {
    let count = min(now - start, reach.capacity)
    bytes.setWord(0, UInt64(count))
    bytes.setWord(1, UInt64(length))
    bytes.setWord(2, UInt64(length > 0 ? now - source : 0))
    bytes.setWord(3, UInt64(bars))
    bytes.setWord(4, UInt64(expectedByPhrase == nil ? 0 : now - phraseSource))
    for i in 0..<Self.phraseBars {
      bytes.setWord(5 + i, UInt64(i < bars ? now - barStarts[i] : 0))
    }
    // The oldest first, wherever the sequence stands.
    let saved = bytes + 8 * Self.stateWords
    for i in 0..<reach.capacity {
      let token = i < count ? tokens[(now - count + i) & mask] : 0
      saved.storeBytes(of: token.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
    }
  }

  /// Takes a saved state; gives false, and changes nothing, if the bytes cannot be one.
  ///
  /// - `vocabulary`: tokens are below it.
  public func restore(from bytes: UnsafeRawPointer, vocabulary: Int) -> Bool {
    let (count, length, back) = (bytes.word(0), bytes.word(1), bytes.word(2))
    guard count <= UInt64(reach.capacity), length <= UInt64(Self.mostLength),
      length == 0 ? back == 0 : back >= 1 && back < count, bytes.word(3) < 1 << 48,
      bytes.word(4) <= count, reach.hasBars || bytes.word(3) == 0
    else { return false }
    let bars = Int(bytes.word(3))
    for i in 0..<Self.phraseBars {
      guard i < bars ? bytes.word(5 + i) < 1 << 48 : bytes.word(5 + i) == 0 else { return false }
    }
    func saved(_ i: Int) -> UInt16 {
      UInt16(
        littleEndian: (bytes + 8 * Self.stateWords).loadUnaligned(
          fromByteOffset: 2 * i, as: UInt16.self))
    }
    for i in 0..<reach.capacity {
      guard i < Int(count) ? Int(saved(i)) < vocabulary : saved(i) == 0 else { return false }
    }
    // What is noted of other places than these is older than they are.
    now += reach.capacity
    start = now
    self.length = 0
    for i in 0..<Int(count) {
      tokens[now & mask] = saved(i)
      now += 1
      lookUp()
    }
    source = now - Int(back)
    self.length = Int(length)
    self.bars = bars
    for i in 0..<Self.phraseBars { barStarts[i] = i < bars ? now - Int(bytes.word(5 + i)) : 0 }
    phraseSource = bytes.word(4) == 0 ? 0 : now - Int(bytes.word(4))
    return true
  }
}
