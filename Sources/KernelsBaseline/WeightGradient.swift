import CSimd
import KernelTable

// The gradient of a weight matrix: `result[m][n] += sum over k of left[k][m] * right[k][n]`.
//
// - `numbers`: in a cell, as in `product`: 1, or 2 to round both sides to bfloat16.
// - `left`: `[depth][leftStride]`, of which `m` columns count: gradients of a layer's outputs.
// - `right`: `[depth][rightStride]`, of which `n` columns count: the layer's inputs.
// - `result`: `[m][n]`, rows `n` floats apart.
// - `scratch`: `KernelTable.weightGradientRoom(columns: n)` floats.
//
// Both sides are laid out anew, some of the depth at a time, so that the inner loop reads them from the
// first byte to the last: all of the right side in panels of 32 columns, and so many tiles of 12 columns
// of the left side that they stay in the second-level cache while the panels run past.
public func weightGradient(_ arguments: UnsafePointer<WeightGradientArguments>) {
  let a = arguments.pointee
  if a.numbers == 1 {
    weightGradient(
      InFloat32.self, a.m, a.n, a.depth, a.left, a.leftStride, a.right, a.rightStride, a.result,
      a.scratch)
  } else {
    weightGradient(
      InBfloat16.self, a.m, a.n, a.depth, a.left, a.leftStride, a.right, a.rightStride, a.result,
      a.scratch)
  }
}

/// Columns of the left side in a tile.
private var height: Int { Tiling.height }

/// What both sides are made of.
private protocol Layout: Arithmetic where Sum == vfloat {
  /// The operands of 12 columns. The second of two steps of the depth may be missing at the end.
  static func putLeft(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?)
  /// The cells of a vector of columns.
  static func putRight(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?)
}

extension InFloat32: Layout {
  @inline(__always)
  fileprivate static func putLeft(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?
  ) {
    UnsafeMutableRawPointer(to).copyMemory(from: first, byteCount: 4 * height)
  }

  @inline(__always)
  fileprivate static func putRight(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?
  ) {
    vstore(to, vload(first))
  }
}

extension InBfloat16: Layout {
  @inline(__always)
  fileprivate static func putLeft(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?
  ) {
    vbfloat16_operands12(to, first, second)
  }

  @inline(__always)
  fileprivate static func putRight(
    _ to: UnsafeMutablePointer<Float>, _ first: UnsafePointer<Float>,
    _ second: UnsafePointer<Float>?
  ) {
    vbfloat16_pack(to, first, second)
  }
}

@inline(__always)
private func weightGradient<A: Layout>(
  _: A.Type, _ m: Int, _ n: Int, _ depth: Int,
  _ left: UnsafePointer<Float>, _ leftStride: Int,
  _ right: UnsafePointer<Float>, _ rightStride: Int,
  _ result: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
) {
  let edge = scratch
  let tiles = edge + height * 32
  let most = Tiling.steps(columns: n)
  let tileStride = Tiling.stride(steps: most)
  let panels = tiles + Tiling.count * tileStride
  for start in stride(from: 0, to: depth, by: most) {
    let steps = min(most, depth - start)
    let cells = (steps + A.numbers - 1) / A.numbers
    for column in stride(from: 0, to: n, by: 32) {
      fillPanel(
        A.self, min(32, n - column), steps, right + (start * rightStride + column), rightStride,
        panels + column * cells, edge)
    }
    for first in stride(from: 0, to: m, by: Tiling.count * height) {
      let end = min(m, first + Tiling.count * height)
      fillTiles(
        A.self, end - first, steps, left + (start * leftStride + first), leftStride, tiles,
        tileStride, edge)
      for column in stride(from: 0, to: n, by: 32) {
        let panel = panels + column * cells
        for row in stride(from: first, to: end, by: height) {
          let tile = tiles + (row - first) / height * tileStride
          let block = result + (row * n + column)
          // The last four tiles ask for the next panel, a quarter each.
          var ahead = Ahead(first: tile, step: 0)
          let still = (end - row + height - 1) / height
          if still <= 4, column + 32 < n {
            ahead = Ahead(first: panel + (32 + 8 * (4 - still)) * cells, step: 8)
          }
          if row + height <= end && column + 32 <= n {
            accumulate(A.self, cells, tile, panel, ahead, block, n)
          } else {
            edge.update(repeating: 0, count: height * 32)
            accumulate(A.self, cells, tile, panel, ahead, edge, 32)
            for i in 0..<min(height, end - row) {
              for j in 0..<min(32, n - column) { block[i * n + j] += edge[i * 32 + j] }
            }
          }
        }
      }
    }
  }
}

