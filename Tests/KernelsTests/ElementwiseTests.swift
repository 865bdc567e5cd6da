import Kernels
import TestSupport
import Testing

/// The loops over whole buffers.
struct ElementwiseTests {
  @Test(arguments: InstructionSet.available, [16, 48, 4096, 4112, 10_000])
  func sums(set: InstructionSet, count: Int) {
    var numbers = Numbers(UInt64(count))
    let x = numbers.floats(count, scale: 3)
    let squares = x.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(set.kernels.sumOfSquares(count, x) - squares) < 1e-6 * squares)

    let before = numbers.floats(count + 16)
    var y = before
    set.kernels.add(count, x, &y)
    #expect(y == zip(before, x).map { $0 + $1 } + before[count...])
  }

  @Test(arguments: InstructionSet.available)
  func columnSums(set: InstructionSet) {
    let (rows, columns, stride) = (7, 48, 53)
    var numbers = Numbers(4)
    let x = numbers.floats(rows * stride)
    let before = numbers.floats(columns + 16)
    var wanted = before.map(Double.init)
    for row in 0..<rows {
      for i in 0..<columns { wanted[i] += Double(x[row * stride + i]) }
    }
    var sums = before
    set.kernels.columnSums(rows, columns, x, stride, &sums)
    #expect(relativeError(sums, wanted) < 1e-6)
    #expect(sums[columns...] == before[columns...])
  }

  @Test(arguments: InstructionSet.available)
  func scatterAdd(set: InstructionSet) {
    let (rows, columns) = (9, 32)
    let index: [Int32] = [3, 0, 3, 3, 1, 0, 5, 5, 3]
    var numbers = Numbers(5)
    let stride = columns + 3
    let x = numbers.floats(rows * stride)
    var table = numbers.floats(6 * columns)
    var wanted = table.map(Double.init)
    for row in 0..<rows {
      for i in 0..<columns { wanted[Int(index[row]) * columns + i] += Double(x[row * stride + i]) }
    }
    set.kernels.scatterAdd(rows, columns, x, stride, index, 1, &table)
    #expect(relativeError(table, wanted) < 1e-6)
  }

  /// Sums of rows of a table, and the gradient of such sums.
  @Test(arguments: InstructionSet.available, [1, 2, 4])
  func sumsOfRows(set: InstructionSet, terms: Int) {
    let (rows, columns, height) = (7, 48, 11)
    var numbers = Numbers(6)
    let index = numbers.tokens(rows * terms, below: height)
    let table = numbers.floats(height * columns)
    let stride = columns + 5
    var y = numbers.floats(rows * stride)
    let before = y
    var gradient = [Float](repeating: 0, count: height * columns)
    var wanted = before.map(Double.init)
    var wantedGradient = [Double](repeating: 0, count: height * columns)
    for row in 0..<rows {
      for i in 0..<columns {
        wanted[row * stride + i] = 0
        for term in index[row * terms..<(row + 1) * terms] {
          wanted[row * stride + i] += Double(table[Int(term) * columns + i])
        }
      }
    }
    set.kernels.gatherSum(rows, columns, table, index, terms, &y, stride)
    #expect(relativeError(y, wanted) < 1e-6)
    expectPackedSums(set, table, index, terms: terms)
    set.kernels.scatterAdd(rows, columns, y, stride, index, terms, &gradient)
    for row in 0..<rows {
      for i in 0..<columns {
        for term in index[row * terms..<(row + 1) * terms] {
          wantedGradient[Int(term) * columns + i] += Double(y[row * stride + i])
        }
      }
    }
    #expect(relativeError(gradient, wantedGradient) < 1e-6)
  }

  /// Sums of packed rows are those of the rows rounded to bfloat16: to 8 bits, the last of which is even if in doubt.
  private func expectPackedSums(
    _ set: InstructionSet, _ table: [Float], _ index: [Int32], terms: Int
  ) {
    let columns = 64
    let (height, rows) = (table.count / columns, index.count / terms)
    let index = index.map { $0 % Int32(height) }
    var packed = [Float](repeating: 0, count: height * columns / 2)
    packed.withUnsafeMutableBufferPointer { packed in
      for row in 0..<height {
        set.kernels.packRow(
          columns, Array(table[row * columns..<(row + 1) * columns]),
          packed.baseAddress! + row * columns / 2)
      }
    }
    func rounded(_ x: Float) -> Double {
      let bits = x.bitPattern
      return Double(Float(bitPattern: (bits + 0x7FFF + bits >> 16 & 1) & 0xFFFF_0000))
    }
    var y = [Float](repeating: 0, count: rows * columns)
    set.kernels.gatherSumPacked(rows, columns, packed, index, terms, &y, columns)
    let wanted = (0..<rows * columns).map { i in
      (0..<terms).reduce(0.0) { sum, term in
        sum + rounded(table[Int(index[i / columns * terms + term]) * columns + i % columns])
      }
    }
    #expect(relativeError(y, wanted) < 1e-6)
  }

  /// Five steps with gradients that change, some so small that epsilon counts, clipped and decayed.
  @Test(arguments: InstructionSet.available)
  func adam(set: InstructionSet) {
    let count = 48
    let (rate, decay, beta1, beta2, epsilon, clip) = (0.01, 0.1, 0.9, 0.99, 1e-8, 0.5)
    var numbers = Numbers(6)
    var parameter = numbers.floats(count)
    var first = [Float](repeating: 0, count: count)
    var second = first
    var (p, m, v) = (parameter.map(Double.init), first.map(Double.init), second.map(Double.init))
    var (power1, power2) = (1.0, 1.0)
    for _ in 1...5 {
      var gradient = numbers.floats(count)
      for i in stride(from: 0, to: count, by: 3) { gradient[i] *= 1e-8 }
      power1 *= beta1
      power2 *= beta2
      for i in 0..<count {
        let g = Double(gradient[i]) * clip
        m[i] = beta1 * m[i] + (1 - beta1) * g
        v[i] = beta2 * v[i] + (1 - beta2) * g * g
        p[i] -= rate * decay * p[i]
        p[i] -= rate * (m[i] / (1 - power1)) / ((v[i] / (1 - power2)).squareRoot() + epsilon)
      }
      set.kernels.callAdam(
        count, Float(clip), Float(rate / (1 - power1)), Float(1 / (1 - power2).squareRoot()),
        Float(1 - rate * decay), Float(beta1), Float(beta2), Float(epsilon), gradient, &parameter,
        &first, &second)
      #expect(relativeError(parameter, p) < 1e-6)
      #expect(relativeError(first, m) < 1e-6)
      #expect(relativeError(second, v) < 2e-6)
    }
  }

  /// A gradient of zero must not become a division by zero.
  @Test(arguments: InstructionSet.available)
  func adamLeavesWhatHasNoGradient(set: InstructionSet) {
    var parameter = [Float](repeating: 0.25, count: 16)
    var first = [Float](repeating: 0, count: 16)
    var second = first
    set.kernels.callAdam(
      16, 1, 0.1, 30, 1, 0.9, 0.999, 1e-8, [Float](repeating: 0, count: 16), &parameter, &first,
      &second)
    #expect(parameter == [Float](repeating: 0.25, count: 16))
  }
}
