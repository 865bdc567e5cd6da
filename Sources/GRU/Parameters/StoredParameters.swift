import Kernels

/// The parameters of a network that is only read, as a model file has them.
///
/// Matrices that are packed are kept in their panels alone, and read back from there for saving, byte for byte. The
/// others (the embeddings, W_ih of layer 0, the biases) are kept as rows.
public final class StoredParameters: @unchecked Sendable {
  public let layout: ParameterLayout
  private let precision: Precision
  private let weights: ForwardWeights
  private let tensors: [Place]
  /// The rows that are kept, each tensor from a multiple of four bytes on.
  private let rows: FloatBuffer
  private let scales: FloatBuffer
  /// What `fill` and `finish` work in; free before and after.
  private var scratch: FloatBuffer?

  private struct Place {
    let tensor: ParameterLayout.Tensor
    let element: Precision
    /// The first float of its rows, if they are kept, and of its scales.
    let rows, scales: Int
    /// The weight that has them instead.
    let packed: PackedWeights?

    func column(_ row: Int, _ shape: NetworkShape) -> Int {
      if case .headWeight = tensor.role { return row }
      let (gate, unit) = row.quotientAndRemainder(dividingBy: shape.hidden)
      return gate * shape.paddedHidden + unit
    }
  }

  /// All zero: see `fill`.
  init(_ weights: ForwardWeights, _ precision: Precision) throws(NetworkError) {
    self.weights = weights
    self.precision = precision
    layout = weights.layout
    var tensors: [Place] = []
    var (rowFloats, scaleCount, longest) = (0, 0, 0)
    for tensor in layout.tensors {
      let element = tensor.isMatrix ? precision : .float32
      let packed = weights.packed(tensor.role)
      tensors.append(
        Place(
          tensor: tensor, element: element, rows: rowFloats, scales: scaleCount, packed: packed))
      if packed == nil { rowFloats += (tensor.count * element.bits + 31) / 32 }
      if element == .int8 { scaleCount += tensor.rows }
      longest = max(longest, tensor.columns)
    }
    self.tensors = tensors
    rows = try FloatBuffer(rowFloats)
    scales = try FloatBuffer(scaleCount)
    scratch = try FloatBuffer(
      max(2 * longest, PackedWeights.rowsAtOnce * weights.shape.embedding))
  }

  /// The element type a tensor is kept in.
  public func element(of tensor: Int) -> Precision { tensors[tensor].element }

  /// Of int8: the scales of a tensor's rows.
  public func scales(of tensor: Int) -> UnsafePointer<Float>? {
    tensors[tensor].element == .int8
      ? UnsafePointer(scales.pointer + tensors[tensor].scales) : nil
  }

  // MARK: - Filling

  /// Takes rows of a tensor, from row `first` on. Those of the element type it is kept in are taken as they are.
  func fill(_ tensor: Int, from first: Int, _ source: TypedRows) {
    guard let scratch else { return }
    let place = tensors[tensor]
    let floats = scratch.pointer
    let quantized = UnsafeMutableRawPointer(scratch.pointer + source.columns)
    for i in 0..<source.count {
      if source.element == place.element && source.isProper(i) {
        set(place, first + i, source.bytes(of: i), scale: source.scale(of: i))
      } else {
        source.decode(row: i, from: 0, count: source.columns, into: floats)
        let scale = place.element.encode(floats, count: source.columns, into: quantized)
        set(place, first + i, quantized, scale: scale)
      }
    }
  }

  private func set(_ place: Place, _ row: Int, _ bytes: UnsafeRawPointer, scale: Float) {
    let tensor = place.tensor
    if place.element == .int8 { scales.pointer[place.scales + row] = scale }
    if let packed = place.packed {
      return packed.set(column: place.column(row, weights.shape), bytes, scale: scale)
    }
    let size = tensor.columns * place.element.bits / 8
    let kept = UnsafeMutableRawPointer(rows.pointer + place.rows) + row * size
    kept.copyMemory(from: bytes, byteCount: size)
    if case .inputWeight = tensor.role, let floats = scratch?.pointer {
      // The input product of layer 0 is a table, worked out in float32. (The bytes may lie in the scratch.)
      place.element.decode(kept, count: tensor.columns, scale: scale, into: floats)
      weights.input[0].set(column: place.column(row, weights.shape), floats, scale: 1)
    }
  }

  /// Works out what depends on several tensors, when all are filled.
  func finish() {
    guard let scratch else { return }
    for layer in 0..<weights.shape.layers {
      weights.setBiases(
        layer, input: vector(.inputBias(layer)), recurrent: vector(.recurrentBias(layer)))
    }
    weights.setHeadBias(vector(.headBias))
    fillTable(.embedding, from: 0, scratch)
    for side in 0..<weights.shape.sides.count {
      fillTable(.side(side), from: weights.firstRow(side), scratch)
    }
    self.scratch = nil
  }

