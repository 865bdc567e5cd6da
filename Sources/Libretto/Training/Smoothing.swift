import GRU
import Memory
import Platform
import Sequences

/// Rows of new tables whose values stand for numbers in rising order begin alike for neighbours: what is learned of one
/// then holds for those near it from the start.
enum Smoothing {
  /// The standard deviation of the kernel, in rows.
  private static let width = 4.0

  static func apply(
    _ parameters: FloatBuffer, _ shape: NetworkShape, _ encoding: any Encoding, _ sides: Sides
  ) throws(LibrettoError) {
    for tensor in ParameterLayout(shape).tensors {
      let rows: Range<Int> =
        switch tensor.role {
        case .embedding, .headWeight: encoding.orderedTokens
        case .side(let side): sides.inputs[side].isOrdered ? 1..<tensor.rows : 0..<0
        default: 0..<0
        }
      guard rows.count > 1 else { continue }
      try smooth(
        parameters.pointer + tensor.offset + rows.lowerBound * tensor.columns, rows.count,
        tensor.columns)
    }
  }

  /// Each row becomes a weighted sum of those around it, with the variance it had.
  private static func smooth(_ values: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int)
    throws(LibrettoError)
  {
    let before = try FloatBuffer.make(rows * columns)
    before.pointer.update(from: values, count: rows * columns)
    for row in 0..<rows {
      var squares = 0.0
      let target = values + row * columns
      target.update(repeating: 0, count: columns)
      for other in 0..<rows {
        let distance = Double(other - row) / width
        guard abs(distance) < 4 else { continue }
        let weight = exp(-0.5 * distance * distance)
        squares += weight * weight
        let source = before.pointer + other * columns
        for i in 0..<columns { target[i] += Float(weight) * source[i] }
      }
      let factor = Float(1 / squares.squareRoot())
      for i in 0..<columns { target[i] *= factor }
    }
  }
}
