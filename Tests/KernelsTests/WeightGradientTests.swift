import Kernels
import TestSupport
import Testing

/// The gradient of a weight matrix, which lays both sides out for itself, against the plain three loops
/// in Double.
struct WeightGradientTests {
  @Test(arguments: InstructionSet.available)
  func float32(set: InstructionSet) {
    // With many columns a sum runs over more steps, and is rounded more often.
    check(set, .float32) { $0 <= 256 ? 1e-6 : 2e-6 }
  }

  @Test(arguments: InstructionSet.available)
  func bfloat16(set: InstructionSet) {
    check(set, .bfloat16) { _ in 1e-6 }
  }

  /// Rows, columns and depths on both sides of where it is cut up.
  private static let sizes =
    [(1, 1), (11, 31), (12, 32), (13, 45), (24, 64), (193, 33)].flatMap { m, n in
      [1, 2, 255, 256, 257, 521].map { (m, n, $0) }
    } + [511, 512, 513].map { (25, 300, $0) }

  /// - `format`: of both sides. `limit`: of the error, by columns.
  private func check(_ set: InstructionSet, _ format: Format, limit: (Int) -> Double) {
    for (m, n, depth) in Self.sizes {
      var numbers = Numbers(UInt64(m * 1000 + depth))
      let (leftStride, rightStride) = (m + 3, n + 5)
      let left = numbers.floats(depth * leftStride)
      let right = numbers.floats(depth * rightStride)
      let before = numbers.floats(m * n + 40)

      let room = KernelTable.weightGradientRoom(columns: n)
      var scratch = [Float](repeating: 7, count: room + 64)
      var result = before
      set.kernels.callWeightGradient(
        format.numbers, m, n, depth, left, leftStride, right, rightStride, &result, &scratch)

      var wanted = before.map(Double.init)
      let (leftRounded, rightRounded) = (left.map(format.left), right.map(format.left))
      for k in 0..<depth {
        for i in 0..<m {
          let factor = leftRounded[k * leftStride + i]
          for j in 0..<n { wanted[i * n + j] += factor * rightRounded[k * rightStride + j] }
        }
      }
      #expect(relativeError(result, wanted) < limit(n), "\(m) x \(n), depth \(depth)")
      #expect(result[(m * n)...].elementsEqual(before[(m * n)...]))
      #expect(scratch[room...].allSatisfy { $0 == 7 })
    }
  }
}
