import CSimd

// Matrix products with a right side that was packed once and is used many times.
//
// `result[rows][columns] = left[rows][depth] * right`, plus `bias[columns]` to each row if there is
// one, plus what the result held before if `accumulate` is not 0.
//
// - `depth`: cells of it (see `Arithmetic`): numbers over 1, 2 or 4, rounded up.
// - `left`: cells, `leftStride` words of four bytes from a row to the next.
// - `right`: panels of 32 columns: `right[columns / 32][depth][32]` (see `Panels`).
// - `columns`: a multiple of 32. `resultStride`: floats from a row to the next.
// - `tiles`: `KernelTable.productRoom` floats, in which many rows are laid out for the inner loop; nil
//   if there are none, which is slower from 8 rows on.

/// In float32: `left` is numbers as they are.
public func product(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int,
  tiles: UnsafeMutablePointer<Float>?
) {
  product(
    InFloat32.self, rows, columns, depth, left, leftStride, right, nil, bias, accumulate, result,
    resultStride, tiles)
}

/// In bfloat16: `left` as `bfloat16Operands` leaves it.
public func productBfloat16(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int,
  tiles: UnsafeMutablePointer<Float>?
) {
  product(
    InBfloat16.self, rows, columns, depth, left, leftStride, right, nil, bias, accumulate, result,
    resultStride, tiles)
}

/// In int8: `left` as `int8Operands` leaves it; `correction` is `[2][columns]`, what each column is
/// multiplied by and what its sums begin with.
public func productInt8(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int,
  tiles: UnsafeMutablePointer<Float>?
) {
  product(
    InInt8.self, rows, columns, depth, left, leftStride, right, correction, bias, accumulate,
    result, resultStride, tiles)
}

/// So much of the depth at a time: a tile of the left side and a panel of the right one then stay in
/// the caches beside each other.
private let blockDepth = 768

@inline(__always)
private func product<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ columns: Int, _ depth: Int,
  _ left: UnsafePointer<Float>, _ leftStride: Int,
  _ right: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>?, _ accumulate: Int,
  _ result: UnsafeMutablePointer<Float>, _ resultStride: Int, _ tiles: UnsafeMutablePointer<Float>?
) {
  guard let tiles, rows >= 8, A.words == 1 else {
    return inOrder(
      A.self, 0, rows, columns, depth, left, leftStride, right, correction, bias, accumulate,
      result, resultStride)
  }
  let whole = rows / 4 * 4
  let blocks = A.isExact ? 1 : (depth + blockDepth - 1) / blockDepth
  let block = (depth + blocks - 1) / blocks
  for start in stride(from: 0, to: depth, by: block) {
    let steps = min(block, depth - start)
    layOut(whole, steps, left + start, leftStride, tiles)
    for column in stride(from: 0, to: columns, by: 32) {
      for inner in stride(from: 0, to: 32, by: 2 * lanes) {
        let w = right + (column * depth + start * 32 + inner)
        let block = Block<A>(
          column + inner, columns, correction, start == 0 ? bias : nil,
          start == 0 ? accumulate : 1, result, resultStride)
        let next = column + 32 < columns ? column + 32 : 0
        // The next panel is asked for by four tiles, or by two if there are no more.
        let asking = whole >= 48 ? 4 : 2
        var ahead = Ahead(first: right + (next * depth + start * 32), step: 32 / asking)
        var row = 0
        while row + 12 <= whole {
          let left = Left<A>(base: tiles + row * steps, rowStride: 1, step: 12)
          if manyRegisters {
            tile12(steps, left, w, ahead, block, row)
          } else {
            tile6(steps, left, w, block, row)
            tile6(steps, left.from(row: 6), w, block, row + 6)
          }
          row += 12
          ahead.first += ahead.step * steps
          if row == 12 * asking { ahead = Ahead(first: w, step: 0) }
        }
        if row + 8 <= whole {
          let left = Left<A>(base: tiles + row * steps, rowStride: 1, step: 8)
          if manyRegisters {
            tile8(steps, left, w, block, row)
          } else {
            tile4(steps, left, w, block, row)
            tile4(steps, left.from(row: 4), w, block, row + 4)
          }
        } else if row < whole {
          tile4(steps, Left(base: tiles + row * steps, rowStride: 1, step: 4), w, block, row)
        }
      }
    }
  }
  if whole < rows {
    inOrder(
      A.self, whole, rows, columns, depth, left, leftStride, right, correction, bias, accumulate,
      result, resultStride)
  }
}

