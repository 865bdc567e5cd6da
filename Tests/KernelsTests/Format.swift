import Kernels

/// A format of products as a test sees it: how each side is rounded.
enum Format: CaseIterable {
  case float32, bfloat16, int8

  /// In a cell.
  var numbers: Int {
    switch self {
    case .float32: 1
    case .bfloat16: 2
    case .int8: 4
    }
  }

  func left(_ x: Float) -> Double {
    switch self {
    case .float32: Double(x)
    case .bfloat16: Double(Float(bitPattern: UInt32(Kernels.bfloat16(x)) << 16))
    case .int8: (Double(max(-1, min(1, x))) * 127).rounded(.toNearestOrEven) / 127
    }
  }

  /// A column of weights, rounded.
  func right(_ column: [Float]) -> [Double] {
    guard self == .int8 else { return column.map { left($0) } }
    let scale = int8Scale(column, count: column.count, stride: 1)
    return column.map { Double(Kernels.int8($0, scale: scale)) * Double(scale) }
  }
}

/// Rows with the zeros after them that make their length a padded one.
func padded(_ x: [Float], rows: Int, depth: Int) -> [Float] {
  let zeros = [Float](repeating: 0, count: Panels.padded(depth) - depth)
  return (0..<rows).flatMap { x[$0 * depth..<($0 + 1) * depth] + zeros }
}