  /// Works out the rows of the table that the rows of a tensor lead to, from row `row` on.
  private func fillTable(
    _ role: ParameterLayout.Tensor.Role, from row: Int, _ scratch: FloatBuffer
  ) {
    let columns = weights.shape.embedding
    let embedding = keptRows(layout.index(of: role))
    for first in stride(from: 0, to: embedding.count, by: PackedWeights.rowsAtOnce) {
      let count = min(PackedWeights.rowsAtOnce, embedding.count - first)
      for i in 0..<count {
        embedding.decode(
          row: first + i, from: 0, count: columns, into: scratch.pointer + i * columns)
      }
      weights.fillTable(embeddings: scratch.pointer, first: row + first, count: count)
    }
  }

  private func vector(_ role: ParameterLayout.Tensor.Role) -> UnsafePointer<Float> {
    UnsafePointer(rows.pointer + tensors[layout.index(of: role)].rows)
  }

  private func keptRows(_ tensor: Int) -> TypedRows {
    let place = tensors[tensor]
    return TypedRows(
      place.element, count: place.tensor.rows, columns: place.tensor.columns,
      bytes: rows.pointer + place.rows, scales: scales(of: tensor))
  }

  // MARK: - Reading

  /// Writes `count` rows of a tensor from row `first` on, as a file has them.
  public func copyRows(
    _ tensor: Int, from first: Int, count: Int, into bytes: UnsafeMutableRawPointer
  ) {
    let place = tensors[tensor]
    let size = place.tensor.columns * place.element.bits / 8
    guard let packed = place.packed else {
      bytes.copyMemory(
        from: UnsafeRawPointer(rows.pointer + place.rows) + first * size, byteCount: count * size)
      return
    }
    for i in 0..<count {
      packed.get(
        column: place.column(first + i, weights.shape), from: 0, count: place.tensor.columns,
        into: bytes + i * size)
    }
  }

  /// Hands on all tensors in the order of the layout, some whole rows at a time.
  public func forEach(_ body: (_ tensor: Int, _ first: Int, TypedRows) throws(NetworkError) -> Void)
    throws(NetworkError)
  {
    for (i, place) in tensors.enumerated() {
      let (tensor, element) = (place.tensor, place.element)
      let floats = max(1, (tensor.columns * element.bits + 31) / 32)
      let most = max(1, min(tensor.rows, 16_384 / floats))
      let block = try FloatBuffer(most * floats)
      for first in stride(from: 0, to: tensor.rows, by: most) {
        let count = min(most, tensor.rows - first)
        copyRows(i, from: first, count: count, into: block.pointer)
        try body(
          i, first,
          TypedRows(
            element, count: count, columns: tensor.columns, bytes: block.pointer,
            scales: scales(of: i).map { $0 + first }))
      }
    }
  }

  /// Hands on the parameters in the order of the layout as floats: part of a row at a time, of an even count unless
  /// a row ends with it.
  public func forEachPart(_ body: (_ tensor: Int, UnsafeBufferPointer<Float>) -> Void) {
    let most = 256
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * most) { part in
      guard let floats = part.baseAddress else { return }
      let bytes = floats + most
      for (i, place) in tensors.enumerated() {
        let (tensor, element) = (place.tensor, place.element)
        for row in 0..<tensor.rows {
          let scale = scales(of: i)?[row] ?? 1
          for first in stride(from: 0, to: tensor.columns, by: most) {
            let count = min(most, tensor.columns - first)
            if let packed = place.packed {
              packed.get(
                column: place.column(row, weights.shape), from: first, count: count, into: bytes)
              element.decode(bytes, count: count, scale: scale, into: floats)
            } else {
              let kept = UnsafeRawPointer(rows.pointer + place.rows)
              element.decode(
                kept + (row * tensor.columns + first) * element.bits / 8, count: count,
                scale: scale, into: floats)
            }
            body(i, UnsafeBufferPointer(start: floats, count: count))
          }
        }
      }
    }
  }

  /// The parameters as floats, in their layout.
  func expanded() throws(NetworkError) -> FloatBuffer {
    let parameters = try FloatBuffer(layout.count)
    try forEach { (tensor, first, rows) throws(NetworkError) in
      let place = tensors[tensor].tensor
      for i in 0..<rows.count {
        rows.decode(
          row: i, from: 0, count: rows.columns,
          into: parameters.pointer + place.offset + (first + i) * rows.columns)
      }
    }
    return parameters
  }
}