/// `count` columns of `[steps][stride]` to tiles, `[cells][12]` each, the last one filled with 0.
@inline(__always)
private func fillTiles<A: Layout>(
  _: A.Type, _ count: Int, _ steps: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ tiles: UnsafeMutablePointer<Float>, _ tileStride: Int, _ edge: UnsafeMutablePointer<Float>
) {
  var k = 0
  var cell = tiles
  while k < steps {
    let from = source + k * stride
    let hasSecond = A.numbers == 2 && k + 1 < steps
    var column = 0
    var to = cell
    while column + height <= count {
      A.putLeft(to, from + column, hasSecond ? from + (stride + column) : nil)
      column += height
      to += tileStride
    }
    if column < count {
      let (first, second) = widened(from + column, hasSecond ? stride : 0, count - column, edge)
      A.putLeft(to, first, second)
    }
    k += A.numbers
    cell += height * A.words
  }
}

/// `count` columns, at most 32, of `[steps][stride]` to a panel, `[cells][32]`, filled with 0.
@inline(__always)
private func fillPanel<A: Layout>(
  _: A.Type, _ count: Int, _ steps: Int, _ source: UnsafePointer<Float>, _ stride: Int,
  _ panel: UnsafeMutablePointer<Float>, _ edge: UnsafeMutablePointer<Float>
) {
  var k = 0
  var to = panel
  while k < steps {
    let from = source + k * stride
    let hasSecond = A.numbers == 2 && k + 1 < steps
    var first = from
    var second = hasSecond ? from + stride : nil
    if count < 32 { (first, second) = widened(from, hasSecond ? stride : 0, count, edge) }
    for i in Swift.stride(from: 0, to: 32, by: lanes) {
      A.putRight(to + i, first + i, second.map { $0 + i })
    }
    k += A.numbers
    to += 32
  }
}

/// `count` numbers of a row, and of the one `stride` after it if that is not 0, with zeros after them.
@inline(__always)
private func widened(
  _ from: UnsafePointer<Float>, _ stride: Int, _ count: Int, _ edge: UnsafeMutablePointer<Float>
) -> (UnsafePointer<Float>, UnsafePointer<Float>?) {
  edge.update(repeating: 0, count: 64)
  for j in 0..<count { edge[j] = from[j] }
  guard stride != 0 else { return (UnsafePointer(edge), nil) }
  for j in 0..<count { edge[32 + j] = from[stride + j] }
  return (UnsafePointer(edge), UnsafePointer(edge + 32))
}

/// Adds a 12 x 32 block of the product to the result.
@inline(__always)
private func accumulate<A: Layout>(
  _: A.Type, _ depth: Int, _ tile: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
  _ ahead: Ahead, _ c: UnsafeMutablePointer<Float>, _ stride: Int
) {
  let left = Left<A>(base: tile, rowStride: A.words, step: height * A.words)
  for inner in Swift.stride(from: 0, to: 32, by: 2 * lanes) {
    let w = panel + inner
    let c = c + inner
    for row in height..<2 * height { csimd_prefetch(c + row * stride) }
    if manyRegisters {
      Tile<A, 12>.accumulate(depth, left, w, c, stride, ahead)
    } else {
      Tile<A, 6>.accumulate(depth, left, w, c, stride)
      Tile<A, 6>.accumulate(depth, left.from(row: 6), w, c + 6 * stride, stride)
    }
  }
}

extension Tile where A.Sum == vfloat {
  /// Adds a tile of the product to the result at `c`.
  @inline(__always)
  fileprivate static func accumulate(
    _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>, _ stride: Int, _ ahead: Ahead? = nil
  ) {
    var tile = Tile(Pair(A.zero, A.zero))
    for row in 0..<height { tile.rows[row].add(c + row &* stride) }
    tile.add(depth, left, right, ahead)
    for row in 0..<height { tile.rows[row].store(c + row &* stride) }
  }
}
