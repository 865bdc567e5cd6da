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
  private let capacity: Int
  private let tokens: UnsafeMutablePointer<UInt16>

  /// Room for exactly so many tokens.
  init(capacity: Int) throws(LibrettoError) {
    guard let memory = malloc(max(capacity, 1) * MemoryLayout<UInt16>.stride) else {
      throw LibrettoError(.memory, "there is no memory for \(capacity) tokens of the corpus")
    }
    self.capacity = capacity
    tokens = memory.bindMemory(to: UInt16.self, capacity: max(capacity, 1))
  }

  deinit { free(tokens) }

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
