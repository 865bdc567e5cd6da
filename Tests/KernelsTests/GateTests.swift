import Foundation
import Kernels
import TestSupport
import Testing

func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// One step of PyTorch's GRU: the reset gate after the recurrent product.
struct Step {
  var r, z, n, a, next: Double

  init(x: [Double], recurrent: [Double], h: Double) {
    r = sigmoid(x[0] + recurrent[0])
    z = sigmoid(x[1] + recurrent[1])
    a = recurrent[2]
    n = tanh(x[2] + r * a)
    next = (1 - z) * n + z * h
  }
}

struct GateTests {
  /// With and without padding; layer 0's look-up or not.
  @Test(arguments: InstructionSet.available, [false, true])
  func forward(set: InstructionSet, lookUp: Bool) {
    for rows in [1, 2, 9] { forward(set, rows: rows, units: 5, lookUp: lookUp) }
    for units in [1, 16, 32, 46] { forward(set, rows: 3, units: units, lookUp: lookUp) }
  }

  private func forward(_ set: InstructionSet, rows: Int, units: Int, lookUp: Bool) {
    var numbers = Numbers(UInt64(rows * 100 + units))
    let hidden = Panels.padded(units)
    let inputs = lookUp ? 7 : rows
    /// Rows of units, what pads them zero.
    func padded(_ rows: Int) -> [Float] {
      (0..<rows).flatMap { _ in
        numbers.floats(units, scale: 1.5) + [Float](repeating: 0, count: hidden - units)
      }
    }
    let sums = padded(rows * 3)
    let input = padded(inputs * 3)
    let previous = padded(rows)
    let index = numbers.tokens(rows, below: inputs)

    var next = [Float](repeating: .nan, count: rows * hidden)
    let stride = KernelTable.cacheStride(hidden: hidden)
    var cache = [Float](repeating: 7, count: rows * stride)
    var without = next
    if lookUp {
      set.kernels.gruForward(
        rows, hidden, sums, previous, input, 3 * hidden, index, &next, &cache)
      set.kernels.gruForward(
        rows, hidden, sums, previous, input, 3 * hidden, index, &without, nil)
    } else {
      set.kernels.gruForward(
        rows, hidden, sums, previous, input, 3 * hidden, nil, &next, &cache)
      set.kernels.gruForward(
        rows, hidden, sums, previous, input, 3 * hidden, nil, &without, nil)
    }
    #expect(next == without)

    if !lookUp {
      // The input's share in the memory of the cache.
      var shared = [Float](repeating: 7, count: cache.count)
      for row in 0..<rows {
        for i in 0..<3 * hidden { shared[row * stride + hidden + i] = input[row * 3 * hidden + i] }
      }
      shared.withUnsafeMutableBufferPointer {
        let memory = $0.baseAddress!
        set.kernels.gruForward(
          rows, hidden, sums, previous, memory + hidden, stride, nil, &without, memory)
      }
      #expect(next == without && cache == shared)
    }

    var wanted = [Double](repeating: 0, count: next.count)
    var kept = [Double](repeating: 7, count: cache.count)
    for row in 0..<rows { for i in 0..<4 * hidden { kept[row * stride + i] = 0 } }
    for row in 0..<rows {
      let x = (lookUp ? Int(index[row]) : row) * 3 * hidden
      for unit in 0..<units {
        let step = Step(
          x: (0..<3).map { Double(input[x + $0 * hidden + unit]) },
          recurrent: (0..<3).map { Double(sums[(row * 3 + $0) * hidden + unit]) },
          h: Double(previous[row * hidden + unit]))
        wanted[row * hidden + unit] = step.next
        for (i, value) in [step.n, step.r, step.z, step.a].enumerated() {
          kept[row * stride + i * hidden + unit] = value
        }
      }
      // The gates of padding are of no account; the state there must stay zero.
      for unit in units..<hidden {
        kept[row * stride + hidden + unit] = 0.5
        kept[row * stride + 2 * hidden + unit] = 0.5
        #expect(next[row * hidden + unit] == 0)
      }
    }
    #expect(relativeError(next, wanted) < 2e-6, "\(rows) rows, \(units) units")
    #expect(relativeError(cache, kept) < 2e-6, "\(rows) rows, \(units) units")
  }

