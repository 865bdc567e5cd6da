import Memory

/// The memory of a sequence: the passage of it that ends like its end does, and the token that followed there.
///
/// Each token is looked up with those before it among the contexts that were read; the longest that is found
/// is compared token by token, and followed for as long as it is right. Two side inputs tell the network
/// what is expected, and for how many tokens the match has lasted: how far to trust it is learned (as
/// pointer networks and neural caches do, Merity et al. 2016, Grave et al. 2016; the look-up is the match
/// model of context mixing compressors, Mahoney 2005).
///
/// Takes the same time for each token, and the same memory. None of its calls allocates.
public final class SequenceMemory {
  /// How far it looks, by what pays.
  public struct Reach: BitwiseCopyable, Sendable {
    /// Tokens it looks back over, a power of two.
    public let capacity: Int
    /// The lengths of the contexts that are looked up, in tokens: the longest first.
    public let contexts: InlineArray<3, Int>

    public static let music = Reach(capacity: 1 << 13, contexts: [12, 6, 3])
    public static let text = Reach(capacity: 1 << 15, contexts: [16, 8, 4])
  }

  /// A match is compared over at most so many tokens when it is found.
  private static let mostCompared = 32
  private static let mostLength = 1 << 16

  /// The side inputs of an encoding of so many tokens: `memory_token`, the token expected plus 1, and
  /// `memory_length`, a bucket of the length of the match. 0 is "nothing" in both.
  public static func sideInputs(vocabulary: Int) -> [SideInput] {
    [
      SideInput(name: "memory_token", count: vocabulary + 1),
      SideInput(name: "memory_length", count: lengths.count + 1),
    ]
  }

  /// The shortest match of each bucket.
  private static let lengths: InlineArray<15, Int> = [1, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128]

  public let reach: Reach
  private let mask: Int
  /// The last tokens, that at place i of the sequence at i modulo `capacity`.
  private let tokens: GrowableBuffer<UInt16>
  /// For each context the place after its last occurrence, by a hash of it: `[contexts][capacity]`.
  private let places: GrowableBuffer<UInt32>
  /// Where the sequence began, and the place of the next token.
  private var start = 0
  private var now = 0
  /// The place of the token that is expected, and how many before it are as they are here; 0 for none.
  private var source = 0
  private var length = 0

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
  }

  /// The token that is expected next; nil for none.
  public var expected: Int32? { length > 0 ? token(source) : nil }

  /// Takes the next token.
  public func advance(_ token: Int32) {
    if length > 0 && self.token(source) == token {
      length = min(length + 1, Self.mostLength)
      source += 1
    } else {
      length = 0
    }
    tokens[now & mask] = UInt16(truncatingIfNeeded: token)
    now += 1
    lookUp()
  }

  /// Writes the two side values.
  ///
  /// - `strength`: below 1 the match is told as so many times as long; 0 tells nothing.
  public func write(into values: UnsafeMutablePointer<Int32>, strength: Float = 1) {
    let told = strength < 1 ? Int(Float(length) * strength) : length
    guard told > 0 else {
      (values[0], values[1]) = (0, 0)
      return
    }
    values[0] = token(source) + 1
    var bucket = 0
    for i in 0..<Self.lengths.count where Self.lengths[i] <= told { bucket = i + 1 }
    values[1] = Int32(bucket)
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

  public var stateSize: Int { 32 + 2 * reach.capacity }

  public func save(to bytes: UnsafeMutableRawPointer) {
    let count = min(now - start, reach.capacity)
    bytes.setWord(0, UInt64(count))
    bytes.setWord(1, UInt64(length))
    bytes.setWord(2, UInt64(length > 0 ? now - source : 0))
    bytes.setWord(3, 0)
    // The oldest first, wherever the sequence stands.
    let saved = bytes + 32
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
      length == 0 ? back == 0 : back >= 1 && back < count, bytes.word(3) == 0
    else { return false }
    func saved(_ i: Int) -> UInt16 {
      UInt16(littleEndian: (bytes + 32).loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
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
    return true
  }
}
