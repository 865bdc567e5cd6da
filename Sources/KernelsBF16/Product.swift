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

/// In float32: `left` is numbers as they are.
public func product(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int
) {
  product(
    InFloat32.self, rows, columns, depth, left, leftStride, right, nil, bias, accumulate, result,
    resultStride)
}

/// In bfloat16: `left` as `bfloat16Operands` leaves it.
public func productBfloat16(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int
) {
  product(
    InBfloat16.self, rows, columns, depth, left, leftStride, right, nil, bias, accumulate, result,
    resultStride)
}

/// In int8: `left` as `int8Operands` leaves it; `correction` is `[2][columns]`, what each column is
/// multiplied by and what its sums begin with.
public func productInt8(
  rows: Int, columns: Int, depth: Int,
  left: UnsafePointer<Float>, leftStride: Int,
  right: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>?,
  accumulate: Int, result: UnsafeMutablePointer<Float>, resultStride: Int
) {
  product(
    InInt8.self, rows, columns, depth, left, leftStride, right, correction, bias, accumulate,
    result, resultStride)
}

@inline(__always)
private func product<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ columns: Int, _ depth: Int,
  _ left: UnsafePointer<Float>, _ leftStride: Int,
  _ right: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>?, _ accumulate: Int,
  _ result: UnsafeMutablePointer<Float>, _ resultStride: Int
) {
  var panel = right
  for column in stride(from: 0, to: columns, by: 32) {
    for inner in stride(from: 0, to: 32, by: 2 * lanes) {
      let w = panel + inner
      let first = column + inner
      let block = Block<A>(
        a: Columns(
          bias: bias.map { $0 + first }, correction: correction, count: columns, first: first),
        b: Columns(
          bias: bias.map { $0 + (first + lanes) }, correction: correction, count: columns,
          first: first + lanes),
        accumulate: accumulate, result: result + first, stride: resultStride)
      var row = 0
      if manyRegisters && A.isSlim {
        while row + 8 <= rows {
          tile8(
            depth, Left(base: left + row * leftStride, rowStride: leftStride, step: A.words), w,
            block, row)
          row += 8
        }
      }
      while row + 4 <= rows {
        tile4(
          depth, Left(base: left + row * leftStride, rowStride: leftStride, step: A.words), w,
          block, row)
        row += 4
      }
      while row < rows {
        var c0 = block.start
        multiply(
          depth, Left(base: left + row * leftStride, rowStride: 0, step: A.words), w, 32, &c0)
        block.finish(c0, row)
        row += 1
      }
    }
    panel += 32 * depth
  }
}

/// The columns of a tile, and where its sums go.
private struct Block<A: Arithmetic> {
  var a, b: Columns
  var accumulate: Int
  var result: UnsafeMutablePointer<Float>
  var stride: Int

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
