import Kernels
import TestSupport
import Testing

@testable import GRU

struct NetworkTests {
  static let shape = NetworkShape(vocabulary: 37, embedding: 9, hidden: 20, layers: 3)

  private func network(
    _ set: InstructionSet, _ shape: NetworkShape = Self.shape, _ precision: Precision = .float32
  ) throws -> Network {
    let parameters = try FloatBuffer(ParameterLayout(shape).count)
    var numbers = Numbers(1)
    for tensor in ParameterLayout(shape).tensors {
      parameters.set(tensor, numbers.floats(tensor.count, scale: 0.6))
    }
    return try Network(
      shape, parameters: parameters, precision: precision, kernels: set.kernels)
  }

  /// Streams that step by step read tokens, some at once.
  private final class Rows {
    let network: Network
    let states: [FloatBuffer]
    let scratch: Network.Scratch

    init(_ network: Network, count: Int) throws {
      self.network = network
      states = try (0..<count).map { _ in try FloatBuffer(network.shape.stateCount) }
      scratch = try Network.Scratch(network, rows: count)
    }

    /// The logits of each of the `rows`, one after another.
    func step(
      _ tokens: [Int32], sides: [Int32]? = nil, rows: [Int]? = nil,
      added: [UnsafePointer<Float>?]? = nil, wantLogits: Bool = true
    ) -> [Float] {
      let rows = rows ?? Array(states.indices)
      network.step(
        rows: rows.count, tokens: tokens, sides: sides,
        added: added ?? Array(repeating: nil, count: rows.count),
        states: rows.map { states[$0].pointer }, wantLogits: wantLogits, scratch)
      return rows.indices.flatMap {
        UnsafeBufferPointer(
          start: scratch.logits.pointer + $0 * network.shape.paddedVocabulary,
          count: network.shape.vocabulary)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func stepsAgreeWithReference(set: InstructionSet) throws {
    let network = try network(set)
    var numbers = Numbers(2)
    let tokens = numbers.tokens(7 * 3, below: Self.shape.vocabulary)
    let reference = Reference(Self.shape, batch: 3, sequence: 7, try network.parameters())
    let wanted = reference.sequence(tokens, tokens)
    let rows = try Rows(network, count: 3)
    let logits = (0..<7).flatMap { rows.step(Array(tokens[($0 * 3)..<($0 * 3 + 3)])) }
    #expect(relativeError(logits, wanted.logits) < 1e-5)
    let state = (0..<3).flatMap { layer in
      rows.states.flatMap {
        $0.values[(layer * 32)..<(layer * 32 + Self.shape.hidden)]
      }
    }
    #expect(relativeError(state, wanted.state) < 1e-5)
  }

  /// Longer than a part of the scorer's, fed whole and in pieces.
  @Test(arguments: InstructionSet.available)
  func scorerAgreesWithSteps(set: InstructionSet) throws {
    let network = try network(set)
    var numbers = Numbers(3)
    let tokens = numbers.tokens(300, below: Self.shape.vocabulary)
    let one = try Rows(network, count: 1)
    let wanted = zip(tokens, tokens.dropFirst()).map { token, next in
      let logits = one.step([token]) + [Float](repeating: -.infinity, count: 64 - 37)
      var y = logits
      let logSum = network.kernels.expNormalized(64, 1, logits, &y)
      return Double(logits[Int(next)] - logSum)
    }
    for pieces in [[300], [1, 128, 1, 0, 170], [129, 171]] {
      let scorer = try SequenceScorer(network)
      var scores: [Double] = []
      var inputs: [Int32] = []
      var targets: [Int32] = []
      var start = 0
      for piece in pieces {
        tokens.withUnsafeBufferPointer {
          scorer.score(UnsafeBufferPointer(rebasing: $0[start..<start + piece])) {
            inputs.append($0)
            targets.append($1)
            scores.append($2)
          }
        }
        start += piece
      }
      #expect(inputs == Array(tokens.dropLast()))
      #expect(targets == Array(tokens.dropFirst()))
      #expect(relativeError(scores.map(Float.init), wanted) < 1e-5, "\(pieces)")
    }
  }

  /// Rows in any order and number, with another's state in between.
  @Test(arguments: InstructionSet.available)
  func manyRowsAtOnce(set: InstructionSet) throws {
    let network = try network(set)
    var numbers = Numbers(4)
    let many = try Rows(network, count: 13)
    let single = try Rows(network, count: 13)
    let width = Self.shape.vocabulary
    for rows in [Array(0..<13), [12, 3, 0, 7, 5], [4], Array((0..<13).reversed())] {
      let tokens = numbers.tokens(rows.count, below: width)
      let together = many.step(tokens, rows: rows)
      let apart = zip(rows, tokens).flatMap { single.step([$1], rows: [$0]) }
      #expect(relativeError(together, apart.map(Double.init)) < 2e-6)
    }
    for (a, b) in zip(many.states, single.states) {
      #expect(relativeError(a.values, b.values.map(Double.init)) < 2e-6)
    }
  }

  /// What a step of one row begins for the next changes nothing: not where it goes on, nor where the
  /// row was reset, put back or moved on elsewhere in between.
  @Test(arguments: InstructionSet.available, [Precision.float32, .bfloat16, .int8])
  func oneStream(set: InstructionSet, precision: Precision) throws {
    let shape = NetworkShape(vocabulary: 37, embedding: 9, hidden: 70, layers: 2)
    let network = try network(set, shape, precision)
    var numbers = Numbers(5)
    let one = try Rows(network, count: 1)
    let company = try Rows(network, count: 2)
    let state = one.states[0]
    var kept = state.values
    for (step, token) in numbers.tokens(24, below: 37).enumerated() {
      switch step {
      case 5: state.clear()
      case 6: kept = state.values
      case 10, 11: state.pointer.update(from: kept, count: kept.count)
      case 15: state.pointer[shape.stateCount - 40] += 0.25
      case 19:
        company.states[0].copy(from: state)
        _ = company.step([3, 4])
        state.copy(from: company.states[0])
      default: break
      }
      let fresh = try Rows(network, count: 1)
      fresh.states[0].copy(from: state)
      company.states[1].copy(from: state)
      #expect(one.step([token]) == fresh.step([token]), "step \(step)")
      #expect(state.values == fresh.states[0].values, "step \(step)")
      _ = company.step([token], rows: [1])
      let together = company.states[1].values.map(Double.init)
      #expect(relativeError(state.values, together) < 2e-6, "step \(step)")
    }
  }

  /// One row, several, the scorer and the reference read side inputs alike; none told is all zeros.
  @Test(arguments: InstructionSet.available, [Precision.float32, .bfloat16, .int8])
  func sideInputs(set: InstructionSet, precision: Precision) throws {
    let shape = NetworkShape(
      vocabulary: 37, embedding: 9, hidden: 20, layers: 2, sides: SideSizes([3, 34]))
    let network = try network(set, shape, precision)
    var numbers = Numbers(6)
    let tokens = numbers.tokens(12, below: 37)
    let sides = tokens.indices.flatMap { _ in
      [numbers.tokens(1, below: 3)[0], numbers.tokens(1, below: 34)[0]]
    }
    func told(_ step: Int) -> [Int32] { Array(sides[2 * step..<2 * step + 2]) }
    let one = try Rows(network, count: 1)
    let logits = tokens.indices.map { one.step([tokens[$0]], sides: told($0)) }
    let reference = Reference(shape, batch: 1, sequence: 12, try network.parameters())
    let wanted = reference.sequence(tokens, tokens, sides: sides)
    // Other precisions compute with activations rounded to them.
    if precision == .float32 { #expect(relativeError(logits.flatMap { $0 }, wanted.logits) < 1e-5) }

    let two = try Rows(network, count: 2)
    let untold = try Rows(network, count: 1)
    for step in tokens.indices {
      let together = two.step([tokens[step], tokens[step]], sides: told(step) + [0, 0])
      let apart = logits[step] + untold.step([tokens[step]])
      #expect(relativeError(together, apart.map(Double.init)) < 2e-6, "step \(step)")
    }

    var next = 0
    var scores: [Float] = []
    let scorer = try SequenceScorer(network)
    tokens.withUnsafeBufferPointer {
      scorer.score(
        $0,
        sides: { token, values in
          #expect(token == tokens[next])
          for (i, value) in told(next).enumerated() { values[i] = value }
          next += 1
        }, each: { scores.append(Float($2)) })
    }
    let expected = zip(logits, tokens.dropFirst()).map { logits, token in
      let padded = logits + [Float](repeating: -.infinity, count: 64 - 37)
      var y = padded
      return Double(logits[Int(token)] - network.kernels.expNormalized(64, 1, padded, &y))
    }
    #expect(relativeError(scores, expected) < (precision == .float32 ? 1e-5 : 1e-2))
  }

  /// A mixture of values is what a value with the mixture of their embeddings would be.
  @Test(arguments: [Precision.float32, .bfloat16, .int8])
  func aMixtureOfSideValues(precision: Precision) throws {
    let shape = NetworkShape(
      vocabulary: 37, embedding: 9, hidden: 20, layers: 2, sides: SideSizes([5, 3, 4]))
    let parameters = try network(.current, shape, .float32).parameters()
    let layout = ParameterLayout(shape)
    // Value 4 of the first side input is a quarter of value 1 and three quarters of value 3.
    let side = parameters.pointer + layout.side(0)
    for i in 0..<9 { side[4 * 9 + i] = 0.25 * side[9 + i] + 0.75 * side[3 * 9 + i] }
    let network = try Network(shape, parameters: parameters, precision: precision)
    var added = [Float](repeating: 0, count: network.inputCount)
    var room = added
    network.blend(
      side: 0, values: [1, 3], shares: [0.25, 0.75], count: 2, into: &added, room: &room)
    let (told, mixed) = (try Rows(network, count: 2), try Rows(network, count: 2))
    let one = try Rows(network, count: 1)
    for token: Int32 in [3, 1, 4, 1, 5, 9] {
      let wanted = told.step([token, 7], sides: [4, 2, 1, 0, 1, 1])
      let found = added.withUnsafeBufferPointer {
        mixed.step([token, 7], sides: [0, 2, 1, 0, 1, 1], added: [$0.baseAddress, nil])
      }
      let tolerance = precision == .float32 ? 1e-5 : 0.05
      #expect(relativeError(found, wanted.map(Double.init)) < tolerance)
      let alone = added.withUnsafeBufferPointer {
        one.step([token], sides: [0, 2, 1], added: [$0.baseAddress])
      }
      #expect(relativeError(alone, found.prefix(alone.count).map(Double.init)) < 1e-5)
    }
  }

  @Test func logitsOnlyWhenWanted() throws {
    let network = try network(.current)
    let rows = try Rows(network, count: 1)
    let first = rows.step([1])
    let state = rows.states[0].values
    #expect(rows.step([2], wantLogits: false) == first)
    #expect(rows.states[0].values != state)
    #expect(rows.step([3]) != first)
  }

  @Test func aTrainedNetworkIsTheLearners() throws {
    let learner = try Learner(Self.shape, batch: 1, sequence: 6)
    initialize(learner.parameters, Self.shape, seed: 1)
    let inputs: [Int32] = [1, 2, 3, 4, 5, 6]
    _ = learner.gradients(inputs: inputs, targets: inputs)
    #expect(learner.update(rate: 0.05))
    learner.resetState(of: 0)
    let loss = learner.evaluate(inputs: inputs, targets: [2, 3, 4, 5, 6, -1], steps: 6)
    let network = try Network(Self.shape, parameters: learner.parameters)
    var sum = 0.0
    try inputs.withUnsafeBufferPointer {
      try SequenceScorer(network).score($0) { _, _, score in sum -= score }
    }
    #expect(abs(sum - loss) < 1e-6 * loss)
  }
}
