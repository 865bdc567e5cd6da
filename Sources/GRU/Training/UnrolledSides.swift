import Kernels
import Memory

// Layer 0 with side inputs: its input is the sum of a row of the table for the token and one for each side
// input. Those of a row seldom change, so their sum is made once for each stretch of steps that has the same.

extension Unrolled {
  private var width: Int { GRUCell.gates * shape.paddedHidden }

  /// The rows of the table that the input at a step of a row is the sum of: side inputs, then the token.
  private func rows(_ step: Int, _ row: Int) -> UnsafeMutablePointer<Int32> {
    tableRows.base.unsafelyUnwrapped + (step * batch + row) * (1 + shape.sides.count)
  }

  private func areSame(_ a: UnsafePointer<Int32>, _ b: UnsafePointer<Int32>) -> Bool {
    for side in 0..<shape.sides.count where a[side] != b[side] { return false }
    return true
  }

  /// The inputs of the first `steps` steps, `stride` floats from a row to the next.
  func addUpInputs(
    _ table: UnsafePointer<Float>, steps: Int, into input: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let count = shape.sides.count
    for row in 0..<batch {
      for step in 0..<steps {
        let rows = rows(step, row)
        if step == 0 || !areSame(rows, self.rows(step - 1, row)) {
          kernels.gatherSum(
            rows: 1, columns: width, table: table, index: rows, terms: count, y: sideSum.pointer,
            stride: width)
        }
        let result = input + (step * batch + row) * stride
        result.update(from: table + Int(rows[count]) * width, count: width)
        kernels.add(width, sideSum.pointer, result)
      }
    }
  }

  /// Adds the gradients of all inputs up in the rows of the table they are sums of.
  func addUpTable(
    _ gates: UnsafePointer<Float>, stride: Int, into table: UnsafeMutablePointer<Float>
  ) {
    kernels.scatterAdd(
      rows: sequence * batch, columns: width, x: gates, stride: stride, index: inputs, terms: 1,
      table: table)
    for row in 0..<batch {
      sideSum.clear()
      for step in 0..<sequence {
        kernels.add(width, gates + (step * batch + row) * stride, sideSum.pointer)
        let rows = rows(step, row)
        guard step + 1 == sequence || !areSame(rows, self.rows(step + 1, row)) else { continue }
        for side in 0..<shape.sides.count {
          kernels.add(width, sideSum.pointer, table + Int(rows[side]) * width)
        }
        sideSum.clear()
      }
    }
  }
}
