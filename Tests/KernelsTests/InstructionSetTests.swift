import Kernels
import TestSupport
import Testing

/// The levels are builds of one source: they may differ by rounding alone.
struct InstructionSetTests {
  @Test func availableSets() {
    #expect(InstructionSet.available.first == .baseline)
    #expect(InstructionSet.available.contains(.current))
  }

  @Test func names() {
    for set in InstructionSet.available {
      #expect(InstructionSet.named(set.shortName) == set)
      #expect(InstructionSet.named(set.name) == set)
    }
    #expect(InstructionSet.named("v5") == nil)
  }

  @Test(arguments: InstructionSet.available)
  func levelsAgree(set: InstructionSet) {
    let ours = Self.results(set)
    let baseline = Self.results(.baseline)
    for (name, values) in ours {
      #expect(relativeError(values, baseline[name]!.map(Double.init)) < 2e-6, "\(name)")
    }
  }

  /// A little of everything that computes.
  private static func results(_ set: InstructionSet) -> [String: [Float]] {
    let kernels = set.kernels
    var numbers = Numbers(11)
    var results: [String: [Float]] = [:]
    let (rows, hidden) = (13, 64)
    let previous = numbers.floats(rows * hidden)
    let input = numbers.floats(rows * 3 * hidden)
    let bias = numbers.floats(3 * hidden)
    let weights = numbers.floats(3 * hidden * hidden, scale: 0.2)

    var product = [Float](repeating: 0, count: rows * 3 * hidden)
    var memory = [Float](repeating: 0, count: KernelTable.productRoom(rows: rows, depth: hidden))
    kernels.callProduct(
      1, rows, 3 * hidden, hidden, previous, hidden, weights, nil, bias, 0, &product, 3 * hidden,
      &memory)
    results["product"] = product

    var next = [Float](repeating: 0, count: rows * hidden)
    var cache = [Float](repeating: 0, count: rows * KernelTable.cacheStride(hidden: hidden))
    kernels.gruForward(
      rows, hidden, product, previous, input, 3 * hidden, nil, &next, &cache)
    results["next"] = next
    results["cache"] = cache

    var carry = previous
    var biasGradient = [Float](repeating: 0, count: 4 * hidden)
    kernels.gruBackward(rows, hidden, &cache, previous, next, &carry, &biasGradient)
    results["biasGradient"] = biasGradient
    results["carry"] = carry
    results["gradients"] = cache

    var gradient = [Float](repeating: 0, count: 45 * hidden)
    var scratch = [Float](repeating: 0, count: KernelTable.weightGradientRoom(columns: hidden))
    kernels.callWeightGradient(
      1, 45, hidden, rows, product, 3 * hidden, previous, hidden, &gradient, &scratch)
    results["weightGradient"] = gradient

    var loss = [Float](repeating: 0, count: rows)
    kernels.crossEntropy(
      rows, hidden, 50, &carry, numbers.tokens(rows, below: 50), 0.5, &loss)
    results["loss"] = loss
    results["logits"] = carry
    return results
  }
}