/// Rows `first` to `end` of the product, with the left side as it is.
@inline(__always)
private func inOrder<A: Arithmetic>(
  _: A.Type, _ first: Int, _ end: Int, _ columns: Int, _ depth: Int,
  _ left: UnsafePointer<Float>, _ leftStride: Int,
  _ right: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>?, _ accumulate: Int,
  _ result: UnsafeMutablePointer<Float>, _ resultStride: Int
) {
  for column in stride(from: 0, to: columns, by: 32) {
    for inner in stride(from: 0, to: 32, by: 2 * lanes) {
      let w = right + (column * depth + inner)
      let block = Block<A>(
        column + inner, columns, correction, bias, accumulate, result, resultStride)
      var row = first
      while row + 4 <= end {
        tile4(
          depth, Left(base: left + row * leftStride, rowStride: leftStride, step: A.words), w,
          block, row)
        row += 4
      }
      while row < end {
        var c0 = block.start
        multiply(
          depth, Left(base: left + row * leftStride, rowStride: 0, step: A.words), w, 32, &c0)
        block.finish(c0, row)
        row += 1
      }
    }
  }
}

/// The columns of a tile, and where its sums go.
private struct Block<A: Arithmetic> {
  var a, b: Columns
  var accumulate: Int
  var result: UnsafeMutablePointer<Float>
  var stride: Int

  @inline(__always)
  init(
    _ first: Int, _ columns: Int, _ correction: UnsafePointer<Float>?,
    _ bias: UnsafePointer<Float>?, _ accumulate: Int, _ result: UnsafeMutablePointer<Float>,
    _ stride: Int
  ) {
    a = Columns(
      bias: bias.map { $0 + first }, correction: correction, count: columns, first: first)
    b = Columns(
      bias: bias.map { $0 + (first + lanes) }, correction: correction, count: columns,
      first: first + lanes)
    self.accumulate = accumulate
    self.result = result + first
    self.stride = stride
  }

  @inline(__always)
  var start: Pair<A> { Pair(A.start(a), A.start(b)) }

  @inline(__always)
  func finish(_ sum: Pair<A>, _ row: Int) {
    let c = result + row * stride
    var x = A.value(sum.a, a)
    var y = A.value(sum.b, b)
    if accumulate != 0 {
      x += vload(c)
      y += vload(c + lanes)
    }
    vstore(c, x)
    vstore(c + lanes, y)
  }
}

@inline(__always)
private func tile12<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ w: UnsafePointer<Float>, _ ahead: Ahead, _ block: Block<A>,
  _ row: Int
) {
  let start = block.start
  var c0 = start, c1 = start, c2 = start, c3 = start, c4 = start, c5 = start
  var c6 = start, c7 = start, c8 = start, c9 = start, c10 = start, c11 = start
  multiply(depth, left, w, 32, ahead, &c0, &c1, &c2, &c3, &c4, &c5, &c6, &c7, &c8, &c9, &c10, &c11)
  block.finish(c0, row)
  block.finish(c1, row + 1)
  block.finish(c2, row + 2)
  block.finish(c3, row + 3)
  block.finish(c4, row + 4)
  block.finish(c5, row + 5)
  block.finish(c6, row + 6)
  block.finish(c7, row + 7)
  block.finish(c8, row + 8)
  block.finish(c9, row + 9)
  block.finish(c10, row + 10)
  block.finish(c11, row + 11)
}

@inline(__always)
private func tile8<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ w: UnsafePointer<Float>, _ block: Block<A>, _ row: Int
) {
  let start = block.start
  var c0 = start, c1 = start, c2 = start, c3 = start
  var c4 = start, c5 = start, c6 = start, c7 = start
  multiply(depth, left, w, 32, &c0, &c1, &c2, &c3, &c4, &c5, &c6, &c7)
  block.finish(c0, row)
  block.finish(c1, row + 1)
  block.finish(c2, row + 2)
  block.finish(c3, row + 3)
  block.finish(c4, row + 4)
  block.finish(c5, row + 5)
  block.finish(c6, row + 6)
  block.finish(c7, row + 7)
}

@inline(__always)
private func tile6<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ w: UnsafePointer<Float>, _ block: Block<A>, _ row: Int
) {
  let start = block.start
  var c0 = start, c1 = start, c2 = start, c3 = start, c4 = start, c5 = start
  multiply(depth, left, w, 32, &c0, &c1, &c2, &c3, &c4, &c5)
  block.finish(c0, row)
  block.finish(c1, row + 1)
  block.finish(c2, row + 2)
  block.finish(c3, row + 3)
  block.finish(c4, row + 4)
  block.finish(c5, row + 5)
}

@inline(__always)
private func tile4<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ w: UnsafePointer<Float>, _ block: Block<A>, _ row: Int
) {
  let start = block.start
  var c0 = start, c1 = start, c2 = start, c3 = start
  multiply(depth, left, w, 32, &c0, &c1, &c2, &c3)
  block.finish(c0, row)
  block.finish(c1, row + 1)
  block.finish(c2, row + 2)
  block.finish(c3, row + 3)
}
