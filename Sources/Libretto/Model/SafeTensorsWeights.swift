import GRU
import Memory

// Weights out of a file. A tensor may hold 32-bit floats, bfloat16, or int8 with a scale for each row in the tensor of
// the same name with `.scale` after it.

extension SafeTensors {
  /// The largest weight a model may have. Below it no sum of the network, of at most 2 * 16,384 products
  /// of a weight and a weight or an activation, overflows, so that every output is finite.
  static let largestWeight: Float = 1e15

  /// A network whose weights are those of the file, read some rows at a time: they are never all in memory beside the
  /// network.
  func network(_ shape: NetworkShape, _ sides: Sides = Sides(), precision: Precision)
    throws(LibrettoError) -> Network
  {
    let layout = ParameterLayout(shape)
    // No allocation before the file is known to hold as much.
    for tensor in layout.tensors { try find(sides.name(of: tensor), tensor.dimensions) }
    let builder = try Libretto.network { () throws(NetworkError) in
      try NetworkBuilder(shape, precision: precision)
    }
    // What was quantized may have become a little larger.
    let most = precision == .float32 ? Self.largestWeight : 1.01 * Self.largestWeight
    for (i, tensor) in layout.tensors.enumerated() {
      let name = sides.name(of: tensor)
      try forEachBlock(name, tensor.dimensions) { (first, rows) throws(LibrettoError) in
        try check(rows, of: name, from: first, most: most)
        builder.fill(i, from: first, rows)
      }
    }
    return builder.finish()
  }

  /// All parameters of a network as floats.
  func parameters(_ layout: ParameterLayout, _ sides: Sides = Sides()) throws(LibrettoError)
    -> FloatBuffer
  {
    for tensor in layout.tensors { try find(sides.name(of: tensor), tensor.dimensions) }
    let parameters = try FloatBuffer.make(layout.count)
    for tensor in layout.tensors {
      let weights = parameters.pointer + tensor.offset
      let name = sides.name(of: tensor)
      try floats(name, tensor.dimensions, into: weights)
      for i in 0..<tensor.count {
        try check(weights[i], of: name, at: i, most: Self.largestWeight)
      }
    }
    return parameters
  }

  /// Reads a tensor of the expected shape as floats; the numbers must be finite.
  func floats(
    _ tensor: String, _ dimensions: [Int], into destination: UnsafeMutablePointer<Float>
  ) throws(LibrettoError) {
    let found = try find(tensor, dimensions)
    if found.type == .float32 {
      try source.read(
        at: found.range.lowerBound,
        into: UnsafeMutableRawBufferPointer(start: destination, count: found.range.count))
    } else {
      try forEachBlock(tensor, dimensions) { (first, rows) throws(LibrettoError) in
        for i in 0..<rows.count {
          rows.decode(
            row: i, from: 0, count: rows.columns, into: destination + (first + i) * rows.columns)
        }
      }
    }
    for i in 0..<found.count { try check(destination[i], of: tensor, at: i, most: .infinity) }
  }

  /// A tensor of one dimension, in a buffer of its own.
  func floats(_ tensor: String, _ count: Int) throws(LibrettoError) -> FloatBuffer {
    try find(tensor, [count])
    let buffer = try FloatBuffer.make(count)
    try floats(tensor, [count], into: buffer.pointer)
    return buffer
  }

  /// Hands on a tensor, some whole rows at a time, with the number of the first one. A vector is one row.
  private func forEachBlock(
    _ tensor: String, _ dimensions: [Int],
    _ body: (_ first: Int, TypedRows) throws(LibrettoError) -> Void
  ) throws(LibrettoError) {
    let found = try find(tensor, dimensions)
    let element = try element(of: found, tensor)
    let rows = dimensions.count == 2 ? dimensions[0] : 1
    guard found.count > 0 else { return }
    let size = found.range.count / rows
    let most = min(rows, max(1, (1 << 16) / size))
    let scales = try element == .int8 ? scales(tensor, rows: rows) : nil
    let block = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: most * size)
    }
    for first in stride(from: 0, to: rows, by: most) {
      let count = min(most, rows - first)
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(block.elements)[..<(count * size)])
      try source.read(at: found.range.lowerBound + first * size, into: bytes)
      try body(
        first,
        TypedRows(
          element, count: count, columns: found.count / rows,
          bytes: UnsafeRawPointer(bytes.baseAddress!),
          scales: scales.map { UnsafePointer($0.pointer) + first }))
    }
    withExtendedLifetime(scales) {}
  }

  private func element(of found: Tensor, _ tensor: String) throws(LibrettoError) -> Precision {
    switch found.type {
    case .float32: return .float32
    case .bfloat16: return .bfloat16
    case .int8 where found.dimensions.count == 2: return .int8
    default:
      throw LibrettoError(
        .unsupported,
        "\(name): tensor \"\(tensor)\" is \(found.type.rawValue); F32, BF16 or I8 is needed")
    }
  }

  /// The scales of an int8 tensor's rows.
  private func scales(_ tensor: String, rows: Int) throws(LibrettoError) -> FloatBuffer {
    guard self[tensor + ".scale"]?.type == .float32 else {
      throw LibrettoError(
        .format, "\(name): tensor \"\(tensor)\" is I8 and has no F32 tensor \"\(tensor).scale\"")
    }
    return try floats(tensor + ".scale", rows)
  }

  private func check(_ rows: TypedRows, of tensor: String, from first: Int, most: Float)
    throws(LibrettoError)
  {
    var numbers = InlineArray<256, Float>(repeating: 0)
    for row in 0..<rows.count {
      for at in stride(from: 0, to: rows.columns, by: 256) {
        let count = min(256, rows.columns - at)
        var span = numbers.mutableSpan
        let bad = span.withUnsafeMutableBufferPointer { buffer -> Int? in
          guard let base = buffer.baseAddress else { return nil }
          rows.decode(row: row, from: at, count: count, into: base)
          return (0..<count).first { !(abs(base[$0]) <= most) }
        }
        if let bad {
          try check(
            numbers[bad], of: tensor, at: (first + row) * rows.columns + at + bad, most: most)
        }
      }
    }
  }

  /// - `most`: the largest value.
  private func check(_ weight: Float, of tensor: String, at place: Int, most: Float)
    throws(LibrettoError)
  {
    guard weight.isFinite else {
      throw LibrettoError(
        .format, "\(name): tensor \"\(tensor)\" has a number that is not finite at place \(place)")
    }
    guard abs(weight) <= most else {
      throw LibrettoError(
        .format,
        "\(name): tensor \"\(tensor)\" has the weight \(weight) at place \(place); expected at most \(Self.largestWeight), above which outputs are not finite; train the model anew"
      )
    }
  }
}
