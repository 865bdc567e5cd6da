import Kernels
import TestSupport
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

  /// From the bytes of a row the same cells come as from its floats, and the bytes come back.
  @Test(arguments: [1, 2, 4]) func columnsOfBytes(numbers: Int) {
    let (depth, columns) = (37, 40)
    let cells = (depth + numbers - 1) / numbers
    var random = Numbers(5)
    let source = random.floats(columns * depth)
    var packed = [Float](repeating: 0, count: 64 * cells)
    var correction = [Float](repeating: 0, count: 2 * 64)
    correction.withUnsafeMutableBufferPointer {
      Panels.pack(
        source, count: columns, columnStride: depth, rows: depth, rowStride: 1, into: &packed,
        depth: cells * numbers, numbers: numbers, correction: $0.baseAddress, total: 64)
    }
    var ours = [Float](repeating: 0, count: 64 * cells)
    var ourCorrection = [Float](repeating: 0, count: 2 * 64)
    for column in 0..<columns {
      let row = Array(source[column * depth..<(column + 1) * depth])
      let scale = int8Scale(row, count: depth, stride: 1)
      let bytes: [UInt8] =
        switch numbers {
        case 1: row.flatMap { withUnsafeBytes(of: $0) { Array($0) } }
        case 2: row.flatMap { withUnsafeBytes(of: bfloat16($0)) { Array($0) } }
        default: row.map { UInt8(bitPattern: int8($0, scale: scale)) }
        }
      var back = [UInt8](repeating: 0xEE, count: bytes.count)
      ours.withUnsafeMutableBufferPointer { panels in
        ourCorrection.withUnsafeMutableBufferPointer {
          let place = panels.baseAddress! + Panels.place(column, depth: cells)
          Panels.set(
            place, bytes, depth: depth, numbers: numbers, scale: scale,
            correction: $0.baseAddress! + column, total: 64)
          Panels.get(place, count: depth, numbers: numbers, into: &back)
        }
      }
      #expect(back == bytes)
    }
    #expect(ours.map(\.bitPattern) == packed.map(\.bitPattern))
    if numbers == 4 {
      #expect(ourCorrection.map(\.bitPattern) == correction.map(\.bitPattern))
    }
  }
}
