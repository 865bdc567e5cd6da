import Kernels
import TestSupport
import Testing

@testable import GRU

/// The same numbers as PyTorch, which worked them out in double precision.
struct PyTorchTests {
  static let tolerance = 1e-5

  private func learner(_ fixture: Fixture, threads: Int, _ set: InstructionSet) throws -> Learner {
    let learner = try Learner(
      fixture.shape, batch: fixture.batch, sequence: fixture.sequence, threads: threads,
      kernels: set.kernels)
    learner.parameters.copy(from: try fixture.parameters())
    learner.state.set(fixture.paddedState("state.before"))
    return learner
  }

  @Test(arguments: Fixture.names, InstructionSet.available)
  func logits(name: String, set: InstructionSet) throws {
    let fixture = try Fixture(name)
    let shape = fixture.shape
    let weights = try ForwardWeights(shape, kernels: set.kernels)
    let parameters = try fixture.parameters()
    weights.pack(parameters.pointer)
    weights.fillTable(parameters.pointer)
    let unrolled = try Unrolled(
      shape, batch: fixture.batch, sequence: fixture.sequence, training: false,
      operands: weights.operandCount(rows: fixture.batch * fixture.sequence), kernels: set.kernels)
    let inputs = fixture.tokens("inputs")
    let targets = fixture.tokens("targets")
    unrolled.inputs.update(from: inputs, count: inputs.count)
    unrolled.targets.update(from: targets, count: targets.count)
    unrolled.setSides(fixture.sides, first: 0, rows: inputs.count)
    var state = fixture.paddedState("state.before")
    let loss = unrolled.forward(
      weights, steps: fixture.sequence, state: &state, stride: fixture.batch * shape.paddedHidden)

    let logits = (0..<inputs.count).flatMap {
      UnsafeBufferPointer(
        start: unrolled.lastLogits + $0 * shape.paddedVocabulary, count: shape.vocabulary)
    }
    expect("logits", logits, fixture.floats("logits"))
    expect("state", state, fixture.paddedState("state.after"))
    let counted = targets.count { $0 >= 0 }
    expect("loss", [Float(loss / Double(counted))], fixture.floats("loss"))
  }

  @Test(arguments: Fixture.names, InstructionSet.available)
  func gradients(name: String, set: InstructionSet) throws {
    let fixture = try Fixture(name)
    for threads in 1...2 {
      let learner = try learner(fixture, threads: threads, set)
      let loss = learner.gradients(
        inputs: fixture.tokens("inputs"), targets: fixture.tokens("targets"), sides: fixture.sides)
      expect("loss", [Float(loss)], fixture.floats("loss"))
      expect("state", learner.state.values, fixture.paddedState("state.after"))
      for tensor in learner.layout.tensors {
        expect(
          tensor.name, learner.gradients.values(of: tensor), fixture.floats("grad.\(tensor.name)"))
      }
    }
  }

  /// Three steps, each from the same state, clipped by norm.
  ///
  /// Adam divides a gradient by its size, which makes an error of the size of the step out of the
  /// rounding of a gradient that is near zero beside the others of its tensor. Some ten elements in
  /// a hundred thousand are such; each is given what a gradient off by 1e-6 of the largest explains,
  /// and the tensor as a whole is not.
  @Test(arguments: Fixture.names, InstructionSet.available)
  func updates(name: String, set: InstructionSet) throws {
    let fixture = try Fixture(name)
    for (optimizer, decay) in [("adam", 0), ("adamw", fixture.decay)] {
      for threads in 1...2 {
        let learner = try learner(fixture, threads: threads, set)
        for step in 1...3 {
          learner.state.set(fixture.paddedState("state.before"))
          _ = learner.gradients(
            inputs: fixture.tokens("inputs"), targets: fixture.tokens("targets"),
            sides: fixture.sides)
          #expect(learner.update(rate: fixture.rate, clip: fixture.clip, decay: decay))
          for tensor in learner.layout.tensors {
            let values = learner.parameters.values(of: tensor)
            let reference = fixture.floats("\(optimizer)\(step).\(tensor.name)")
            let gradient = fixture.floats("grad.\(tensor.name)").map { abs(Double($0)) }
            let largest = gradient.max()!
            let most = Double(reference.map(abs).max()!)
            var (squares, all) = (0.0, 0.0)
            for i in values.indices {
              let apart = Double(values[i]) - Double(reference[i])
              let slack = gradient[i] == 0 ? 0 : fixture.rate * 1e-6 * largest / gradient[i]
              if !(abs(apart) < Self.tolerance * most + min(slack, fixture.rate)) {
                Issue.record("\(tensor.name)[\(i)] after step \(step) of \(optimizer): \(apart)")
              }
              squares += apart * apart
              all += Double(reference[i]) * Double(reference[i])
            }
            #expect((squares / all).squareRoot() < Self.tolerance, "\(tensor.name)")
          }
        }
      }
    }
  }

  private func expect(
    _ name: String, _ values: [Float], _ reference: [Float],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = relativeError(values, reference.map(Double.init))
    #expect(error < Self.tolerance, "\(name)", sourceLocation: sourceLocation)
  }
}
