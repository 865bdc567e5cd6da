import Kernels
import Memory

// Layer 0 with side inputs: its input is the sum of a row of the table for the token and one for each side
// input. Those of a stream seldom change, so their sum is made once for each stretch of steps that has the same.

extension Unrolled {
  private var width: Int { GRUCell.gates * shape.paddedHidden }

  /// The rows of the table that the input at a step of a stream is the sum of: side inputs, then the token.
  private func rows(_ step: Int, _ stream: Int) -> UnsafeMutablePointer<Int32> {
    tableRows.base.unsafelyUnwrapped + (step * streams + stream) * (1 + shape.sides.count)
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
    for stream in 0..<streams {
      for step in 0..<steps {
        let rows = rows(step, stream)
        if step == 0 || !areSame(rows, self.rows(step - 1, stream)) {
          kernels.gatherSum(1, width, table, rows, count, sideSum.pointer, width)
        }
        let result = input + (step * streams + stream) * stride
        result.update(from: table + Int(rows[count]) * width, count: width)
        kernels.add(width, sideSum.pointer, result)
      }
    }
  }

  /// Adds the gradients of all inputs up in the rows of the table they are sums of.
  func addUpTable(
    _ gates: UnsafePointer<Float>, stride: Int, into table: UnsafeMutablePointer<Float>
  ) {
    kernels.scatterAdd(window * streams, width, gates, stride, inputs, 1, table)
    for stream in 0..<streams {
      sideSum.clear()
      for step in 0..<window {
        kernels.add(width, gates + (step * streams + stream) * stride, sideSum.pointer)
        let rows = rows(step, stream)
        guard step + 1 == window || !areSame(rows, self.rows(step + 1, stream)) else { continue }
        for side in 0..<shape.sides.count {
          kernels.add(width, sideSum.pointer, table + Int(rows[side]) * width)
        }
        sideSum.clear()
      }
    }
  }
}
