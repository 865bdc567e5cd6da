import Testing

@testable import GRU

struct NetworkShapeTests {
  static let good = NetworkShape(vocabulary: 256, embedding: 64, hidden: 128, layers: 2)

  @Test(
    arguments: [
      (\NetworkShape.vocabulary, "vocabulary", 65_536), (\.embedding, "embedding", 16_384),
      (\.hidden, "hidden", 16_384), (\.layers, "layers", 32),
    ] as [(WritableKeyPath<NetworkShape, Int> & Sendable, String, Int)])
  func sizes(size: WritableKeyPath<NetworkShape, Int> & Sendable, name: String, most: Int) throws {
    for value in [0, -1, .min, most + 1, .max] {
      var shape = Self.good
      shape[keyPath: size] = value
      let wanted = NetworkError.invalidShape("\(name) is \(value); it must be from 1 to \(most)")
      #expect(throws: wanted) { try shape.validate() }
      #expect(throws: wanted) { try Learner(shape, batch: 1, sequence: 1) }
    }
    for value in [1, most] {
      var shape = NetworkShape(vocabulary: 1, embedding: 1, hidden: 1, layers: 1)
      shape[keyPath: size] = value
      try shape.validate()
    }
  }

  @Test func tooManyParameters() {
    let shape = NetworkShape(vocabulary: 65_536, embedding: 16_384, hidden: 16_384, layers: 32)
    let error = #expect(throws: NetworkError.self) { try shape.validate() }
    guard case .invalidShape(let text) = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(text.contains("\(ParameterLayout(shape).parameters) parameters"))
  }

  /// Names, shapes and order are PyTorch's.
  @Test func layout() {
    let layout = ParameterLayout(NetworkShape(vocabulary: 5, embedding: 3, hidden: 7, layers: 2))
    #expect(
      layout.tensors.map { "\($0.name) \($0.dimensions)" } == [
        "embedding.weight [5, 3]",
        "gru.weight_ih_l0 [21, 3]", "gru.weight_hh_l0 [21, 7]",
        "gru.bias_ih_l0 [21]", "gru.bias_hh_l0 [21]",
        "gru.weight_ih_l1 [21, 7]", "gru.weight_hh_l1 [21, 7]",
        "gru.bias_ih_l1 [21]", "gru.bias_hh_l1 [21]",
        "head.weight [5, 7]", "head.bias [5]",
      ])
    #expect(layout.parameters == 15 + 63 + 147 + 42 + 147 + 147 + 42 + 35 + 5)
    #expect(
      layout.tensors.filter(\.decays).map(\.name) == [
        "gru.weight_ih_l0", "gru.weight_hh_l0", "gru.weight_ih_l1", "gru.weight_hh_l1",
        "head.weight",
      ])
    for (tensor, next) in zip(layout.tensors, layout.tensors.dropFirst()) {
      #expect(next.offset == tensor.offset + (tensor.count + 15) / 16 * 16)
    }
  }
}
