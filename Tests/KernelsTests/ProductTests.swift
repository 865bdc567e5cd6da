import Kernels
import TestSupport
import Testing

/// The matrix products against the plain three loops in Double.
struct ProductTests {
  struct Case {
    var rows, columns, depth: Int
    var bias = false
    var accumulate = false
    var extra = 0
  }

  @Test(arguments: InstructionSet.available)
  func everyNumberOfRows(set: InstructionSet) {
    for rows in 1...41 {
      check(set, Case(rows: rows, columns: 64, depth: 5, bias: true, extra: rows % 3))
      check(set, Case(rows: rows, columns: 32, depth: 6, accumulate: true, extra: rows % 4))
    }
  }

  @Test(arguments: InstructionSet.available)
  func everyDepth(set: InstructionSet) {
    for depth in [1, 2, 3, 4, 31, 33, 150, 769, 1541] {
      check(set, Case(rows: 13, columns: 96, depth: depth))
      check(set, Case(rows: 24, columns: 32, depth: depth, bias: true))
      check(set, Case(rows: 3, columns: 32, depth: depth, bias: true, accumulate: true, extra: 7))
    }
  }

  private func check(_ set: InstructionSet, _ c: Case) {
    var numbers = Numbers(UInt64(c.rows * 1000 + c.depth))
    let leftStride = c.depth + c.extra
    let stride = c.columns + c.extra
    let left = numbers.floats(c.rows * leftStride)
    let right = numbers.floats(c.columns * c.depth)
    let bias = numbers.floats(c.columns)
    let before = numbers.floats(c.rows * stride)

    var panels = [Float](repeating: .nan, count: right.count)
    Panels.pack(
      right, count: c.columns, columnStride: c.depth, rows: c.depth, rowStride: 1, into: &panels,
      depth: c.depth)
    // What lies between the rows must stay as it was.
    var wanted = before.map(Double.init)
    for row in 0..<c.rows {
      for column in 0..<c.columns {
        var sum = c.bias ? Double(bias[column]) : 0
        if c.accumulate { sum += wanted[row * stride + column] }
        for k in 0..<c.depth {
          sum += Double(left[row * leftStride + k]) * Double(right[column * c.depth + k])
        }
        wanted[row * stride + column] = sum
      }
    }

    let room = KernelTable.productRoom(rows: c.rows, depth: c.depth)
    var memory = [Float](repeating: 7, count: room + 64)
    for lent in [true, false] {
      var result = before
      memory.withUnsafeMutableBufferPointer { memory in
        bias.withUnsafeBufferPointer { bias in
          set.kernels.callProduct(
            1, c.rows, c.columns, c.depth, left, leftStride, panels, nil,
            c.bias ? bias.baseAddress : nil, c.accumulate ? 1 : 0, &result, stride,
            lent ? memory.baseAddress : nil)
        }
      }
      // A sum of many numbers is rounded more often.
      #expect(relativeError(result, wanted) < (c.depth < 500 ? 1e-6 : 2e-6), "\(c), memory \(lent)")
    }
    #expect(memory[room...].allSatisfy { $0 == 7 }, "\(c)")
  }
}
