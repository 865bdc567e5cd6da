import Foundation
import Kernels
import TestSupport
import Testing

struct SoftmaxTests {
  /// Loss and gradient of each row in Double; a negative target does not count.
  private func reference(
    _ logits: [Float], columns: Int, vocabulary: Int, _ targets: [Int32], scale: Double
  ) -> (loss: [Double], gradient: [Double]) {
    var loss: [Double] = []
    var gradient = [Double](repeating: 0, count: logits.count)
    for (row, target) in targets.enumerated() {
      guard target >= 0 else {
        loss.append(0)
        continue
      }
      let x = logits[(row * columns)..<(row * columns + vocabulary)].map(Double.init)
      let top = x.max()!
      let sum = x.reduce(0) { $0 + exp($1 - top) }
      loss.append(log(sum) + top - x[Int(target)])
      for i in 0..<vocabulary {
        gradient[row * columns + i] = scale * (exp(x[i] - top) / sum - (i == target ? 1 : 0))
      }
    }
    return (loss, gradient)
  }

  @Test(arguments: InstructionSet.available, [1, 2, 31, 32, 45])
  func lossAndGradient(set: InstructionSet, vocabulary: Int) {
    let rows = 6
    let columns = Panels.padded(vocabulary)
    var numbers = Numbers(UInt64(vocabulary))
    // What pads the logits holds anything: it must not count.
    var logits = numbers.floats(rows * columns, scale: 8)
    for i in 0..<columns { logits[i] *= 10 }
    for i in columns..<2 * columns { logits[i] += 10_000 }
    var targets = numbers.tokens(rows, below: vocabulary)
    targets[3] = -1
    let wanted = reference(
      logits, columns: columns, vocabulary: vocabulary, targets, scale: 0.25)
    var loss = [Float](repeating: .nan, count: rows)
    set.kernels.crossEntropy(rows, columns, vocabulary, &logits, targets, 0.25, &loss)
    #expect(relativeError(logits, wanted.gradient) < 2e-6)
    #expect(zip(loss, wanted.loss).allSatisfy { abs(Double($0) - $1) < 2e-6 * max(1, $1) })
    #expect(loss[3] == 0)
    #expect(logits[(3 * columns)..<(4 * columns)].allSatisfy { $0 == 0 })
    for row in 0..<rows {
      #expect(logits[(row * columns + vocabulary)..<((row + 1) * columns)].allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: InstructionSet.available)
  func withoutGradientTheLogitsStay(set: InstructionSet) {
    let (rows, columns, vocabulary) = (3, 64, 40)
    var numbers = Numbers(3)
    let before = numbers.floats(rows * columns, scale: 5)
    let targets: [Int32] = [39, -1, 0]
    let wanted = reference(before, columns: columns, vocabulary: vocabulary, targets, scale: 1)
    var logits = before
    var loss = [Float](repeating: .nan, count: rows)
    set.kernels.crossEntropy(rows, columns, vocabulary, &logits, targets, 0, &loss)
    for row in 0..<rows {
      let places = (row * columns)..<(row * columns + vocabulary)
      #expect(logits[places] == before[places])
    }
    #expect(relativeError(loss, wanted.loss) < 1e-6)
  }

  /// A model that has blown up must show in its loss.
  @Test(arguments: InstructionSet.available, [Float.nan, .infinity])
  func brokenLogitsBreakTheLoss(set: InstructionSet, broken: Float) {
    for place in [0, 17, 44] {
      var logits = [Float](repeating: 1, count: 64)
      logits[place] = broken
      var loss: [Float] = [0]
      set.kernels.crossEntropy(1, 64, 45, &logits, [3], 1, &loss)
      #expect(loss[0].isNaN, "at \(place)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func expNormalized(set: InstructionSet) {
    for (count, scale) in [(32, Float(1)), (64, 0.5), (96, 2.5)] {
      var numbers = Numbers(UInt64(count))
      var x = numbers.floats(count, scale: 20)
      for i in stride(from: 5, to: count, by: 7) { x[i] = -.infinity }
      let top = Double(x.max()!)
      let wanted = x.map { exp(Double(scale) * (Double($0) - top)) }
      var y = [Float](repeating: .nan, count: count)
      let logSum = set.kernels.expNormalized(count, scale, x, &y)
      #expect(relativeError(y, wanted) < 1e-6)
      #expect(y[5] == 0)
      #expect(relativeError([logSum], [top + log(wanted.reduce(0, +))]) < 1e-6)
      let nothing = [Float](repeating: -.infinity, count: count)
      #expect(set.kernels.expNormalized(count, scale, nothing, &y) == -.infinity)
      #expect(y.allSatisfy { $0 == 0 })
    }
  }

  /// Far above the others, wherever it is: nothing overflows, and it alone is likely.
  @Test(arguments: InstructionSet.available)
  func theLargestIsFoundAtEveryPlace(set: InstructionSet) {
    for place in 0..<64 {
      var x = [Float](repeating: -500, count: 64)
      x[place] = 500
      var y = [Float](repeating: .nan, count: 64)
      #expect(set.kernels.expNormalized(64, 1, x, &y) == 500)
      #expect(y.indices.allSatisfy { y[$0] == ($0 == place ? 1 : 0) })
      var loss = Float.nan
      set.kernels.crossEntropy(1, 64, 64, &x, [Int32(place)], 1, &loss)
      #expect(loss == 0)
    }
  }

  @Test(arguments: InstructionSet.available)
  func sumsAndCountsFromALimitUp(set: InstructionSet) {
    var numbers = Numbers(3)
    let x = numbers.floats(160).map(abs)
    for least in [0, x[7], 0.5, 2] as [Float] {
      var sums = [Float](repeating: .nan, count: 5)
      set.kernels.blockSums(160, least, x, &sums)
      let wanted = (0..<5).map { block in
        x[32 * block..<32 * block + 32].reduce(0.0) { $0 + ($1 >= least ? Double($1) : 0) }
      }
      #expect(relativeError(sums, wanted) < 1e-6)
      #expect(set.kernels.countAtLeast(160, least, x) == x.count { $0 >= least })
    }
  }
}
