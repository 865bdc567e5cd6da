import Kernels
import TestSupport
import Testing

@testable import GRU

struct LearnerTests {
  static let shape = NetworkShape(vocabulary: 13, embedding: 6, hidden: 20, layers: 2)

  private func learner(
    batch: Int, sequence: Int, threads: Int = 1, dropout: Float = 0,
    shape: NetworkShape = Self.shape, precision: Precision = .float32,
    kernels: KernelTable = .current
  ) throws -> Learner {
    let learner = try Learner(
      shape, batch: batch, sequence: sequence, threads: threads, dropout: dropout, seed: 3,
      precision: precision, kernels: kernels)
    initialize(learner.parameters, shape, seed: 5)
    return learner
  }

  /// Two updates, then the gradients of a third sequence. The large epsilon keeps Adam from blowing
  /// up the rounding of small gradients.
  private func train(_ learner: Learner) -> (losses: [Double], gradients: [Float]) {
    var numbers = Numbers(8)
    var losses: [Double] = []
    for _ in 0..<3 {
      let inputs = numbers.tokens(learner.batch * learner.sequence, below: 13)
      let targets = numbers.tokens(inputs.count, below: 13)
      if !losses.isEmpty { #expect(learner.update(rate: 0.02, clip: 1, epsilon: 0.01)) }
      losses.append(learner.gradients(inputs: inputs, targets: targets))
    }
    return (losses, learner.gradients.values)
  }

  /// Seven rows go one by one to the threads, 26 in groups of eight.
  @Test(arguments: [1, 2, 7, 26], [Float(0), 0.3])
  func anyNumberOfThreads(batch: Int, dropout: Float) throws {
    let alone = try learner(batch: batch, sequence: 5, dropout: dropout)
    let wanted = train(alone)
    for threads in 2...3 {
      let shared = try learner(batch: batch, sequence: 5, threads: threads, dropout: dropout)
      #expect(shared.threads == min(threads, batch))
      let result = train(shared)
      for (loss, wanted) in zip(result.losses, wanted.losses) {
        #expect(abs(loss - wanted) < 1e-6 * wanted)
      }
      #expect(relativeError(result.gradients, wanted.gradients.map(Double.init)) < 1e-5)
      #expect(
        relativeError(shared.state.values, alone.state.values.map(Double.init)) < 1e-5)
      #expect(abs(shared.gradientNorm - alone.gradientNorm) < 1e-5 * alone.gradientNorm)
    }
  }

  /// Hands one learner's sums to the next, as one machine to another.
  private final class Relay: GradientSum {
    var gradients: [Float] = []
    var totals = StepTotals()
    var reaches = true

    func sum(_ own: UnsafeMutableBufferPointer<Float>, _ totals: inout StepTotals) -> Bool {
      guard reaches else { return false }
      if gradients.isEmpty { gradients = [Float](repeating: 0, count: own.count) }
      for i in own.indices { gradients[i] += own[i] }
      self.totals.loss += totals.loss
      self.totals.counted += totals.counted
      for i in own.indices { own[i] = gradients[i] }
      totals = self.totals
      return true
    }
  }

