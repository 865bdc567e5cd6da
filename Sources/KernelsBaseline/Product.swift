import CSimd

/// A matrix product with a right side that was packed once and is used many times.
///
/// `result[rows][columns] = left[rows][depth] * right`, plus `bias[columns]` to each row if there
/// is one, plus what the result held before if `accumulate` is not 0.
///
/// - `right`: panels of 32 columns: `right[columns / 32][depth][32]` (see `Panels`).
/// - `columns`: a multiple of 32. `leftStride`, `resultStride`: floats from a row to the next.
public func product(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, bias: UnsafePointer<Float>?, accumulate: Int,
  result: UnsafeMutablePointer<Float>, resultStride: Int
) {
  var panel = right
  for column in stride(from: 0, to: columns, by: 32) {
    for inner in stride(from: 0, to: 32, by: 2 * lanes) {
      let w = panel + inner
      let c = result + (column + inner)
      let start = bias.map { Pair($0 + (column + inner)) } ?? Pair()
      var row = 0
      if manyRegisters {
        while row + 8 <= rows {
          tile8(
            depth, Left(base: left + row * leftStride, rowStride: leftStride, step: 1), w, start,
            accumulate, c + row * resultStride, resultStride)
          row += 8
        }
      }
      while row + 4 <= rows {
        tile4(
          depth, Left(base: left + row * leftStride, rowStride: leftStride, step: 1), w, start,
          accumulate, c + row * resultStride, resultStride)
        row += 4
      }
      while row < rows {
        var c0 = start
        multiply(depth, Left(base: left + row * leftStride, rowStride: 0, step: 1), w, 32, &c0)
        finish(c0, accumulate, c + row * resultStride)
        row += 1
      }
    }
    panel += 32 * depth
  }
}

@inline(__always)
private func finish(_ sum: Pair, _ accumulate: Int, _ c: UnsafeMutablePointer<Float>) {
  var sum = sum
  if accumulate != 0 {
    let before = Pair(c)
    sum.a += before.a
    sum.b += before.b
  }
  sum.store(c)
}

@inline(__always)
private func tile8(
  _ depth: Int, _ left: Left, _ w: UnsafePointer<Float>, _ start: Pair, _ accumulate: Int,
  _ c: UnsafeMutablePointer<Float>, _ stride: Int
) {
  var c0 = start, c1 = start, c2 = start, c3 = start
  var c4 = start, c5 = start, c6 = start, c7 = start
  multiply(depth, left, w, 32, &c0, &c1, &c2, &c3, &c4, &c5, &c6, &c7)
  finish(c0, accumulate, c)
  finish(c1, accumulate, c + stride)
  finish(c2, accumulate, c + 2 * stride)
  finish(c3, accumulate, c + 3 * stride)
  finish(c4, accumulate, c + 4 * stride)
  finish(c5, accumulate, c + 5 * stride)
  finish(c6, accumulate, c + 6 * stride)
  finish(c7, accumulate, c + 7 * stride)
}

@inline(__always)
private func tile4(
  _ depth: Int, _ left: Left, _ w: UnsafePointer<Float>, _ start: Pair, _ accumulate: Int,
  _ c: UnsafeMutablePointer<Float>, _ stride: Int
) {
  var c0 = start, c1 = start, c2 = start, c3 = start
  multiply(depth, left, w, 32, &c0, &c1, &c2, &c3)
  finish(c0, accumulate, c)
  finish(c1, accumulate, c + stride)
  finish(c2, accumulate, c + 2 * stride)
  finish(c3, accumulate, c + 3 * stride)
}
