/// How weights are laid out for the products: panels of neighbouring columns, so that the inner
/// loops read memory from the first float to the last.
///
/// A product `y = x W^T` with PyTorch's `W[outputs][inputs]` has `outputs` columns and the depth
/// `inputs`; the way back, `dx = dy W`, has `inputs` columns and the depth `outputs`. One function
/// packs both: it is told how far apart columns and steps of the depth lie in the source.
public enum Panels {
  /// Columns of one panel of `product`.
  public static let width = 32

  /// Every padded size is a multiple of this many floats; what pads is zero and stays zero.
  public static func padded(_ count: Int) -> Int { (count + 31) / 32 * 32 }

  /// Packs a block of a right side for `KernelTable.product`: `[columns / 32][depth][32]`.
  ///
  /// - `count`: columns in the source; those up to the next multiple of 32 become zero.
  /// - `rows`: steps of the depth in the source. `depth`: of the whole destination, of which this
  ///   block fills those from `from` on; steps nobody fills stay as they were.
  public static func pack(
    _ source: UnsafePointer<Float>, count: Int, columnStride: Int, rows: Int, rowStride: Int,
    into destination: UnsafeMutablePointer<Float>, depth: Int, from: Int = 0
  ) {
    for column in stride(from: 0, to: count, by: width) {
      let panel = destination + column * depth + from * width
      let columns = min(width, count - column)
      let source = source + column * columnStride
      if columnStride == 1 && columns == width {
        for k in 0..<rows {
          (panel + k * width).update(from: source + k * rowStride, count: width)
        }
        continue
      }
      for k in 0..<rows {
        let to = panel + k * width
        let from = source + k * rowStride
        for j in 0..<columns { to[j] = from[j * columnStride] }
        for j in columns..<width { to[j] = 0 }
      }
    }
  }

  /// Packs `weight_hh[3 * hidden][hidden]` for `KernelTable.gruForward`: for each 16 units
  /// `[hidden][r 16, z 16, n 16]`; units up to `padded(hidden)` get zeros. Units from `first` on,
  /// up to `end`, are packed: threads share the work by units.
  public static func packGates(
    _ source: UnsafePointer<Float>, hidden: Int, first: Int, end: Int,
    into destination: UnsafeMutablePointer<Float>
  ) {
    for unit in stride(from: first, to: end, by: 16) {
      let panel = destination + unit * 3 * hidden
      for gate in 0..<3 {
        for j in 0..<16 {
          let to = panel + gate * 16 + j
          if unit + j < hidden {
            let from = source + (gate * hidden + unit + j) * hidden
            for k in 0..<hidden { to[k * 48] = from[k] }
          } else {
            for k in 0..<hidden { to[k * 48] = 0 }
          }
        }
      }
    }
  }
}
