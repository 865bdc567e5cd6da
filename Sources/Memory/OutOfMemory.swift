import Platform

/// An allocation of so many bytes failed.
public struct OutOfMemory: Error, Equatable, Sendable {
  public let bytes: Int

  public init(bytes: Int) { self.bytes = bytes }
}

/// A block of another size with the same contents, as far as they go; nil is a block of none.
func resized(_ memory: UnsafeMutableRawPointer?, to bytes: Int) throws(OutOfMemory)
  -> UnsafeMutableRawPointer
{
  guard bytes < Int.max, let memory = realloc(memory, max(bytes, 1)) else {
    throw OutOfMemory(bytes: bytes)
  }
  return memory
}

func release(_ memory: UnsafeMutableRawPointer?) { free(memory) }
