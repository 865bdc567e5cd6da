/// The format of both sides of a network's products; sums are float32 in all of them.
public enum Precision: Int, Sendable, CaseIterable {
  case float32 = 0
  /// The upper half of a float32: half the memory, and twice the products a second where the processor
  /// has instructions for it.
  case bfloat16 = 1
  /// Whole numbers from -127 to 127 times a scale for each row of a matrix: a quarter of the memory.
  /// For reading alone: a network cannot be trained in it.
  case int8 = 2

  public var name: String {
    switch self {
    case .float32: "float32"
    case .bfloat16: "bfloat16"
    case .int8: "int8"
    }
  }

  public init?(name: String) {
    guard let named = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = named
  }

  /// Of one weight.
  public var bits: Int { 32 / numbersPerCell }

  /// Numbers in a cell of the kernels: what four bytes hold.
  var numbersPerCell: Int {
    switch self {
    case .float32: 1
    case .bfloat16: 2
    case .int8: 4
    }
  }
}
