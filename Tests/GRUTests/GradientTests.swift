import Kernels
import TestSupport
import Testing

@testable import GRU

/// The learner's gradients against central differences of the reference, tensor by tensor.
struct GradientTests {
  struct Case: CustomTestStringConvertible {
    var shape: NetworkShape
    var batch, sequence: Int
    var threads = 1
    var dropout: Float = 0
    /// Elements tried in each tensor; all, if it has no more.
    var sample = 1000

    init(
      _ vocabulary: Int, _ embedding: Int, _ hidden: Int, _ layers: Int, batch: Int, sequence: Int,
      threads: Int = 1, dropout: Float = 0, sample: Int = 1000, sides: [Int] = []
    ) {
      shape = NetworkShape(
        vocabulary: vocabulary, embedding: embedding, hidden: hidden, layers: layers,
        sides: SideSizes(sides))
      self.batch = batch
      self.sequence = sequence
      self.threads = threads
      self.dropout = dropout
      self.sample = sample
    }

    var testDescription: String {
      "\(shape.vocabulary), \(shape.embedding), \(shape.hidden) x \(shape.layers), "
        + "batch \(batch), \(sequence) steps, dropout \(dropout), \(threads) threads, "
        + "\(shape.sides.count) side inputs"
    }
  }

  static let cases = [
    Case(1, 1, 1, 1, batch: 1, sequence: 1),
    Case(5, 3, 4, 1, batch: 2, sequence: 3),
    Case(6, 7, 5, 2, batch: 3, sequence: 4, threads: 2, sample: 60),
    Case(4, 2, 3, 3, batch: 2, sequence: 5),
    // No padding; more rows than one block of a weight gradient takes.
    Case(33, 17, 32, 1, batch: 13, sequence: 11, threads: 2, sample: 4),
    Case(35, 33, 34, 2, batch: 9, sequence: 2, sample: 4),
    Case(5, 3, 6, 1, batch: 3, sequence: 4, dropout: 0.4),
    Case(5, 6, 4, 3, batch: 4, sequence: 3, threads: 3, dropout: 0.25, sample: 60),
    Case(5, 3, 4, 1, batch: 2, sequence: 3, sides: [2]),
    Case(
      3, 6, 5, 2, batch: 4, sequence: 3, threads: 2, dropout: 0.25, sample: 60, sides: [7, 1, 3]),
  ]

  @Test(arguments: InstructionSet.available, cases)
  func centralDifferences(set: InstructionSet, c: Case) throws {
    var numbers = Numbers(UInt64(c.shape.hidden * 10 + c.batch))
    let learner = try Learner(
      c.shape, batch: c.batch, sequence: c.sequence, threads: c.threads, dropout: c.dropout,
      seed: 42, kernels: set.kernels)
    for tensor in learner.layout.tensors {
      learner.parameters.set(tensor, numbers.floats(tensor.count, scale: 0.7))
    }
    var reference = Reference(
      c.shape, batch: c.batch, sequence: c.sequence, learner.parameters)

    // The state is carried through three sequences; the last one's gradients are differenced.
    for sequence in 0..<3 {
      let inputs = numbers.tokens(c.sequence * c.batch, below: c.shape.vocabulary)
      var targets = numbers.tokens(inputs.count, below: c.shape.vocabulary)
      if targets.count > 2 { targets[sequence % 2] = -1 }
      learner.updates = 7 + sequence
      if c.dropout > 0 { reference.masks = try masks(c, set.kernels, step: learner.updates) }
      let sides = inputs.indices.flatMap { _ in
        c.shape.sides.map { numbers.tokens(1, below: $0)[0] }
      }
      let loss = learner.gradients(inputs: inputs, targets: targets, sides: sides)
      let wanted = reference.sequence(inputs, targets, sides: sides)
      #expect(abs(loss - wanted.loss) < 1e-6 * max(1, wanted.loss))
      if sequence == 2 { difference(reference, inputs, targets, sides, learner, c, &numbers) }
      reference.state = wanted.state
    }
  }

  private func difference(
    _ reference: Reference, _ inputs: [Int32], _ targets: [Int32], _ sides: [Int32],
    _ learner: Learner, _ c: Case, _ numbers: inout Numbers
  ) {
    var reference = reference
    let epsilon = 1e-5
    for tensor in learner.layout.tensors {
      let analytic = learner.gradients.values(of: tensor)
      let places =
        tensor.count <= c.sample
        ? Array(0..<tensor.count)
        : numbers.tokens(c.sample, below: tensor.count).map(Int.init)
      let numerical = places.map { place in
        let before = reference.parameters[tensor.offset + place]
        reference.parameters[tensor.offset + place] = before + epsilon
        let above = reference.sequence(inputs, targets, sides: sides).loss
        reference.parameters[tensor.offset + place] = before - epsilon
        let below = reference.sequence(inputs, targets, sides: sides).loss
        reference.parameters[tensor.offset + place] = before
        return (above - below) / (2 * epsilon)
      }
      // Against the largest of the tensor: a sample may hold small ones alone.
      let largest = Double(analytic.map(abs).max()!)
      for (place, slope) in zip(places, numerical) {
        let apart = abs(Double(analytic[place]) - slope)
        #expect(apart <= 1e-5 * largest + 1e-9, "\(tensor.name), place \(place)")
      }
    }
  }

  /// What is dropped, found out by dropping from ones.
  private func masks(_ c: Case, _ kernels: KernelTable, step: Int) throws -> [[Float]] {
    let width = c.shape.paddedHidden
    let dropout = Dropout(
      probability: c.dropout, seed: 42, batch: c.batch, firstRow: 0)
    return (0..<c.shape.layers).map { layer in
      let ones = [Float](repeating: 1, count: c.batch * width)
      return (0..<c.sequence).flatMap { time in
        var mask = ones
        dropout.apply(
          kernels, DropoutStep(number: UInt64(step)), layer: layer, time: time, width: width,
          rows: c.batch, x: ones, y: &mask)
        return mask
      }
    }
  }
}
