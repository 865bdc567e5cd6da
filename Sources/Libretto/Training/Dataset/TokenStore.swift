import Memory
import Sequences

/// Many tokens, two bytes each.
final class TokenStore {
  private let tokens: GrowableBuffer<UInt16>

  /// Room for so many tokens.
  init(capacity: Int) throws(LibrettoError) {
    tokens = try allocating { () throws(OutOfMemory) in try GrowableBuffer(capacity: capacity) }
  }

  var count: Int { tokens.count }

  /// Makes room for so many more tokens.
  func reserve(_ more: Int) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in try tokens.reserve(more) }
  }

  /// Gives back the room that is not used.
  func trim() { tokens.trim() }

  /// Appends tokens, for which room is made.
  func append(_ more: some Collection<Int32>) throws(LibrettoError) {
    try reserve(more.count)
    for token in more { append(token) }
  }

  /// Appends a token, for which there is room.
  @inline(__always)
  func append(_ token: Int32) {
    guard tokens.count < tokens.capacity else { return }
    tokens.appendReserved(UInt16(truncatingIfNeeded: token))
  }

  @inline(__always)
  subscript(_ i: Int) -> Int32 { Int32(tokens[i]) }

  /// False if it was stopped before its end.
  func add(to hash: inout Hash, until stop: StopFlag?) -> Bool {
    hash.add(UInt64(count))
    for (i, token) in tokens.elements.enumerated() {
      if i & 0xF_FFFF == 0, stop?.isRaised == true { return false }
      hash.add(UInt64(token))
    }
    return true
  }
}
