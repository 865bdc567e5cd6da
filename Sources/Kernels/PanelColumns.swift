// One column of packed weights from the bytes of its row, and back. A cell of the panel has the bytes of its numbers
// in the order of the row.

extension Panels {
  /// The place of a column's first cell; the next one lies `width` further on.
  public static func place(_ column: Int, depth cells: Int) -> Int {
    column / width * width * cells + column % width
  }

  /// Packs a row of `depth` numbers, `numbers` of which make a cell. The last cell is filled up with zeros.
  ///
  /// - `correction`: of int8, where the scale and offset of this column go, `total` apart.
  public static func set(
    _ column: UnsafeMutablePointer<Float>, _ bytes: UnsafeRawPointer, depth: Int, numbers: Int,
    scale: Float, correction: UnsafeMutablePointer<Float>?, total: Int
  ) {
    let (whole, rest) = depth.quotientAndRemainder(dividingBy: numbers)
    for k in 0..<whole {
      column[k * width] = bytes.loadUnaligned(fromByteOffset: 4 * k, as: Float.self)
    }
    if rest > 0 {
      var cell: Float = 0
      withUnsafeMutableBytes(of: &cell) {
        $0.copyMemory(
          from: UnsafeRawBufferPointer(start: bytes + 4 * whole, count: 4 / numbers * rest))
      }
      column[whole * width] = cell
    }
    guard numbers == 4, let correction else { return }
    var sum: Int32 = 0
    for k in 0..<depth { sum &+= Int32(bytes.loadUnaligned(fromByteOffset: k, as: Int8.self)) }
    // The left side counts in 1 / 127, and may be 128 too much (see `InInt8`).
    correction[0] = scale / 127
    correction[total] = Float(bitPattern: UInt32(bitPattern: -128 * sum))
  }

  /// Gives the bytes of `count` numbers of the row back. A column may begin at any cell.
  public static func get(
    _ column: UnsafePointer<Float>, count: Int, numbers: Int, into bytes: UnsafeMutableRawPointer
  ) {
    let (whole, rest) = count.quotientAndRemainder(dividingBy: numbers)
    for k in 0..<whole {
      bytes.storeBytes(of: column[k * width].bitPattern, toByteOffset: 4 * k, as: UInt32.self)
    }
    if rest > 0 {
      withUnsafeBytes(of: column[whole * width].bitPattern) {
        (bytes + 4 * whole).copyMemory(from: $0.baseAddress!, byteCount: 4 / numbers * rest)
      }
    }
  }
}
