import GRU
import Memory

/// A safetensors file that is about to be written: its header, and its tensors one after another.
package struct SafeTensorsImage {
  /// A tensor made of 32-bit floats, or of bytes.
  struct Entry {
    let name: String
    let dimensions: [Int]
    var type = SafeTensors.ElementType.float32
    /// Floats, or what is in the file.
    let numbers: UnsafeRawPointer

    var count: Int { dimensions.reduce(1, *) }
    var byteCount: Int { count * type.size }

    /// The format of the file's numbers, if they are not those at `numbers`; int8 there is the numbers
    /// over their row's scale.
    fileprivate var conversion: Precision? {
      switch type {
      case .bfloat16: .bfloat16
      case .int8: .int8
      default: nil
      }
    }
  }

  typealias Visit = (Entry) throws(LibrettoError) -> Void

  private let header: GrowableBuffer<UInt8>
  private let visit: (Visit) throws(LibrettoError) -> Void
  /// Bytes of the whole file.
  package let size: Int

  /// - `metadata`: writes the names and strings of the metadata.
  /// - `visit`: hands on all tensors, the same each time, and keeps alive what they lie in.
  init(
    metadata: (inout JSONWriter) throws(OutOfMemory) -> Void,
    _ visit: @escaping (Visit) throws(LibrettoError) -> Void
  ) throws(LibrettoError) {
    var writer = JSONWriter()
    var offset = 0
    try allocating { () throws(OutOfMemory) in
      try writer.beginObject()
      try writer.name("__metadata__")
      try writer.beginObject()
      try metadata(&writer)
      try writer.endObject()
    }
    try visit { (entry) throws(LibrettoError) in
      let value = JSON.object([
        ("dtype", .string(entry.type.rawValue)),
        ("shape", .array(entry.dimensions.map { .number($0) })),
        ("data_offsets", .array([.number(offset), .number(offset + entry.byteCount)])),
      ])
      try allocating { () throws(OutOfMemory) in
        try writer.name(entry.name)
        try value.write(to: &writer)
      }
      offset += entry.byteCount
    }
    try allocating { () throws(OutOfMemory) in
      try writer.endObject()
      // Spaces at the end bring the tensors to a multiple of 64 bytes, so that they can be mapped.
      while (8 + writer.text.count) % 64 != 0 { try writer.text.append(0x20) }
    }
    guard writer.text.count <= SafeTensors.largestHeader else {
      throw LibrettoError(
        .unsupported,
        "the header of this file would have \(writer.text.count) bytes; the most is \(SafeTensors.largestHeader)"
      )
    }
    header = writer.text
    size = 8 + header.count + offset
    self.visit = visit
  }

  func write(to sink: inout some ByteSink) throws(LibrettoError) {
    var length = UInt64(header.count).littleEndian
    try withUnsafeBytes(of: &length) { (b) throws(LibrettoError) in try sink.write(b) }
    try sink.write(UnsafeRawBufferPointer(header.elements))
    let block = GrowableBuffer<UInt8>()
    try visit { (entry) throws(LibrettoError) in
      guard let precision = entry.conversion else {
        return try sink.write(
          UnsafeRawBufferPointer(start: entry.numbers, count: entry.byteCount))
      }
      // Whole rows, some at a time.
      let floats = entry.numbers.assumingMemoryBound(to: Float.self)
      let columns = max(entry.dimensions.last ?? 1, 1)
      let most = max(1, (1 << 16) / (columns * entry.type.size))
      try allocating { () throws(OutOfMemory) in
        try block.reserve(min(most, entry.count / columns) * columns * entry.type.size)
      }
      guard let bytes = UnsafeMutableRawPointer(block.base) else { return }
      for first in stride(from: 0, to: entry.count, by: most * columns) {
        let end = min(first + most * columns, entry.count)
        for row in stride(from: first, to: end, by: columns) {
          precision.encode(
            floats + row, count: columns, into: bytes + (row - first) * entry.type.size)
        }
        try sink.write(
          UnsafeRawBufferPointer(start: bytes, count: (end - first) * entry.type.size))
      }
    }
  }

  /// Writes a file, whole or not at all.
  package func write(_ path: String) throws(LibrettoError) {
    try replaceFile(path) { (out) throws(LibrettoError) in
      var out = out
      try write(to: &out)
    }
  }

  /// Writes it to memory, which has `size` bytes.
  package func write(to buffer: UnsafeMutableRawBufferPointer) throws(LibrettoError) {
    var sink = MemorySink(buffer)
    try write(to: &sink)
  }
}
