import Testing

@testable import GRU

struct InitializationTests {
  static let shape = NetworkShape(vocabulary: 50, embedding: 40, hidden: 64, layers: 2)

  private func initialized(seed: UInt64) throws -> FloatBuffer {
    let buffer = try FloatBuffer(ParameterLayout(Self.shape).count)
    initialize(buffer, Self.shape, seed: seed)
    return buffer
  }

  @Test func distributions() throws {
    let buffer = try initialized(seed: 1)
    for tensor in ParameterLayout(Self.shape).tensors {
      let values = buffer.values(of: tensor).map(Double.init)
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      switch tensor.name {
      case "head.bias": #expect(values.allSatisfy { $0 == 0 })
      case "embedding.weight":
        #expect(abs(mean) < 0.1)
        #expect(abs(variance - 1) < 0.15)
      default:
        #expect(values.allSatisfy { abs($0) <= 1.0 / 8 })
        // Four standard deviations of the mean of so many.
        #expect(abs(mean) < 4 / 8 / (3 * Double(values.count)).squareRoot(), "\(tensor.name)")
        // Uniform in plus or minus 1/8: the variance is a third of 1/64.
        #expect(abs(variance * 3 * 64 - 1) < 0.25, "\(tensor.name)")
        #expect(Set(values).count > values.count * 9 / 10, "\(tensor.name)")
      }
    }
  }

  @Test func aSeedGivesItsNumbers() throws {
    let first = try initialized(seed: 1).values
    #expect(try initialized(seed: 1).values == first)
    #expect(try initialized(seed: 2).values != first)
  }
}
