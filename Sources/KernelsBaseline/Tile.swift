import CSimd

// The inner loops. A tile is a block of the result held in registers while the depth of a product
// runs through it: up to 12 rows where there are 32 vector registers, 6 rows where there are 16.

let lanes = Int(CSIMD_LANES)
let manyRegisters = CSIMD_REGISTERS == 32

/// Two neighbouring vectors of one row of the result.
struct Pair<A: Arithmetic> {
  var a, b: A.Sum

  @inline(__always)
  init(_ a: A.Sum, _ b: A.Sum) {
    self.a = a
    self.b = b
  }

  @inline(__always)
  mutating func add(_ x: A.Operand, _ u: A.Cells, _ v: A.Cells) {
    a = A.dot(a, x, u)
    b = A.dot(b, x, v)
  }
}

/// Where a product reads its left side: the cell (row, k) is at `base[row * rowStride + k * step]`.
struct Left<A: Arithmetic> {
  var base: UnsafePointer<Float>
  var rowStride: Int
  var step: Int

  @inline(__always)
  func at(_ row: Int, _ k: Int) -> A.Operand { A.operand(base + (row &* rowStride &+ k &* step)) }

  @inline(__always)
  func from(row: Int) -> Left {
    Left(base: base + row &* rowStride, rowStride: rowStride, step: step)
  }
}

/// Lays a multiple of four rows of words out in tiles of 12, so that the inner loop reads them in order:
/// `[rows / 12][depth][12]`; the last tile has what rows are left. Up to twelve words after them are
/// overwritten.
@inline(__always)
func layOut(
  _ rows: Int, _ depth: Int, _ left: UnsafePointer<Float>, _ stride: Int,
  _ tiles: UnsafeMutablePointer<Float>
) {
  var first = 0
  while first < rows {
    let height = min(12, rows - first)
    let from = left + first * stride
    let to = tiles + first * depth
    var k = 0
    while k + 4 <= depth {
      vtranspose(to + k &* height, height, from + k, stride)
      k += 4
    }
    while k < depth {
      for row in 0..<height { to[k * height + row] = from[row * stride + k] }
      k += 1
    }
    first += height
  }
}

/// Memory an inner loop asks for while it runs, because another one reads it soon.
struct Ahead {
  var first: UnsafePointer<Float>
  /// Floats it goes on by with every step of the depth; 0 if nothing is to be asked for.
  var step: Int
}

/// Twelve rows of a tile: `rows += left * right`, where the right side has a row of `stride` cells
/// for each of the `depth` cells of the left side.
@inline(__always)
func multiply<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ stride: Int,
  _ ahead: Ahead,
  _ c0: inout Pair<A>, _ c1: inout Pair<A>, _ c2: inout Pair<A>, _ c3: inout Pair<A>,
  _ c4: inout Pair<A>, _ c5: inout Pair<A>, _ c6: inout Pair<A>, _ c7: inout Pair<A>,
  _ c8: inout Pair<A>, _ c9: inout Pair<A>, _ c10: inout Pair<A>, _ c11: inout Pair<A>
) {
  @inline(__always)
  func step(_ k: Int, _ w: UnsafePointer<Float>) {
    let u = A.cells(w)
    let v = A.cells(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    c4.add(left.at(4, k), u, v)
    c5.add(left.at(5, k), u, v)
    c6.add(left.at(6, k), u, v)
    c7.add(left.at(7, k), u, v)
    c8.add(left.at(8, k), u, v)
    c9.add(left.at(9, k), u, v)
    c10.add(left.at(10, k), u, v)
    c11.add(left.at(11, k), u, v)
  }
  var p = ahead.first
  var w = right
  var k = 0
  while k + 1 < depth {
    csimd_prefetch_later(p)
    csimd_prefetch_later(p + ahead.step)
    p += 2 * ahead.step
    step(k, w)
    step(k + 1, w + stride)
    w += 2 * stride
    k += 2
  }
  if k < depth { step(k, w) }
}

/// Eight rows of a tile. Two steps of the depth at a time keep the processor busier.
@inline(__always)
func multiply<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair<A>, _ c1: inout Pair<A>, _ c2: inout Pair<A>, _ c3: inout Pair<A>,
  _ c4: inout Pair<A>, _ c5: inout Pair<A>, _ c6: inout Pair<A>, _ c7: inout Pair<A>
) {
  @inline(__always)
  func step(_ k: Int, _ w: UnsafePointer<Float>) {
    let u = A.cells(w)
    let v = A.cells(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    c4.add(left.at(4, k), u, v)
    c5.add(left.at(5, k), u, v)
    c6.add(left.at(6, k), u, v)
    c7.add(left.at(7, k), u, v)
  }
  var w = right
  var k = 0
  while k + 1 < depth {
    step(k, w)
    step(k + 1, w + stride)
    w += 2 * stride
    k += 2
  }
  if k < depth { step(k, w) }
}

/// Six rows of a tile.
@inline(__always)
func multiply<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair<A>, _ c1: inout Pair<A>, _ c2: inout Pair<A>,
  _ c3: inout Pair<A>, _ c4: inout Pair<A>, _ c5: inout Pair<A>
) {
  @inline(__always)
  func step(_ k: Int, _ w: UnsafePointer<Float>) {
    let u = A.cells(w)
    let v = A.cells(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    c4.add(left.at(4, k), u, v)
    c5.add(left.at(5, k), u, v)
  }
  var w = right
  var k = 0
  while k + 1 < depth {
    step(k, w)
    step(k + 1, w + stride)
    w += 2 * stride
    k += 2
  }
  if k < depth { step(k, w) }
}

/// Four rows of a tile.
@inline(__always)
func multiply<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair<A>, _ c1: inout Pair<A>, _ c2: inout Pair<A>, _ c3: inout Pair<A>
) {
  var w = right
  for k in 0..<depth {
    let u = A.cells(w)
    let v = A.cells(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    w += stride
  }
}

/// One row. Four sums take turns, or each addition would wait for the one before; wide ones need not,
/// and four of them would not fit into 16 registers.
@inline(__always)
func multiply<A: Arithmetic>(
  _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair<A>
) {
  var w = right
  var c1 = Pair<A>(A.zero, A.zero), c2 = c1, c3 = c1
  var k = 0
  while !A.isWide, k + 3 < depth {
    c0.add(left.at(0, k), A.cells(w), A.cells(w + lanes))
    c1.add(left.at(0, k + 1), A.cells(w + stride), A.cells(w + stride + lanes))
    c2.add(left.at(0, k + 2), A.cells(w + 2 * stride), A.cells(w + 2 * stride + lanes))
    c3.add(left.at(0, k + 3), A.cells(w + 3 * stride), A.cells(w + 3 * stride + lanes))
    w += 4 * stride
    k += 4
  }
  while k < depth {
    c0.add(left.at(0, k), A.cells(w), A.cells(w + lanes))
    w += stride
    k += 1
  }
  if A.isWide { return }
  c0.a = A.merged(A.merged(c0.a, c1.a), A.merged(c2.a, c3.a))
  c0.b = A.merged(A.merged(c0.b, c1.b), A.merged(c2.b, c3.b))
}
