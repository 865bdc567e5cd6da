import Foundation
import Kernels
import TestSupport
import Testing

/// Products in bfloat16 and int8 against plain loops in Double over numbers rounded one by one.
struct SmallFormatTests {
  @Test(arguments: InstructionSet.available, [Format.bfloat16, .int8])
  func product(set: InstructionSet, format: Format) {
    let kernels = set.kernels
    for (rows, columns, depth) in [
      (1, 64, 1), (1, 32, 150), (2, 32, 5), (3, 96, 33), (4, 32, 64), (8, 64, 7), (13, 32, 130),
      (24, 64, 65), (31, 32, 1700), (37, 32, 3100),
    ] {
      var numbers = Numbers(UInt64(rows * 1000 + depth))
      // Beyond 1, where int8 has to stop.
      let left = numbers.floats(rows * depth, scale: 1.1)
      let right = numbers.floats(columns * depth)
      let bias = numbers.floats(columns)
      let before = numbers.floats(rows * columns)
      let cells = (depth + format.numbers - 1) / format.numbers
      var panels = [Float](repeating: 0, count: columns * cells)
      var correction = [Float](repeating: .nan, count: 2 * columns)
      Panels.pack(
        right, count: columns, columnStride: depth, rows: depth, rowStride: 1, into: &panels,
        depth: cells * format.numbers, numbers: format.numbers, correction: &correction,
        total: columns)
      let stride = Panels.padded(depth)
      var operands = [Float](repeating: 0, count: rows * stride)
      let words = kernels.operands(
        format.numbers, rows, stride, padded(left, rows: rows, depth: depth), stride, &operands)
      var wanted = before.map(Double.init)
      for column in 0..<columns {
        let weights = format.right(Array(right[column * depth..<(column + 1) * depth]))
        for row in 0..<rows {
          for k in 0..<depth {
            wanted[row * columns + column] += format.left(left[row * depth + k]) * weights[k]
          }
          wanted[row * columns + column] += Double(bias[column])
        }
      }

      let room = KernelTable.productRoom(rows: rows, depth: cells)
      var memory = [Float](repeating: 7, count: room + 64)
      for lent in [true, false] {
        var result = before
        memory.withUnsafeMutableBufferPointer {
          kernels.callProduct(
            format.numbers, rows, columns, cells, operands, words, panels, correction, bias, 1,
            &result, columns,
            lent ? $0.baseAddress : nil)
        }
        #expect(
          relativeError(result, wanted) < 1e-6,
          "\(rows) x \(columns), depth \(depth), memory \(lent)")
      }
      #expect(memory[room...].allSatisfy { $0 == 7 })
    }
  }

  /// Ties go to the even neighbour; what is not a number stays so, on every instruction set.
  @Test func roundingToBfloat16() {
    let x: [Float] = [
      1, -1, 1.0039062, 1.01171875, 3.3895314e38, .infinity, -.infinity, 0, 0.1,
    ]
    let wanted: [Float] = [
      1, -1, 1, 1.015625, 3.3895314e38, .infinity, -.infinity, 0, 0.10009765625,
    ]
    for (value, expected) in zip(x, wanted) {
      let rounded = Float(bitPattern: UInt32(bfloat16(value)) << 16)
      #expect(rounded == expected, "\(value)")
    }
    #expect(Float(bitPattern: UInt32(bfloat16(.nan)) << 16).isNaN)
    let odd = Float(bitPattern: 0x7FFF_FFFF)
    #expect(Float(bitPattern: UInt32(bfloat16(odd)) << 16).isNaN)
    for set in InstructionSet.available {
      let row = [Float](repeating: 1, count: 31) + [odd]
      var panels = [Float](repeating: 0, count: 32 * 16)
      Panels.pack(
        [Float](repeating: 1, count: 32), count: 1, columnStride: 32, rows: 32, rowStride: 1,
        into: &panels, depth: 32, numbers: 2)
      var operands = [Float](repeating: 0, count: 64)
      let words = set.kernels.operands(2, 1, 32, row, 32, &operands)
      var result = [Float](repeating: 0, count: 32)
      set.kernels.callProduct(
        2, 1, 32, 16, operands, words, panels, nil, nil, 0, &result, 32, nil)
      #expect(result[0].isNaN)
    }
  }

  /// A row that was rounded once does not change any more, however often it is.
  @Test func int8RoundingIsIdempotent() {
    var numbers = Numbers(5)
    for _ in 0..<200 {
      let row = numbers.floats(40, scale: 3)
      let scale = int8Scale(row, count: 40, stride: 1)
      let once = row.map { Float(int8($0, scale: scale)) * scale }
      #expect(int8Scale(once, count: 40, stride: 1) == scale)
      #expect(once.map { Float(int8($0, scale: scale)) * scale } == once)
      #expect(zip(row, once).allSatisfy { abs($0 - $1) <= scale / 2 * 1.001 })
    }
    #expect(int8Scale([0, 0], count: 2, stride: 1) == 1)
  }
}
