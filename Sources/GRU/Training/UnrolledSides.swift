import Kernels
import Memory

// Layer 0 with side inputs: its input is the sum of a row of the table for the token and one for each side
// input.

extension Unrolled {
  private var width: Int { GRUCell.gates * shape.paddedHidden }

  /// The rows of the table that the input at a step of a row is the sum of: side inputs, then the token.
  private func rows(_ step: Int, _ row: Int) -> UnsafeMutablePointer<Int32> {
    tableRows.base.unsafelyUnwrapped + (step * batch + row) * (1 + shape.sides.count)
  }

  /// The inputs of the first `steps` steps, `stride` floats from a row to the next.
  func addUpInputs(
    _ weights: ForwardWeights, steps: Int, into input: UnsafeMutablePointer<Float>, stride: Int
  ) {
    tableSum?.forget()
    for row in 0..<batch {
      for step in 0..<steps {
        tableSum?.add(rows(step, row), of: weights, into: input + (step * batch + row) * stride)
      }
    }
  }

  /// Adds the gradients of all inputs up in the rows of the table they are sums of. Those of the side inputs
  /// that seldom change are summed up first, for each stretch of steps that has the same.
  func addUpTable(
    _ gates: UnsafePointer<Float>, stride: Int, into table: UnsafeMutablePointer<Float>
  ) {
    let steady = shape.sides.steady
    for row in 0..<batch {
      sideSum.clear()
      for step in 0..<sequence {
        let gates = gates + (step * batch + row) * stride
        let rows = rows(step, row)
        for i in steady...shape.sides.count {
          kernels.add(width, gates, table + Int(rows[i]) * width)
        }
        guard steady > 0 else { continue }
        kernels.add(width, gates, sideSum.pointer)
        guard step + 1 == sequence || !areSame(rows, self.rows(step + 1, row), steady) else {
          continue
        }
        for side in 0..<steady {
          kernels.add(width, sideSum.pointer, table + Int(rows[side]) * width)
        }
        sideSum.clear()
      }
    }
  }
}
