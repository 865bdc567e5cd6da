import Kernels
import Testing

/// Where packing puts each weight.
struct PanelsTests {
  @Test func paddedSizes() {
    #expect([0, 1, 31, 32, 33, 64].map(Panels.padded) == [0, 32, 32, 32, 64, 64])
  }

  /// Columns that lie apart, as for `x W^T`, and columns side by side, as for `dy W`.
  @Test(arguments: [(45, false), (45, true), (64, false), (64, true), (3, false), (32, true)])
  func columns(count: Int, sideBySide: Bool) {
    let (rows, depth, from) = (5, 11, 4)
    let source = (0..<count * rows).map { Float($0 + 1) }
    let (columnStride, rowStride) = sideBySide ? (1, count) : (rows, 1)
    var panels = [Float](repeating: -1, count: Panels.padded(count) * depth)
    Panels.pack(
      source, count: count, columnStride: columnStride, rows: rows, rowStride: rowStride,
      into: &panels, depth: depth, from: from)
    for column in 0..<Panels.padded(count) {
      for k in 0..<depth {
        let packed = panels[column / 32 * 32 * depth + k * 32 + column % 32]
        let wanted: Float
        if !(from..<from + rows).contains(k) {
          wanted = -1
        } else if column >= count {
          wanted = 0
        } else {
          wanted = source[column * columnStride + (k - from) * rowStride]
        }
        #expect(packed == wanted, "column \(column), step \(k)")
      }
    }
  }
}
