import Memory

/// The file format of models: https://github.com/huggingface/safetensors (format of version 0.3).
/// Eight bytes of header length, a JSON header, then the tensors' bytes, without gaps.
struct SafeTensors {
  enum ElementType: String, BitwiseCopyable {
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float64 = "F64"
    case int8 = "I8"
    case uint8 = "U8"
    case int16 = "I16"
    case uint16 = "U16"
    case int32 = "I32"
    case uint32 = "U32"
    case int64 = "I64"
    case uint64 = "U64"
    case bool = "BOOL"

    var size: Int {
      switch self {
      case .int8, .uint8, .bool: 1
      case .float16, .bfloat16, .int16, .uint16: 2
      case .float32, .int32, .uint32: 4
      case .float64, .int64, .uint64: 8
      }
    }
  }

  struct Tensor {
    let type: ElementType
    let dimensions: [Int]
    /// Where its bytes lie in the file; not necessarily aligned.
    let range: Range<Int>

    var count: Int { range.count / type.size }
  }

  /// Longer headers are refused: 1 MiB. The largest that models need has an alphabet of 65,280
  /// characters, each of up to 12 bytes where a writer escapes them, and some 260 tensors.
  static let largestHeader = 1 << 20

  let source: any ByteSource
  /// What errors call the file.
  let name: String
  let header: JSONDocument
  /// The tensors' members in the header, by their names.
  let entries: GrowableBuffer<Entry>
  let data: Range<Int>

  struct Entry: BitwiseCopyable {
    let key, value: JSONDocument.Place
    let type: ElementType
    let from, to: Int
  }

  /// Reads the header; the tensors are read when they are asked for.
  ///
  /// Every length is checked before it is used: a file of any content gives tensors that lie inside
  /// it, or an error.
  init(_ source: any ByteSource, name: String) throws(LibrettoError) {
    self.source = source
    self.name = name
    let length = try Self.headerLength(source, name)
    let text = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: length)
    }
    try source.read(at: 8, into: UnsafeMutableRawBufferPointer(text.elements))
    do { header = try JSONDocument(text) } catch {
      switch error {
      case .malformed(let at):
        throw LibrettoError(
          .format, "\(name) has a damaged header: invalid JSON at byte \(8 + at)")
      case .outOfMemory(let error): throw LibrettoError(error)
      }
    }
    data = 8 + length..<source.count
    entries = try Self.entries(header, bytes: data.count, name)
    try checkNames()
    try checkRanges()
  }

  /// What the file says of itself; only strings count there.
  var metadata: JSONValue? { header.root["__metadata__"] }

  subscript(tensor: String) -> Tensor? {
    guard let entry = entries.elements.first(where: { header[$0.key].says(tensor) }) else {
      return nil
    }
    let shape = header[entry.value]["shape"]?.array
    return Tensor(
      type: entry.type, dimensions: shape?.map { $0.integer ?? 0 } ?? [],
      range: data.lowerBound + entry.from..<data.lowerBound + entry.to)
  }

  /// A tensor of bytes; nil if there is none of that name.
  func bytes(_ tensor: String) throws(LibrettoError) -> GrowableBuffer<UInt8>? {
    guard let tensor = self[tensor], tensor.type == .uint8 else { return nil }
    let bytes = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: tensor.range.count)
    }
    try source.read(
      at: tensor.range.lowerBound, into: UnsafeMutableRawBufferPointer(bytes.elements))
    return bytes
  }

  /// A tensor of the expected shape.
  @discardableResult
  func find(_ tensor: String, _ dimensions: [Int]) throws(LibrettoError) -> Tensor {
    guard let found = self[tensor] else {
      throw LibrettoError(
        .format, "\(name): tensor \"\(tensor)\" is missing; expected one of the shape \(dimensions)"
      )
    }
    guard found.dimensions == dimensions else {
      throw LibrettoError(
        .format,
        "\(name): tensor \"\(tensor)\" has the shape \(found.dimensions); expected \(dimensions)")
    }
    return found
  }
}
