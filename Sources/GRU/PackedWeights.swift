import Kernels

/// A weight matrix as the right side of products, packed for one precision, and the products.
///
/// The left side is rounded to the same precision here, some rows at a time, in memory the caller
/// lends: `operandCount` floats.
final class PackedWeights: @unchecked Sendable {
  let precision: Precision
  /// Of the result, padded.
  let columns: Int
  /// Numbers of the left side that count, and how many there are with the zeros after them.
  let depth: Int
  private let paddedDepth: Int
  private let kernels: KernelTable
  private let panels: FloatBuffer
  /// Of int8: `[2][columns]`.
  private let correction: FloatBuffer?

  /// So many that they stay in the second-level cache while the panels run through it.
  private static let rowsAtOnce = 128

  init(_ precision: Precision, columns: Int, depth: Int, kernels: KernelTable)
    throws(NetworkError)
  {
    self.precision = precision
    self.columns = columns
    self.depth = depth
    self.kernels = kernels
    paddedDepth = Panels.padded(depth)
    let numbers = precision.numbersPerCell
    panels = try FloatBuffer(columns * ((depth + numbers - 1) / numbers))
    correction = precision == .int8 ? try FloatBuffer(2 * columns) : nil
  }

  /// Floats of memory to lend for products with left sides of up to `depth` numbers.
  static func operandCount(_ precision: Precision, depth: Int) -> Int {
    precision == .float32 ? 0 : rowsAtOnce * Panels.padded(depth)
  }

  private var cells: Int { (depth + precision.numbersPerCell - 1) / precision.numbersPerCell }

  /// Packs `count` columns from column `first` on; see `Panels.pack`.
  func pack(
    _ source: UnsafePointer<Float>, first: Int, count: Int, columnStride: Int, rows: Int,
    rowStride: Int, from: Int = 0
  ) {
    let numbers = precision.numbersPerCell
    Panels.pack(
      source, count: count, columnStride: columnStride, rows: rows, rowStride: rowStride,
      into: panels.pointer + first * cells, depth: cells * numbers, from: from, numbers: numbers,
      correction: correction.map { $0.pointer + first }, total: columns)
  }

  /// Packs the units `first` to `end` of a recurrent weight; see `Panels.packGates`.
  func packGates(_ source: UnsafePointer<Float>, first: Int, end: Int) {
    Panels.packGates(
      source, hidden: depth, first: first, end: end, into: panels.pointer,
      numbers: precision.numbersPerCell, correction: correction?.pointer)
  }

  /// `result[rows][columns] = left * weights + bias`, or added to it.
  ///
  /// - `left`: `leftStride` floats from a row to the next, zeros from `depth` on up to a multiple of 32.
  func multiply(
    rows: Int, left: UnsafePointer<Float>, leftStride: Int, bias: UnsafePointer<Float>?,
    accumulate: Bool = false, result: UnsafeMutablePointer<Float>, resultStride: Int,
    operands: UnsafeMutablePointer<Float>
  ) {
    let product =
      switch precision {
      case .float32: kernels.product
      case .bfloat16: kernels.productBfloat16
      case .int8: kernels.productInt8
      }
    for row in stride(from: 0, to: rows, by: Self.rowsAtOnce) {
      let count = min(Self.rowsAtOnce, rows - row)
      let (left, words) = makeOperands(rows: count, left + row * leftStride, leftStride, operands)
      product(
        count, columns, cells, left, words, panels.pointer, correction?.pointer, bias,
        accumulate ? 1 : 0, result + row * resultStride, resultStride)
    }
  }

  /// A step of a layer whose recurrent weight this is; see `KernelTable.gruForward`.
  ///
  /// - `previous`, `next`: `[rows][hidden padded]`.
  func step(
    rows: Int, previous: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    input: UnsafePointer<Float>, index: UnsafePointer<Int32>?, next: UnsafeMutablePointer<Float>,
    cache: UnsafeMutablePointer<Float>?, operands: UnsafeMutablePointer<Float>
  ) {
    let forward =
      switch precision {
      case .float32: kernels.gruForward
      case .bfloat16: kernels.gruForwardBfloat16
      case .int8: kernels.gruForwardInt8
      }
    let h = paddedDepth
    for row in stride(from: 0, to: rows, by: Self.rowsAtOnce) {
      let count = min(Self.rowsAtOnce, rows - row)
      let (left, words) = makeOperands(rows: count, previous + row * h, h, operands)
      forward(
        count, h, cells, previous + row * h, left, words, panels.pointer, correction?.pointer,
        bias, index == nil ? input + row * 3 * h : input, index.map { $0 + row }, next + row * h,
        cache.map { $0 + row * 4 * h })
    }
  }

  /// Rows of the left side as the kernels want them, and the words from one to the next.
  private func makeOperands(
    rows: Int, _ left: UnsafePointer<Float>, _ stride: Int, _ operands: UnsafeMutablePointer<Float>
  ) -> (UnsafePointer<Float>, Int) {
    switch precision {
    case .float32: return (left, stride)
    case .bfloat16:
      kernels.bfloat16Operands(rows, paddedDepth, left, stride, operands)
      return (UnsafePointer(operands), paddedDepth / 2 * kernels.bfloat16Words)
    case .int8:
      kernels.int8Operands(rows, paddedDepth, left, stride, operands)
      return (UnsafePointer(operands), paddedDepth / 4 * kernels.int8Words)
    }
  }
}
