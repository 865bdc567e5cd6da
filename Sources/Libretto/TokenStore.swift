import Sequences

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Many tokens, two bytes each.
final class TokenStore {
  private(set) var count = 0
  private var capacity = 0
  private var tokens: UnsafeMutablePointer<UInt16>

  /// Room for so many tokens.
  init(capacity: Int) throws(LibrettoError) {
    tokens = try Self.resized(nil, to: capacity)
    self.capacity = capacity
  }

  deinit { free(tokens) }

  private static func resized(_ memory: UnsafeMutableRawPointer?, to capacity: Int)
    throws(LibrettoError) -> UnsafeMutablePointer<UInt16>
  {
    let room = max(capacity, 1)
    guard let memory = realloc(memory, room * MemoryLayout<UInt16>.stride) else {
      throw LibrettoError(.memory, "there is no memory for \(capacity) tokens of the corpus")
    }
    return memory.bindMemory(to: UInt16.self, capacity: room)
  }

  /// Appends tokens, for which room is made.
  func append(_ more: [Int32]) throws(LibrettoError) {
    if count + more.count > capacity {
      let enough = max(count + more.count, 2 * capacity)
      tokens = try Self.resized(tokens, to: enough)
      capacity = enough
    }
    for token in more { append(token) }
  }

  /// Appends a token, for which there is room.
  @inline(__always)
  func append(_ token: Int32) {
    guard count < capacity else { return }
    tokens[count] = UInt16(truncatingIfNeeded: token)
    count += 1
  }

  @inline(__always)
  subscript(_ i: Int) -> Int32 { Int32(tokens[i]) }

  func add(to hash: inout Hash) {
    hash.add(UInt64(count))
    for i in 0..<count { hash.add(UInt64(tokens[i])) }
  }
}
