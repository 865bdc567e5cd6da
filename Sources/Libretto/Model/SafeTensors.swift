import GRU
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

  private let source: any ByteSource
  /// What errors call the file.
  let name: String
  private let header: JSONDocument
  /// The tensors' members in the header, by their names.
  private let entries: GrowableBuffer<Entry>
  private let data: Range<Int>

  private struct Entry: BitwiseCopyable {
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

  private static func headerLength(_ source: any ByteSource, _ name: String) throws(LibrettoError)
    -> Int
  {
    guard source.count >= 10 else {
      throw LibrettoError(
        .format,
        "\(name) is not a model: it has \(source.count) bytes; a safetensors file has at least 10")
    }
    var start: (length: UInt64, brace: UInt8) = (0, 0)
    try withUnsafeMutableBytes(of: &start.length) { (b) throws(LibrettoError) in
      try source.read(at: 0, into: b)
    }
    try withUnsafeMutableBytes(of: &start.brace) { (b) throws(LibrettoError) in
      try source.read(at: 8, into: b)
    }
    guard start.brace == UInt8(ascii: "{") else {
      throw LibrettoError(
        .format, "\(name) is not a model: a safetensors file has { at byte 8, and this has not")
    }
    let length = UInt64(littleEndian: start.length)
    guard length >= 2, length <= UInt64(source.count - 8) else {
      throw LibrettoError(
        .format,
        "\(name) is damaged or truncated: it has \(source.count) bytes, and its header would have \(length)"
      )
    }
    guard length <= UInt64(largestHeader) else {
      throw LibrettoError(
        .format,
        "\(name) has a header of \(length) bytes; the most that is read is \(largestHeader)"
      )
    }
    return Int(length)
  }

  private static func entries(_ header: JSONDocument, bytes: Int, _ name: String)
    throws(LibrettoError) -> GrowableBuffer<Entry>
  {
    guard let members = header.root.members else {
      throw LibrettoError(.format, "\(name) has a damaged header: it is not a JSON object")
    }
    let entries = GrowableBuffer<Entry>()
    for (key, value) in members where !key.says("__metadata__") {
      let entry = try entry(key, value, bytes: bytes, name)
      try allocating { () throws(OutOfMemory) in try entries.append(entry) }
    }
    return entries
  }

  private static func entry(_ key: JSONValue, _ value: JSONValue, bytes: Int, _ name: String)
    throws(LibrettoError) -> Entry
  {
    func fail(_ what: String, _ kind: LibrettoError.Kind = .format) -> LibrettoError {
      LibrettoError(
        kind, "\(name): tensor \"\(printable(key.string ?? "of a long name"))\" \(what)")
    }
    guard let type = value["dtype"]?.string.flatMap(ElementType.init(rawValue:)) else {
      throw fail("has an element type this version does not know", .unsupported)
    }
    guard let shape = value["shape"]?.array, let offsets = value["data_offsets"]?.array,
      shape.count <= 8, offsets.count == 2
    else { throw fail("lacks a proper shape or data_offsets") }
    let ends = offsets.map { $0.integer }
    guard let from = ends[0], let to = ends[1] else {
      throw fail("lacks a proper shape or data_offsets")
    }
    var count = 1
    for dimension in shape {
      guard let size = dimension.integer, size >= 0 else {
        throw fail("has a dimension that is not a whole number from 0 up")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= bytes else {
        throw fail("is larger than the file; the file is cut short")
      }
      count = product
    }
    guard from >= 0, to >= from, to <= bytes, to - from == count * type.size else {
      throw fail("lies at bytes \(from) to \(to) of \(bytes), which cannot be")
    }
    return Entry(key: key.place, value: value.place, type: type, from: from, to: to)
  }

  /// Sorts the tensors by their names, and refuses two of one name.
  private func checkNames() throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try entries.sort { header[$0.key].precedes(header[$1.key]) }
    }
    for i in stride(from: 1, to: entries.count, by: 1)
    where !header[entries[i - 1].key].precedes(header[entries[i].key]) {
      throw LibrettoError(
        .format,
        "\(name) has two tensors named \"\(printable(header[entries[i].key].string ?? "..."))\"")
    }
  }

  /// Tensors that share bytes could ask for far more memory than the file has.
  private func checkRanges() throws(LibrettoError) {
    let ranges = try allocating { () throws(OutOfMemory) in
      let ranges = try GrowableBuffer<(from: Int, to: Int)>(capacity: entries.count)
      for entry in entries.elements { ranges.appendReserved((entry.from, entry.to)) }
      try ranges.sort { ($0.from, $0.to) < ($1.from, $1.to) }
      return ranges
    }
    var covered = 0
    for i in 0..<ranges.count {
      guard ranges[i].from == covered else {
        throw LibrettoError(
          .format, "\(name) has tensors that overlap or leave a gap at byte \(covered) of its data")
      }
      covered = ranges[i].to
    }
    guard covered == data.count else {
      throw LibrettoError(
        .format, "\(name) has \(data.count) bytes of data, of which its tensors take \(covered)")
    }
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

  /// Reads a tensor of the expected shape; the numbers must be finite. It may hold 32-bit floats,
  /// bfloat16, or int8 with a scale for each row in the tensor of the same name with `.scale` after it.
  func floats(
    _ tensor: String, _ dimensions: [Int], into destination: UnsafeMutablePointer<Float>
  ) throws(LibrettoError) {
    let found = try find(tensor, dimensions)
    switch found.type {
    case .float32:
      try source.read(
        at: found.range.lowerBound,
        into: UnsafeMutableRawBufferPointer(start: destination, count: found.range.count))
    case .bfloat16:
      try rows(found, columns: found.count) { bytes, at, count in
        Precision.bfloat16.decode(bytes, count: count, scale: 1, into: destination + at)
      }
    case .int8 where dimensions.count == 2:
      let scales = try FloatBuffer.make(dimensions[0])
      guard self[tensor + ".scale"]?.type == .float32 else {
        throw LibrettoError(
          .format, "\(name): tensor \"\(tensor)\" is I8 and has no F32 tensor \"\(tensor).scale\"")
      }
      try floats(tensor + ".scale", [dimensions[0]], into: scales.pointer)
      try rows(found, columns: dimensions[1]) { bytes, at, count in
        Precision.int8.decode(
          bytes, count: count, scale: scales.pointer[at / dimensions[1]], into: destination + at)
      }
    default:
      throw LibrettoError(
        .unsupported,
        "\(name): tensor \"\(tensor)\" is \(found.type.rawValue); F32, BF16 or I8 is needed")
    }
    for i in 0..<found.count where !destination[i].isFinite {
      throw LibrettoError(
        .format, "\(name): tensor \"\(tensor)\" has a number that is not finite at place \(i)")
    }
  }

  /// A tensor of one dimension, in a buffer of its own.
  func floats(_ tensor: String, _ count: Int) throws(LibrettoError) -> FloatBuffer {
    try find(tensor, [count])
    let buffer = try FloatBuffer.make(count)
    try floats(tensor, [count], into: buffer.pointer)
    return buffer
  }

  /// The largest weight a model may have. Below it no sum of the network, of at most 2 * 16,384 products
  /// of a weight and a weight or an activation, overflows, so that every output is finite.
  static let largestWeight: Float = 1e15

  /// All parameters of a network.
  func parameters(_ layout: ParameterLayout, precision: Precision = .float32)
    throws(LibrettoError) -> FloatBuffer
  {
    // What was rounded may have become a little larger.
    let most = precision == .float32 ? Self.largestWeight : 1.01 * Self.largestWeight
    // No allocation before the file is known to hold as much.
    for tensor in layout.tensors { try find(tensor.name, tensor.dimensions) }
    let parameters = try FloatBuffer.make(layout.count)
    for tensor in layout.tensors {
      let weights = parameters.pointer + tensor.offset
      try floats(tensor.name, tensor.dimensions, into: weights)
      for i in 0..<tensor.count where !(abs(weights[i]) <= most) {
        throw LibrettoError(
          .format,
          "\(name): tensor \"\(tensor.name)\" has the weight \(weights[i]) at place \(i); expected at most \(Self.largestWeight), above which outputs are not finite; train the model anew"
        )
      }
    }
    return parameters
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

  /// Hands on a tensor in pieces that lie within a row: the bytes, the place of the first number in the
  /// tensor, and how many there are.
  private func rows(
    _ tensor: Tensor, columns: Int, _ body: (UnsafeRawPointer, Int, Int) -> Void
  ) throws(LibrettoError) {
    let size = tensor.type.size
    let block = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: min(1 << 16, tensor.range.count))
    }
    var at = 0
    while at < tensor.count {
      let numbers = min(block.count / size, tensor.count - at)
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(block.elements)[..<(numbers * size)])
      try source.read(at: tensor.range.lowerBound + at * size, into: bytes)
      var done = 0
      while done < numbers {
        let count = min(columns - (at + done) % columns, numbers - done)
        body(UnsafeRawPointer(bytes.baseAddress!) + done * size, at + done, count)
        done += count
      }
      at += numbers
    }
  }
}
