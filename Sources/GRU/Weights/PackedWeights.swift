import CSimd
import Kernels

/// A weight matrix as the right side of products, packed for one precision, and the products.
///
/// The left side is quantized to the same precision and laid out here, some rows at a time, in memory
/// the caller lends: `operandCount` floats.
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
  static let rowsAtOnce = 132

  init(_ precision: Precision, columns: Int, depth: Int, kernels: KernelTable)
    throws(NetworkError)
  {
    self.precision = precision
    self.columns = columns
    self.depth = depth
    self.kernels = kernels
    paddedDepth = Panels.padded(depth)
    panels = try FloatBuffer(columns * Self.cells(precision, depth: depth))
    correction = precision == .int8 ? try FloatBuffer(2 * columns) : nil
  }

  /// Floats of memory to lend for products with left sides of up to `rows` rows of `depth` numbers.
  static func operandCount(_ precision: Precision, rows: Int, depth: Int) -> Int {
    let rows = min(rows, rowsAtOnce)
    let quantized = precision == .float32 ? 0 : rows * Panels.padded(depth)
    return quantized + KernelTable.productRoom(rows: rows, depth: cells(precision, depth: depth))
  }

  private static func cells(_ precision: Precision, depth: Int) -> Int {
    (depth + precision.numbersPerCell - 1) / precision.numbersPerCell
  }

  private var cells: Int { Self.cells(precision, depth: depth) }

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

  /// Packs one column from the bytes of its row in a file, of this precision.
  func set(column: Int, _ bytes: UnsafeRawPointer, scale: Float) {
    Panels.set(
      panels.pointer + Panels.place(column, depth: cells), bytes, depth: depth,
      numbers: precision.numbersPerCell, scale: scale,
      correction: correction.map { $0.pointer + column }, total: columns)
  }

  /// Gives the bytes of `count` numbers of a column's row back, from number `first` on, a multiple of 4.
  func get(column: Int, from first: Int, count: Int, into bytes: UnsafeMutableRawPointer) {
    let cell = first / precision.numbersPerCell * Panels.width
    Panels.get(
      panels.pointer + Panels.place(column, depth: cells) + cell, count: count,
      numbers: precision.numbersPerCell, into: bytes)
  }

  /// `result[rows][columns] = left * weights + bias`, or added to it.
  ///
  /// - `left`: `leftStride` floats from a row to the next, zeros from `depth` on up to a multiple of 32.
  /// - `operands`: the memory lent. In float32 it may be nil, which is slower from 8 rows on.
  func multiply(
    rows: Int, left: UnsafePointer<Float>, leftStride: Int, bias: UnsafePointer<Float>?,
    accumulate: Bool = false, result: UnsafeMutablePointer<Float>, resultStride: Int,
    operands: UnsafeMutablePointer<Float>?
  ) {
    for row in stride(from: 0, to: rows, by: Self.rowsAtOnce) {
      let count = min(Self.rowsAtOnce, rows - row)
      let (left, words, free) = makeOperands(
        rows: count, left + row * leftStride, leftStride, operands)
      var arguments = ProductArguments(
        numbers: precision.numbersPerCell, rows: count, columns: columns, depth: cells, left: left,
        leftStride: words, right: panels.pointer, correction: correction?.pointer, bias: bias,
        accumulate: accumulate ? 1 : 0, result: result + row * resultStride,
        resultStride: resultStride, tiles: free)
      kernels.product(&arguments)
    }
  }

  /// A step of one stream, where this is a recurrent weight: see the kernel.
  ///
  /// - `below`: the state of the layer below and W_ih, if there is one.
  func streamStep(
    bias: UnsafePointer<Float>, below: (state: UnsafePointer<Float>, weight: PackedWeights)?,
    input: UnsafePointer<Float>, state: UnsafeMutablePointer<Float>, direction: Int,
    begun: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    var arguments = StreamStepArguments(
      numbers: precision.numbersPerCell, hidden: columns / GRUCell.gates, depth: cells,
      right: panels.pointer, correction: correction?.pointer, bias: bias, below: below?.state,
      inputRight: below?.weight.panels.pointer,
      inputCorrection: below?.weight.correction?.pointer, input: input, state: state,
      direction: direction, begun: begun, scratch: scratch)
    kernels.streamStep(&arguments)
  }

  /// Rows of the left side as the kernels want them, the words from one to the next, and the memory
  /// that is left.
  private func makeOperands(
    rows: Int, _ left: UnsafePointer<Float>, _ stride: Int,
    _ operands: UnsafeMutablePointer<Float>?
  ) -> (UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>?) {
    guard let operands, precision != .float32 else { return (left, stride, operands) }
    let words = kernels.operands(
      precision.numbersPerCell, rows, paddedDepth, left, stride, operands)
    return (UnsafePointer(operands), words, operands + rows * words)
  }
}