  /// Two learners that share a batch out, and add their gradients up, are as one that has all.
  @Test(arguments: [1, 2]) func learnersThatAddUpAreAsOne(threads: Int) throws {
    let (batch, sequence) = (12, 6)
    var numbers = Numbers(4)
    let inputs = numbers.tokens(batch * sequence, below: 13)
    var targets = numbers.tokens(inputs.count, below: 13)
    // One has fewer targets that count.
    for i in 0..<sequence { targets[i * batch] = -1 }
    let whole = try learner(batch: batch, sequence: sequence, threads: threads)
    let loss = whole.gradients(inputs: inputs, targets: targets)
    let relay = Relay()
    var last = 0.0
    var parts: [Learner] = []
    for part in 0..<2 {
      func own(_ all: [Int32]) -> [Int32] {
        var own: [Int32] = []
        for t in 0..<sequence {
          let first = t * batch + part * batch / 2
          own += all[first..<first + batch / 2]
        }
        return own
      }
      let learner = try learner(batch: batch / 2, sequence: sequence, threads: threads)
      learner.others = relay
      last = learner.gradients(inputs: own(inputs), targets: own(targets))
      parts.append(learner)
    }
    #expect(relay.totals.counted == (batch - 1) * sequence)
    #expect(abs(last - loss) < 1e-6 * loss)
    #expect(
      relativeError(parts[1].gradients.values, whole.gradients.values.map(Double.init)) < 1e-5)
    #expect(abs(parts[1].gradientNorm - whole.gradientNorm) < 1e-5 * whole.gradientNorm)
    #expect(parts[1].update(rate: 0.01, clip: 1) && whole.update(rate: 0.01, clip: 1))
    #expect(
      relativeError(parts[1].parameters.values, whole.parameters.values.map(Double.init)) < 1e-4)
    relay.reaches = false
    #expect(parts[0].gradients(inputs: Array(inputs[..<36]), targets: Array(targets[..<36])).isNaN)
  }

  /// Rounding the operands of products leaves the gradients within bfloat16's 8 bits, on every
  /// instruction set, whether it has instructions for it or not.
  @Test(arguments: InstructionSet.available, [1, 2])
  func bfloat16StaysClose(set: InstructionSet, threads: Int) throws {
    let shape = NetworkShape(vocabulary: 13, embedding: 6, hidden: 45, layers: 2)
    let full = try learner(batch: 9, sequence: 7, shape: shape)
    let short = try learner(
      batch: 9, sequence: 7, threads: threads, shape: shape, precision: .bfloat16,
      kernels: set.kernels)
    let (wanted, result) = (train(full), train(short))
    for (loss, wanted) in zip(result.losses, wanted.losses) {
      #expect(abs(loss - wanted) < 2e-3 * wanted && loss != wanted)
    }
    #expect(relativeError(result.gradients, wanted.gradients.map(Double.init)) < 0.01)
  }

  @Test(arguments: [1, 2, 3])
  func theSameTwice(threads: Int) throws {
    let once = try learner(batch: 7, sequence: 5, threads: threads, dropout: 0.2)
    let again = try learner(batch: 7, sequence: 5, threads: threads, dropout: 0.2)
    let (first, second) = (train(once), train(again))
    #expect(first.losses == second.losses)
    #expect(first.gradients == second.gradients)
    #expect(once.parameters.values == again.parameters.values)
    #expect(once.state.values == again.state.values)
  }

  /// Streams do not see one another: two learners with some each find what one finds with all.
  @Test func streamsAreIndependent() throws {
    let (sequence, parts) = (4, [0..<2, 2..<7])
    var numbers = Numbers(9)
    let inputs = numbers.tokens(sequence * 7, below: 13)
    let targets = numbers.tokens(sequence * 7, below: 13)
    let together = try learner(batch: 7, sequence: sequence)
    let loss = together.gradients(inputs: inputs, targets: targets)
    var sum = [Double](repeating: 0, count: together.layout.count)
    var losses = 0.0
    for part in parts {
      func cut(_ tokens: [Int32]) -> [Int32] {
        (0..<sequence).flatMap { t in part.map { tokens[t * 7 + $0] } }
      }
      let some = try learner(batch: part.count, sequence: sequence)
      let weight = Double(part.count) / 7
      losses += weight * some.gradients(inputs: cut(inputs), targets: cut(targets))
      for (i, value) in some.gradients.values.enumerated() { sum[i] += weight * Double(value) }
    }
    #expect(abs(losses - loss) < 1e-6)
    #expect(relativeError(together.gradients.values, sum) < 1e-5)
  }

  @Test func windowByWindow() throws {
    var numbers = Numbers(10)
    let inputs = numbers.tokens(12 * 3, below: 13)
    var targets = numbers.tokens(12 * 3, below: 13)
    targets[4] = -1
    let long = try learner(batch: 3, sequence: 12)
    let wanted = long.evaluate(inputs: inputs, targets: targets, steps: 12)
    // Evaluation drops nothing.
    let short = try learner(batch: 3, sequence: 5, threads: 2, dropout: 0.5)
    var sum = 0.0
    for start in stride(from: 0, to: 12, by: 5) {
      let steps = min(5, 12 - start)
      sum += short.evaluate(
        inputs: Array(inputs[(start * 3)...]), targets: Array(targets[(start * 3)...]),
        steps: steps)
    }
    #expect(abs(sum - wanted) < 1e-6 * wanted)
    #expect(relativeError(short.state.values, long.state.values.map(Double.init)) < 1e-6)
  }

  @Test func resettingOneStream() throws {
    let learner = try learner(batch: 3, sequence: 4)
    var numbers = Numbers(11)
    let inputs = numbers.tokens(12, below: 13)
    let targets = (0..<12).map { $0 % 3 == 1 ? Int32(2) : -1 }
    let fresh = learner.evaluate(inputs: inputs, targets: targets, steps: 4)
    let carried = learner.state.values
    learner.resetState(of: 1)
    let width = Self.shape.paddedHidden
    for (i, value) in learner.state.values.enumerated() {
      #expect(value == (i / width % 3 == 1 ? 0 : carried[i]))
    }
    #expect(learner.evaluate(inputs: inputs, targets: targets, steps: 4) == fresh)
    #expect(learner.evaluate(inputs: inputs, targets: targets, steps: 4) != fresh)
  }

  @Test(arguments: [1, 2])
  func whatIsNotFiniteIsNotLearned(threads: Int) throws {
    let learner = try learner(batch: 4, sequence: 3, threads: threads)
    var numbers = Numbers(12)
    let inputs = numbers.tokens(12, below: 13)
    _ = learner.gradients(inputs: inputs, targets: inputs)
    #expect(learner.update(rate: 0.01))
    let bias = learner.layout.tensors.last!.offset
    let healthy = learner.parameters.pointer[bias]
    for broken in [Float.nan, .infinity] {
      learner.parameters.pointer[bias] = broken
      learner.parametersChanged()
      let before = [learner.parameters, learner.firstMoment, learner.secondMoment].map(\.bits)
      #expect(!learner.gradients(inputs: inputs, targets: inputs).isFinite)
      #expect(!learner.update(rate: 0.01, clip: 1, decay: 0.1))
      #expect(
        [learner.parameters, learner.firstMoment, learner.secondMoment].map(\.bits) == before)
      #expect(learner.updates == 1)
    }
    learner.parameters.pointer[bias] = healthy
    learner.parametersChanged()
    #expect(learner.gradients(inputs: inputs, targets: inputs).isFinite)
    #expect(learner.update(rate: 0.01))
  }

  @Test func nothingCounts() throws {
    let learner = try learner(batch: 2, sequence: 3)
    let loss = learner.gradients(
      inputs: [1, 2, 3, 4, 5, 6], targets: [Int32](repeating: -1, count: 6))
    #expect(loss == 0)
    #expect(learner.gradients.values.allSatisfy { $0 == 0 })
    #expect(learner.state.values.contains { $0 != 0 })
  }

  /// What pads the tensors must stay zero, whatever is learned.
  @Test func paddingStaysZero() throws {
    let learner = try learner(batch: 3, sequence: 4, threads: 2)
    _ = train(learner)
    #expect(learner.update(rate: 0.1, decay: 0.1))
    var used = [Bool](repeating: false, count: learner.layout.count)
    for tensor in learner.layout.tensors {
      #expect(tensor.offset % 16 == 0)
      for i in 0..<tensor.count { used[tensor.offset + i] = true }
    }
    for (value, used) in zip(learner.parameters.values, used) where !used { #expect(value == 0) }
    let state = learner.state.values
    for i in state.indices where i % Self.shape.paddedHidden >= Self.shape.hidden {
      #expect(state[i] == 0)
    }
  }

  /// To name the token before this one takes the state, also across the sequences' edges.
  @Test(arguments: [(1, 1, Float(0)), (2, 2, Float(0.05))])
  func learnsToCopy(layers: Int, threads: Int, dropout: Float) throws {
    let (vocabulary, batch, sequence) = (8, 16, 12)
    let shape = NetworkShape(vocabulary: vocabulary, embedding: 16, hidden: 48, layers: layers)
    let learner = try learner(
      batch: batch, sequence: sequence, threads: threads, dropout: dropout, shape: shape)
    var numbers = Numbers(13)
    var last = [Int32](repeating: 0, count: batch)
    func next() -> (inputs: [Int32], targets: [Int32]) {
      let inputs = numbers.tokens(batch * sequence, below: vocabulary)
      defer { last = Array(inputs.suffix(batch)) }
      return (inputs, last + inputs.dropLast(batch))
    }
    for _ in 0..<300 {
      let (inputs, targets) = next()
      _ = learner.gradients(inputs: inputs, targets: targets)
      #expect(learner.update(rate: 0.01, clip: 1))
    }
    let (inputs, targets) = next()
    let loss = learner.evaluate(inputs: inputs, targets: targets, steps: sequence)
    #expect(loss / Double(targets.count) < 0.02)
  }
}

extension FloatBuffer {
  /// To compare what may hold NaN.
  fileprivate var bits: [UInt32] { values.map(\.bitPattern) }
}
