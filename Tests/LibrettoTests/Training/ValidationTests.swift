import GRU
import Testing

@testable import Libretto

/// How the held-out part is measured.
@Suite struct ValidationTests {
  private func store(_ count: Int) throws -> TokenStore {
    let store = try TokenStore(capacity: count)
    var random = RandomSource(seed: 6)
    for _ in 0..<count { store.append(Int32(random.next() % 256)) }
    return store
  }

  private func learner(_ model: Model, batch: Int) throws -> Learner {
    let learner = try Learner(model.shape, batch: batch, sequence: 8, threads: 2, dropout: 0.5)
    learner.parameters.copy(from: try model.parameters())
    learner.parametersChanged()
    for i in 0..<learner.state.count { learner.state.pointer[i] = 0.25 }
    return learner
  }

  /// Each row's stretch from a zero state, as `score` reads it; together every token but the
  /// first is predicted once.
  @Test(arguments: [
    (2, 4, 1), (3, 4, 1), (255, 4, 1), (700, 4, 2), (2000, 4, 4), (2003, 4, 4), (1500, 1, 1),
  ])
  func theLossIsTheMeanOfTheScores(tokens: Int, batch: Int, stretches: Int) throws {
    let model = try makeModel(hidden: 12, layers: 2)
    let store = try store(tokens)
    let learner = try learner(model, batch: batch)
    let validation = try #require(
      try Validation(Corpus.Part(tokens: store, pieces: nil), for: learner))
    let apart = tokens / stretches
    var scores: [Double] = []
    for stretch in 0..<stretches {
      let part = (stretch * apart...min(stretch * apart + apart, tokens - 1)).map { store[$0] }
      try part.withUnsafeBufferPointer { try model.score($0) { scores.append($2) } }
    }
    #expect(scores.count <= tokens - 1 && scores.count >= tokens - stretches)
    let wanted = -scores.reduce(0, +) / Double(scores.count)
    #expect(abs(try #require(validation.loss(of: learner)) - wanted) < 1e-5)
  }

  @Test func theLearnerGoesOnAsIfNothingHadBeenMeasured() throws {
    let model = try makeModel(hidden: 12, layers: 2)
    let learner = try learner(model, batch: 4)
    let validation = try #require(
      try Validation(Corpus.Part(tokens: try store(900), pieces: nil), for: learner))
    let first = validation.loss(of: learner)
    #expect((0..<learner.state.count).allSatisfy { learner.state.pointer[$0] == 0.25 })
    #expect(validation.loss(of: learner) == first)
    let parameters = try model.floats
    #expect(parameters.indices.allSatisfy { learner.parameters.pointer[$0] == parameters[$0] })
  }

  @Test func nothingToPredict() throws {
    let learner = try learner(try makeModel(hidden: 4, layers: 1), batch: 2)
    for count in [0, 1] {
      let validation = try Validation(
        Corpus.Part(tokens: try store(count), pieces: nil), for: learner)
      #expect(validation == nil)
    }
  }
}
