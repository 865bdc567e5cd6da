import GRU
import Memory

/// A safetensors file that is about to be written: its header, and its tensors one after another.
package struct SafeTensorsImage {
  struct Entry {
    let name: String
    let dimensions: [Int]
    let type: SafeTensors.ElementType
    private let content: Content

    private enum Content {
      case bytes(UnsafeRawPointer)
      case parameters(StoredParameters, tensor: Int)
    }

    /// A tensor that is in memory as it is in the file.
    init(
      name: String, dimensions: [Int], type: SafeTensors.ElementType = .float32,
      bytes: UnsafeRawPointer
    ) {
      self.name = name
      self.dimensions = dimensions
      self.type = type
      content = .bytes(bytes)
    }

    /// A tensor of a network.
    init(_ parameters: StoredParameters, _ tensor: Int, name: String) {
      self.name = name
      dimensions = parameters.layout.tensors[tensor].dimensions
      type =
        switch parameters.element(of: tensor) {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
      content = .parameters(parameters, tensor: tensor)
    }

    var byteCount: Int { dimensions.reduce(1, *) * type.size }

    fileprivate func write(to sink: inout some ByteSink) throws(LibrettoError) {
      switch content {
      case .bytes(let bytes):
        try sink.write(UnsafeRawBufferPointer(start: bytes, count: byteCount))
      case .parameters(let parameters, let tensor):
        let rows = parameters.layout.tensors[tensor].rows
        let size = byteCount / rows
        // Whole rows, some at a time.
        let most = min(rows, max(1, (1 << 16) / size))
        let block = try allocating { () throws(OutOfMemory) in
          try GrowableBuffer<UInt8>(repeating: 0, count: most * size)
        }
        let bytes = UnsafeMutableRawBufferPointer(block.elements)
        for first in stride(from: 0, to: rows, by: most) {
          let count = min(most, rows - first)
          parameters.copyRows(tensor, from: first, count: count, into: bytes.baseAddress!)
          try sink.write(UnsafeRawBufferPointer(rebasing: bytes[..<(count * size)]))
        }
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
    try visit { (entry) throws(LibrettoError) in try entry.write(to: &sink) }
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
