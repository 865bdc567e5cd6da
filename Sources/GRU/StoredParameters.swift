/// The parameters of a network that is only read, in the bytes their precision takes: beside the packed
/// weights they are wanted for saving alone. What was rounded to the precision comes back bit for bit.
///
/// A row of a matrix is whole words of four bytes: in bfloat16 of two numbers each; in int8 its scale,
/// then four numbers each. Biases are float32 always.
public final class StoredParameters: @unchecked Sendable {
  private let layout: ParameterLayout
  private let precision: Precision
  private let words: FloatBuffer

  /// - `parameters`: in the layout; kept if the precision is float32, and not to be changed then.
  init(_ parameters: FloatBuffer, _ layout: ParameterLayout, _ precision: Precision)
    throws(NetworkError)
  {
    self.layout = layout
    self.precision = precision
    guard precision != .float32 else {
      words = parameters
      return
    }
    var count = 0
    Self.eachRow(layout, precision) { row in count += row.words }
    let words = try FloatBuffer(count)
    self.words = words
    Self.eachRow(layout, precision) { row in
      let numbers = words.pointer + row.numbers
      let scale = row.precision.encode(
        parameters.pointer + row.offset, count: row.count, into: numbers)
      if row.precision == .int8 { numbers[-1] = scale }
    }
  }

  /// The parameters in their layout, rounded; not to be changed.
  func expanded() throws(NetworkError) -> FloatBuffer {
    if precision == .float32 { return words }
    let parameters = try FloatBuffer(layout.count)
    Self.eachRow(layout, precision) { row in
      let numbers = words.pointer + row.numbers
      row.precision.decode(
        numbers, count: row.count, scale: row.precision == .int8 ? numbers[-1] : 1,
        into: parameters.pointer + row.offset)
    }
    return parameters
  }

  /// Hands on the parameters in the order of the layout, as numbers whatever they are kept in: part of a
  /// row at a time, of an even count unless a row ends with it.
  public func forEachPart(_ body: (UnsafeBufferPointer<Float>) -> Void) {
    let most = 256
    withUnsafeTemporaryAllocation(of: Float.self, capacity: most) { part in
      guard let base = part.baseAddress else { return }
      Self.eachRow(layout, precision) { row in
        let numbers = UnsafeRawPointer(words.pointer + row.numbers)
        let scale = row.precision == .int8 ? words.pointer[row.numbers - 1] : 1
        for first in stride(from: 0, to: row.count, by: most) {
          let count = min(most, row.count - first)
          row.precision.decode(
            numbers + first * row.precision.bits / 8, count: count, scale: scale, into: base)
          body(UnsafeBufferPointer(start: base, count: count))
        }
      }
    }
  }

  private struct Row {
    let precision: Precision
    /// Its first number in the layout, and how many it has.
    let offset, count: Int
    /// Its first word here, and how many it takes.
    let place, words: Int
    /// The first word of its numbers; in int8 the scale lies before it.
    var numbers: Int { place + (precision == .int8 ? 1 : 0) }
  }

  private static func eachRow(
    _ layout: ParameterLayout, _ precision: Precision, _ body: (Row) -> Void
  ) {
    var place = 0
    for tensor in layout.tensors {
      let (rows, count) = (tensor.rows, tensor.columns)
      let precision = tensor.isMatrix ? precision : .float32
      let words =
        switch precision {
        case .float32: count
        case .bfloat16: (count + 1) / 2
        case .int8: 1 + (count + 3) / 4
        }
      for row in 0..<rows {
        body(
          Row(
            precision: precision, offset: tensor.offset + row * count, count: count, place: place,
            words: words))
        place += words
      }
    }
  }
}
