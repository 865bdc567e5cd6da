import Kernels
import Memory

/// Adds the rows of the table up that the input of layer 0 is the sum of: those of the side inputs and that of the
/// token. Always in the same order, whoever reads: a session, several, or a batch.
///
/// The side inputs but the last two seldom change from a token to the next, so their sum is kept. The last
/// two are those of the memory, where there is one, and change with each token.
final class TableSum {
  private let shape: NetworkShape
  private let kernels: KernelTable
  /// The rows of the side inputs whose sum is kept, -1 for none, and their sum.
  private let steadyRows: GrowableBuffer<Int32>
  private let steadySum: FloatBuffer

  init(_ shape: NetworkShape, _ kernels: KernelTable) throws(NetworkError) {
    self.shape = shape
    self.kernels = kernels
    let steady = shape.sides.steady
    steadyRows = try tokens(-1, count: steady)
    steadySum = try FloatBuffer(steady == 0 ? 0 : GRUCell.gates * shape.paddedHidden)
  }

  /// The table has changed.
  func forget() { for i in 0..<steadyRows.count { steadyRows[i] = -1 } }

  /// - `rows`: the places in the table, of the side inputs, then of the token.
  /// - `input`: becomes the sum, `[3 * padded hidden]`.
  func add(
    _ rows: UnsafePointer<Int32>, of weights: ForwardWeights,
    into input: UnsafeMutablePointer<Float>
  ) {
    let steady = steadyRows.count
    let width = GRUCell.gates * shape.paddedHidden
    weights.sum(rows + steady, 1 + shape.sides.count - steady, into: input)
    guard steady > 0, let kept = steadyRows.base else { return }
    if !areSame(kept, rows, steady) {
      kept.update(from: rows, count: steady)
      weights.sum(kept, steady, into: steadySum.pointer)
    }
    kernels.add(width, steadySum.pointer, input)
  }
}

/// Whether so many numbers are the same.
func areSame(_ a: UnsafePointer<Int32>, _ b: UnsafePointer<Int32>, _ count: Int) -> Bool {
  for i in 0..<count where a[i] != b[i] { return false }
  return true
}
