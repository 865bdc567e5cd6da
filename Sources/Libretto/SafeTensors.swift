import GRU

/// The file format of models: https://github.com/huggingface/safetensors (format of version 0.3).
/// Eight bytes of header length, a JSON header, then the tensors' bytes, without gaps.
struct SafeTensors {
  enum ElementType: String {
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
    /// Inside the file; not necessarily aligned.
    let bytes: UnsafeRawBufferPointer

    var count: Int { bytes.count / type.size }
  }

  private(set) var metadata: [String: String] = [:]
  private(set) var tensors: [String: Tensor] = [:]

  private static let largestHeader = 100_000_000

  /// Reads the header; the tensors stay where they are, so `bytes` must outlive this.
  ///
  /// Every length is checked before it is used: a file of any content gives tensors that lie inside
  /// it, or an error. `name` is what the error calls the file.
  init(_ bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError) {
    guard bytes.count >= 8 else {
      throw LibrettoError(
        .format, "\(name) is not a model: it has \(bytes.count) bytes, too few for a header")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(min(bytes.count - 8, Self.largestHeader)), length >= 2 else {
      throw LibrettoError(
        .format,
        "\(name) is not a safetensors file, or it is cut short: its header would have \(length) bytes"
      )
    }
    let header: JSON
    let end = 8 + Int(length)
    do {
      header = try JSON.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<end]))
    } catch {
      throw LibrettoError(
        .format, "\(name) has a damaged header: byte \(8 + error.at) is not what JSON has there")
    }
    guard let members = header.members else {
      throw LibrettoError(.format, "\(name) has a damaged header: it is not a JSON object")
    }
    let data = UnsafeRawBufferPointer(rebasing: bytes[end...])
    var used: [Range<Int>] = []
    for (key, value) in members {
      if key == "__metadata__" {
        for (key, value) in value.members ?? [] { metadata[key] = value.string }
      } else {
        let (tensor, range) = try Self.tensor(
          value, data: data, name: "\(name): tensor \"\(printable(key))\"")
        tensors[key] = tensor
        used.append(range)
      }
    }
    // Tensors that share bytes could ask for far more memory than the file has.
    used.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    var covered = 0
    for range in used {
      guard range.lowerBound == covered else {
        throw LibrettoError(
          .format, "\(name) has tensors that overlap or leave a gap at byte \(covered) of its data")
      }
      covered = range.upperBound
    }
    guard covered == data.count else {
      throw LibrettoError(
        .format, "\(name) has \(data.count) bytes of data, of which its tensors take \(covered)")
    }
  }

  private static func tensor(_ entry: JSON, data: UnsafeRawBufferPointer, name: String)
    throws(LibrettoError) -> (Tensor, Range<Int>)
  {
    guard let type = entry["dtype"]?.string.flatMap(ElementType.init(rawValue:)) else {
      throw LibrettoError(.unsupported, "\(name) has an element type this version does not know")
    }
    guard let shape = entry["shape"]?.array, shape.count <= 8,
      let offsets = entry["data_offsets"]?.array, offsets.count == 2,
      let from = offsets[0].integer, let to = offsets[1].integer
    else { throw LibrettoError(.format, "\(name) lacks a proper shape or data_offsets") }
    var count = 1
    var dimensions: [Int] = []
    for dimension in shape {
      guard let size = dimension.integer, size >= 0 else {
        throw LibrettoError(.format, "\(name) has a dimension that is not a whole number from 0 up")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= data.count else {
        throw LibrettoError(.format, "\(name) is larger than the file; the file is cut short")
      }
      count = product
      dimensions.append(size)
    }
    guard from >= 0, to >= from, to <= data.count, to - from == count * type.size else {
      throw LibrettoError(
        .format, "\(name) lies at bytes \(from) to \(to) of \(data.count), which cannot be")
    }
    let tensor = Tensor(
      type: type, dimensions: dimensions, bytes: UnsafeRawBufferPointer(rebasing: data[from..<to]))
    return (tensor, from..<to)
  }

  /// Copies a tensor of the expected shape; the numbers must be finite. It may hold 32-bit floats,
  /// bfloat16, or int8 with a scale for each row in the tensor of the same name with `.scale` after it.
  func floats(
    _ name: String, _ dimensions: [Int], into destination: UnsafeMutablePointer<Float>, file: String
  ) throws(LibrettoError) {
    guard let tensor = tensors[name] else {
      throw LibrettoError(
        .format, "\(file) has no tensor \"\(name)\"; it is not a model of this kind")
    }
    guard tensor.dimensions == dimensions else {
      throw LibrettoError(
        .format,
        "\(file): tensor \"\(name)\" has the shape \(tensor.dimensions), not \(dimensions)")
    }
    switch tensor.type {
    case .float32:
      UnsafeMutableRawPointer(destination).copyMemory(
        from: tensor.bytes.baseAddress ?? UnsafeRawPointer(destination),
        byteCount: tensor.bytes.count)
    case .bfloat16:
      if let bytes = tensor.bytes.baseAddress {
        Precision.bfloat16.decode(bytes, count: tensor.count, scale: 1, into: destination)
      }
    case .int8 where dimensions.count == 2:
      let rows = dimensions[0]
      let scales = try FloatBuffer.make(rows)
      guard tensors[name + ".scale"]?.type == .float32 else {
        throw LibrettoError(
          .format, "\(file): tensor \"\(name)\" is I8 and has no F32 tensor \"\(name).scale\"")
      }
      try floats(name + ".scale", [rows], into: scales.pointer, file: file)
      let columns = dimensions[1]
      if let bytes = tensor.bytes.baseAddress {
        for row in 0..<rows {
          Precision.int8.decode(
            bytes + row * columns, count: columns, scale: scales.pointer[row],
            into: destination + row * columns)
        }
      }
    default:
      throw LibrettoError(
        .unsupported,
        "\(file): tensor \"\(name)\" is \(tensor.type.rawValue); F32, BF16 or I8 is needed")
    }
    for i in 0..<tensor.count where !destination[i].isFinite {
      throw LibrettoError(
        .format, "\(file): tensor \"\(name)\" has a number that is not finite at place \(i)")
    }
  }

  /// What to write: a tensor made of 32-bit floats.
  struct Entry {
    let name: String
    let dimensions: [Int]
    var type = ElementType.float32
    let floats: UnsafePointer<Float>

    var count: Int { dimensions.reduce(1, *) }
    var byteCount: Int { count * type.size }

    /// The bytes, if they are not those of the floats: int8 here is the numbers over their row's scale.
    fileprivate var converted: [UInt8]? {
      let precision: Precision
      switch type {
      case .bfloat16: precision = .bfloat16
      case .int8: precision = .int8
      default: return nil
      }
      return [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, written in
        written = byteCount
        guard let to = bytes.baseAddress else { return }
        let columns = max(dimensions.last ?? 1, 1)
        for first in stride(from: 0, to: count, by: columns) {
          precision.encode(floats + first, count: columns, into: to + first * type.size)
        }
      }
    }
  }

  static func write(_ path: String, metadata: [(String, String)], _ entries: [Entry])
    throws(LibrettoError)
  {
    var members: [(key: String, value: JSON)] = [
      ("__metadata__", .object(metadata.map { (key: $0.0, value: .string($0.1)) }))
    ]
    var offset = 0
    for entry in entries {
      members.append(
        (
          entry.name,
          .object([
            ("dtype", .string(entry.type.rawValue)),
            ("shape", .array(entry.dimensions.map { .number($0) })),
            ("data_offsets", .array([.number(offset), .number(offset + entry.byteCount)])),
          ])
        ))
      offset += entry.byteCount
    }
    var header = Array(JSON.object(members).text.utf8)
    // Spaces at the end bring the tensors to a multiple of 64 bytes, so that they can be mapped.
    header.append(contentsOf: repeatElement(0x20, count: (64 - (8 + header.count) % 64) % 64))
    try replaceFile(path) { (out) throws(LibrettoError) in
      let length = UInt64(header.count)
      let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
      try start.withUnsafeBufferPointer { (b) throws(LibrettoError) in
        try out.write(UnsafeRawBufferPointer(b))
      }
      for entry in entries {
        if let bytes = entry.converted {
          try bytes.withUnsafeBufferPointer { (b) throws(LibrettoError) in
            try out.write(UnsafeRawBufferPointer(b))
          }
        } else {
          try out.write(UnsafeRawBufferPointer(start: entry.floats, count: entry.byteCount))
        }
      }
    }
  }
}
