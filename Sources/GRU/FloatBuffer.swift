import Memory
import Platform

/// A block of floats, aligned for vectors and zero to begin with, freed with its last reference.
///
/// Not an `Array`: the kernels want a pointer that stays valid, and a failed allocation must be an
/// error a host can see, not a trap.
public final class FloatBuffer: @unchecked Sendable {
  public let count: Int
  public let pointer: UnsafeMutablePointer<Float>

  private static let hugePage = 2 << 20

  /// Room for `count` floats, rounded up to whole vectors.
  public init(_ count: Int) throws(NetworkError) {
    self.count = count
    let vectors = (max(count, 1) - 1) / 16 + 1
    var memory: UnsafeMutableRawPointer?
    let (bytes, overflow) = vectors.multipliedReportingOverflow(by: 64)
    let alignment = bytes >= Self.hugePage ? Self.hugePage : 64
    guard !overflow, posix_memalign(&memory, alignment, bytes) == 0, let memory else {
      throw .outOfMemory(floats: count)
    }
    #if os(Linux)
      // In pages of 2 MB the processor has fewer places to look up. A wish: where there are none to be
      // had nothing changes. Only for whole ones, so that no more memory is in use.
      let whole = bytes / Self.hugePage * Self.hugePage
      if whole > 0 { madvise(memory, whole, MADV_HUGEPAGE) }
    #endif
    memset(memory, 0, bytes)
    pointer = memory.bindMemory(to: Float.self, capacity: 16 * vectors)
  }

  deinit { free(pointer) }

  public func clear() { pointer.update(repeating: 0, count: count) }

  /// Clears the hidden state of one row, where this holds those of a batch: `[layers][batch][padded hidden]`.
  func clearState(of row: Int, batch: Int, _ shape: NetworkShape) {
    let h = shape.paddedHidden
    for layer in 0..<shape.layers {
      (pointer + (layer * batch + row) * h).update(repeating: 0, count: h)
    }
  }

  public func copy(from other: FloatBuffer) {
    pointer.update(from: other.pointer, count: min(count, other.count))
  }
}

/// So many buffers of one size.
func buffers(_ count: Int, _ floats: Int) throws(NetworkError) -> [FloatBuffer] {
  var result: [FloatBuffer] = []
  for _ in 0..<count { result.append(try FloatBuffer(floats)) }
  return result
}

/// What can go wrong before a network exists.
public enum NetworkError: Error, Equatable {
  case outOfMemory(floats: Int)
  case invalidShape(String)
  case noThread(wanted: Int)

  init(_ error: OutOfMemory) { self = .outOfMemory(floats: error.bytes / 4) }
}

/// So many tokens, all the same.
func tokens(_ token: Int32, count: Int) throws(NetworkError) -> GrowableBuffer<Int32> {
  do { return try GrowableBuffer(repeating: token, count: count) } catch {
    throw NetworkError(error)
  }
}
