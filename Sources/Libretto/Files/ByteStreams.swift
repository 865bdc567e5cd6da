/// Bytes that can be read from any place: a file, or memory.
protocol ByteSource {
  var count: Int { get }
  /// Fills the buffer with the bytes from `offset` on; there were so many at first.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(LibrettoError)
}

extension InputFile: ByteSource {}

/// Memory, which must outlive this.
struct MemorySource: ByteSource {
  let bytes: UnsafeRawBufferPointer

  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) {
    guard !buffer.isEmpty else { return }
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + buffer.count]))
  }
}

/// What takes bytes, one after another.
protocol ByteSink {
  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError)
}

extension Output: ByteSink {}

/// Memory that has room for all that is written.
struct MemorySink: ByteSink {
  private var rest: UnsafeMutableRawBufferPointer

  init(_ buffer: UnsafeMutableRawBufferPointer) { rest = buffer }

  mutating func write(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    rest.copyMemory(from: bytes)
    rest = UnsafeMutableRawBufferPointer(rebasing: rest[bytes.count...])
  }
}
