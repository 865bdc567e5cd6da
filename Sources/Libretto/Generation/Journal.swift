import Memory

/// The last tokens a session read, until somebody takes them: for what learns from them. None of its calls
/// allocates.
public final class Journal {
  /// How many are kept; older ones that nobody took are lost.
  public static let capacity = 4096
  /// Stands where the sequence was emptied, or is another one.
  public static let cut: Int32 = -1

  private let tokens: GrowableBuffer<Int32>
  private let fed: GrowableBuffer<UInt8>
  /// Tokens that were written and taken, ever.
  private var written = 0
  private var taken = 0

  init() throws(OutOfMemory) {
    tokens = try GrowableBuffer(repeating: 0, count: Self.capacity)
    fed = try GrowableBuffer(repeating: 0, count: Self.capacity)
  }

  func note(_ token: Int32, isFed: Bool) {
    tokens[written % Self.capacity] = token
    fed[written % Self.capacity] = isFed ? 1 : 0
    written += 1
    taken = max(taken, written - Self.capacity)
  }

  func cut() {
    guard written > taken else { return note(Self.cut, isFed: true) }
    if tokens[(written - 1) % Self.capacity] != Self.cut { note(Self.cut, isFed: true) }
  }

  /// Hands out the oldest that nobody has taken, at most `capacity`, and gives their number.
  public func take(
    _ capacity: Int, _ tokens: UnsafeMutablePointer<Int32>, _ fed: UnsafeMutablePointer<UInt8>?
  ) -> Int {
    let count = min(capacity, written - taken)
    for i in 0..<count {
      tokens[i] = self.tokens[(taken + i) % Self.capacity]
      fed?[i] = self.fed[(taken + i) % Self.capacity]
    }
    taken += count
    return count
  }
}
