/// How weights are laid out for the products: panels of neighbouring columns, so that the inner
/// loops read memory from the first byte to the last.
///
/// A panel is made of cells of four bytes, one float32, two bfloat16 or four int8 weights, which are
/// neighbours in depth; `numbers` says how many of them.
///
/// A product `y = x W^T` with PyTorch's `W[outputs][inputs]` has `outputs` columns and the depth
/// `inputs`; the backward pass, `dx = dy W`, has `inputs` columns and the depth `outputs`. One function
/// packs both: it is told how far apart columns and steps of the depth lie in the source.
public enum Panels {
  /// Columns of one panel of `product`.
  public static let width = 32

  /// Every padded size is a multiple of this many floats; what pads is zero and stays zero.
  public static func padded(_ count: Int) -> Int { (count + 31) / 32 * 32 }

  /// Packs a block of a right side for `KernelTable.product`: `[columns / 32][cells of depth][32]`.
  ///
  /// - `count`: columns in the source; those up to the next multiple of 32 become zero.
  /// - `rows`: steps of the depth in the source. `depth`: of the whole destination, a multiple of
  ///   `numbers`, of which this block fills those from `from` on; steps nobody fills stay as they were.
  /// - `correction`: of int8, where the scales and offsets of these columns go, `total` apart.
  public static func pack(
    _ source: UnsafePointer<Float>, count: Int, columnStride: Int, rows: Int, rowStride: Int,
    into destination: UnsafeMutablePointer<Float>, depth: Int, from: Int = 0, numbers: Int = 1,
    correction: UnsafeMutablePointer<Float>? = nil, total: Int = 0
  ) {
    for column in stride(from: 0, to: count, by: width) {
      let panel = destination + (column * depth + from * width) / numbers
      let columns = min(width, count - column)
      let source = source + column * columnStride
      switch (numbers, columns, columnStride, rowStride) {
      case (1, width, 1, _): copyRows(source, rows: rows, rowStride: rowStride, into: panel)
      case (1, width, _, 1):
        copyColumns(source, columnStride: columnStride, rows: rows, into: panel)
      default:
        for j in 0..<columns {
          packColumn(
            source + j * columnStride, rows: rows, rowStride: rowStride, into: panel + j,
            numbers: numbers, correction: correction.map { $0 + (column + j) }, total: total)
        }
        for j in columns..<width {
          for k in 0..<(rows + numbers - 1) / numbers { panel[k * width + j] = 0 }
        }
      }
    }
  }

  /// Packs a float32 panel, the columns of which are neighbours in the source.
  private static func copyRows(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    for k in 0..<rows { (panel + k * width).update(from: source + k * rowStride, count: width) }
  }

  /// Packs a float32 panel, the steps of which are neighbours in the source: four columns and 16 steps
  /// at a time, so that a line of memory of the source is read at one go.
  private static func copyColumns(
    _ source: UnsafePointer<Float>, columnStride: Int, rows: Int,
    into panel: UnsafeMutablePointer<Float>
  ) {
    let whole = rows / 4 * 4
    for first in stride(from: 0, to: whole, by: 16) {
      for j in stride(from: 0, to: width, by: 4) {
        for k in stride(from: first, to: min(first + 16, whole), by: 4) {
          let from = UnsafeRawPointer(source + (j * columnStride + k))
          func column(_ i: Int) -> SIMD4<Float> {
            from.loadUnaligned(fromByteOffset: 4 * i * columnStride, as: SIMD4<Float>.self)
          }
          let (a, b, c, d) = (column(0), column(1), column(2), column(3))
          for i in 0..<4 {
            UnsafeMutableRawPointer(panel + ((k + i) * width + j)).storeBytes(
              of: SIMD4(a[i], b[i], c[i], d[i]), as: SIMD4<Float>.self)
          }
        }
      }
    }
    for k in whole..<rows {
      for j in 0..<width { panel[k * width + j] = source[j * columnStride + k] }
    }
  }

  /// Packs one column of a panel. The last cell is filled up with zeros.
  @inline(__always)
  private static func packColumn(
    _ source: UnsafePointer<Float>, rows: Int, rowStride: Int,
    into cells: UnsafeMutablePointer<Float>, numbers: Int,
    correction: UnsafeMutablePointer<Float>?, total: Int
  ) {
    switch numbers {
    case 1: for k in 0..<rows { cells[k * width] = source[k * rowStride] }
    case 2:
      for k in 0..<(rows + 1) / 2 {
        let even = UInt32(bfloat16(source[2 * k * rowStride]))
        let odd = 2 * k + 1 < rows ? UInt32(bfloat16(source[(2 * k + 1) * rowStride])) : 0
        cells[k * width] = Float(bitPattern: even | odd << 16)
      }
    default:
      let scale = int8Scale(source, count: rows, stride: rowStride)
      var sum: Int32 = 0
      for k in 0..<(rows + 3) / 4 {
        var cell: UInt32 = 0
        for i in 0..<min(4, rows - 4 * k) {
          let weight = int8(source[(4 * k + i) * rowStride], scale: scale)
          sum += Int32(weight)
          cell |= UInt32(UInt8(bitPattern: weight)) << UInt32(8 * i)
        }
        cells[k * width] = Float(bitPattern: cell)
      }
      // The left side counts in 1 / 127, and may be 128 too much (see `InInt8`).
      correction?[0] = scale / 127
      correction?[total] = Float(bitPattern: UInt32(bitPattern: -128 * sum))
    }
  }
}
