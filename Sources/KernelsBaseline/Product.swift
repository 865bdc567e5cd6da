import CSimd
import KernelTable

// Matrix products with a right side that was packed once and is used many times.
//
// `result[rows][columns] = left[rows][depth] * right`, plus `bias[columns]` to each row if there is
// one, plus what the result held before if `accumulate` is not 0.
//
// - `numbers`: in a cell (see `Arithmetic`): 1 is in float32, 2 in bfloat16, 4 in int8.
// - `depth`: cells of it, numbers over those in a cell, rounded up.
// - `left`: cells, `leftStride` words of four bytes from a row to the next: in float32 numbers as they
//   are, else what `operands` leaves.
// - `right`: panels of 32 columns: `right[columns / 32][depth][32]` (see `Panels`).
// - `correction`: of int8, `[2][columns]`: what each column is multiplied by, what its sums begin with.
// - `columns`: a multiple of 32. `resultStride`: floats from a row to the next.
// - `tiles`: `KernelTable.productRoom` floats, in which many rows are laid out for the inner loop; nil
//   if there are none, which is slower from 8 rows on.
public func product(_ arguments: UnsafePointer<ProductArguments>) {
  let a = arguments.pointee
  switch a.numbers {
  case 1:
    product(
      InFloat32.self, a.rows, a.columns, a.depth, a.left, a.leftStride, a.right, nil, a.bias,
      a.accumulate, a.result, a.resultStride, a.tiles)
  case 2:
    product(
      InBfloat16.self, a.rows, a.columns, a.depth, a.left, a.leftStride, a.right, nil, a.bias,
      a.accumulate, a.result, a.resultStride, a.tiles)
  default:
    product(
      InInt8.self, a.rows, a.columns, a.depth, a.left, a.leftStride, a.right, a.correction, a.bias,
      a.accumulate, a.result, a.resultStride, a.tiles)
  }
}

/// So much of the depth at a time: a tile of the left side and a panel of the right one then stay in
/// the caches beside each other.
private let mostSteps = 768

@inline(__always)
private func product<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ columns: Int, _ depth: Int,
  _ left: UnsafePointer<Float>, _ leftStride: Int,
  _ right: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>?, _ accumulate: Int,
  _ result: UnsafeMutablePointer<Float>, _ resultStride: Int, _ tiles: UnsafeMutablePointer<Float>?
) {
  guard let tiles, rows >= Tiling.leastRows, A.words == 1 else {
    return inOrder(
      A.self, 0, rows, columns, depth, left, leftStride, right, correction, bias, accumulate,
      result, resultStride)
  }
  let whole = rows / 4 * 4
  let parts = A.isExact ? 1 : (depth + mostSteps - 1) / mostSteps
  let part = (depth + parts - 1) / parts
  for start in stride(from: 0, to: depth, by: part) {
    let steps = min(part, depth - start)
    layOut(whole, steps, left + start, leftStride, tiles)
    for column in stride(from: 0, to: columns, by: 32) {
      for inner in stride(from: 0, to: 32, by: 2 * lanes) {
        let w = right + (column * depth + start * 32 + inner)
        let block = Block<A>(
          column + inner, columns, correction, start == 0 ? bias : nil,
          start == 0 ? accumulate : 1, result, resultStride)
        let next = column + 32 < columns ? column + 32 : 0
        // The next panel is asked for by four tiles of the last columns of this one, or by two if there are no more.
        let asking = whole >= 48 ? 4 : 2
        var ahead = Ahead(first: w, step: 0)
        if inner + 2 * lanes == 32 {
          ahead = Ahead(first: right + (next * depth + start * 32), step: 32 / asking)
        }
        var row = 0
        while row < whole {
          let height = min(Tiling.height, whole - row)
          let left = Left<A>(base: tiles + row * steps, rowStride: 1, step: height)
          switch (height, manyRegisters) {
          case (12, true):
            block.compute(Tile<A, 12>(block.start), row, steps, left, w, ahead)
          case (12, false):
            let (one, two) = ahead.halves(of: steps)
            block.compute(Tile<A, 6>(block.start), row, steps, left, w, one)
            block.compute(Tile<A, 6>(block.start), row + 6, steps, left.from(row: 6), w, two)
          case (8, true):
            block.compute(Tile<A, 8>(block.start), row, steps, left, w)
          default:
            for four in stride(from: 0, to: height, by: 4) {
              block.compute(Tile<A, 4>(block.start), row + four, steps, left.from(row: four), w)
            }
          }
          row += height
          ahead.first += ahead.step * steps
          if row == Tiling.height * asking { ahead = Ahead(first: w, step: 0) }
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
        let left = Left<A>(base: left + row * leftStride, rowStride: leftStride, step: A.words)
        block.compute(Tile<A, 4>(block.start), row, depth, left, w)
        row += 4
      }
      while row < end {
        let left = Left<A>(base: left + row * leftStride, rowStride: 0, step: A.words)
        block.compute(row, depth, left, w)
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

  /// Works out the rows of a tile, the first of which is row `first` of the result. (Each loop over
  /// the rows is short, or it would not be unrolled and the tile would have to be in memory.)
  @inline(__always)
  func compute<let height: Int>(
    _ tile: Tile<A, height>, _ first: Int, _ depth: Int, _ left: Left<A>,
    _ right: UnsafePointer<Float>, _ ahead: Ahead? = nil
  ) {
    var tile = tile
    tile.add(depth, left, right, ahead)
    var values = Tile<InFloat32, height>(Pair(vsplat(0), vsplat(0)))
    for row in 0..<height { values.rows[row] = value(tile.rows[row]) }
    let c = result + first &* stride
    if accumulate != 0 {
      for row in 0..<height { values.rows[row].add(c + row &* stride) }
    }
    for row in 0..<height { values.rows[row].store(c + row &* stride) }
  }

  /// Works out one row.
  @inline(__always)
  func compute(_ row: Int, _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>) {
    var sum = start
    sum.add(depth, left, right)
    var x = value(sum)
    let c = result + row &* stride
    if accumulate != 0 { x.add(c) }
    x.store(c)
  }

  @inline(__always)
  private func value(_ sum: Pair<A>) -> Pair<InFloat32> {
    Pair(A.value(sum.a, a), A.value(sum.b, b))
  }
}