  /// Each output of the way back is a derivative of `gradient * next`; central differences give it.
  @Test(arguments: InstructionSet.available)
  func backward(set: InstructionSet) {
    let (rows, hidden) = (3, 32)
    var numbers = Numbers(9)
    let x = numbers.floats(rows * 3 * hidden, scale: 2)
    let recurrent = numbers.floats(rows * 3 * hidden, scale: 2)
    let h = numbers.floats(rows * hidden)
    let output = numbers.floats(rows * hidden)
    let before = numbers.floats(rows * hidden)
    func three(_ values: [Float], _ row: Int, _ unit: Int) -> [Double] {
      (0..<3).map { Double(values[(row * 3 + $0) * hidden + unit]) }
    }

    let stride = KernelTable.cacheStride(hidden: hidden)
    var cache = [Float](repeating: 0, count: rows * stride)
    var inputWanted = [Double](repeating: 0, count: rows * 3 * hidden)
    var recurrentWanted = inputWanted
    var carryWanted = [Double](repeating: 0, count: rows * hidden)
    let epsilon = 1e-5
    for row in 0..<rows {
      for unit in 0..<hidden {
        let i = row * hidden + unit
        let (x, g, h) = (three(x, row, unit), three(recurrent, row, unit), Double(h[i]))
        let step = Step(x: x, recurrent: g, h: h)
        for (k, value) in [step.n, step.r, step.z, step.a].enumerated() {
          cache[row * stride + k * hidden + unit] = Float(value)
        }
        let factor = (Double(output[i]) + Double(before[i])) / (2 * epsilon)
        func change(_ value: [Double], _ gate: Int, by e: Double) -> [Double] {
          var changed = value
          changed[gate] += e
          return changed
        }
        for gate in 0..<3 {
          let place = (row * 3 + gate) * hidden + unit
          inputWanted[place] =
            factor
            * (Step(x: change(x, gate, by: epsilon), recurrent: g, h: h).next
              - Step(x: change(x, gate, by: -epsilon), recurrent: g, h: h).next)
          recurrentWanted[place] =
            factor
            * (Step(x: x, recurrent: change(g, gate, by: epsilon), h: h).next
              - Step(x: x, recurrent: change(g, gate, by: -epsilon), h: h).next)
        }
        carryWanted[i] =
          factor
          * (Step(x: x, recurrent: g, h: h + epsilon).next
            - Step(x: x, recurrent: g, h: h - epsilon).next)
      }
    }

    var carry = before
    var biasGradient = [Float](repeating: 1, count: 4 * hidden)
    set.kernels.gruBackward(rows, hidden, &cache, h, output, &carry, &biasGradient)
    // x_n, x_r, x_z, a; those of the other two recurrent products are those of x_r and x_z.
    var wanted = [Double](repeating: 0, count: cache.count)
    var biasWanted = [Double](repeating: 1, count: 4 * hidden)
    for row in 0..<rows {
      for (place, gate) in [2, 0, 1].enumerated() {
        for i in 0..<hidden {
          wanted[row * stride + place * hidden + i] = inputWanted[(row * 3 + gate) * hidden + i]
        }
      }
      for i in 0..<hidden {
        wanted[row * stride + 3 * hidden + i] = recurrentWanted[(row * 3 + 2) * hidden + i]
      }
      for i in 0..<4 * hidden { biasWanted[i] += wanted[row * stride + i] }
    }
    for row in 0..<rows {
      for gate in 0..<2 {
        let range = (row * 3 + gate) * hidden..<(row * 3 + gate + 1) * hidden
        #expect(
          relativeError(recurrentWanted[range].map(Float.init), Array(inputWanted[range])) < 2e-6)
      }
    }
    #expect(relativeError(cache, wanted) < 2e-6)
    #expect(relativeError(carry, carryWanted) < 2e-6)
    #expect(relativeError(biasGradient, biasWanted) < 2e-6)
  }
}
