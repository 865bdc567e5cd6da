import CSimd
import KernelTable

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

  @inline(__always)
  func merged(_ other: Pair) -> Pair { Pair(A.merged(a, other.a), A.merged(b, other.b)) }
}

extension Pair where A.Sum == vfloat {
  /// Adds what is in memory.
  @inline(__always)
  mutating func add(_ p: UnsafePointer<Float>) {
    a += vload(p)
    b += vload(p + lanes)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) {
    vstore(p, a)
    vstore(p + lanes, b)
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
  func from(cell: Int) -> Left {
    Left(base: base + cell &* step, rowStride: rowStride, step: step)
  }

  @inline(__always)
  func from(row: Int) -> Left {
    Left(base: base + row &* rowStride, rowStride: rowStride, step: step)
  }
}

/// Lays a multiple of four rows of words out in tiles, so that the inner loop reads them in order:
/// `[rows / Tiling.height][depth][Tiling.height]`; the last tile has what rows are left. Up to
/// `Tiling.height` words after them are overwritten.
@inline(__always)
func layOut(
  _ rows: Int, _ depth: Int, _ left: UnsafePointer<Float>, _ stride: Int,
  _ tiles: UnsafeMutablePointer<Float>
) {
  var first = 0
  while first < rows {
    let height = min(Tiling.height, rows - first)
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

  /// The same by two loops of so many steps, one after the other.
  @inline(__always)
  func halves(of steps: Int) -> (Ahead, Ahead) {
    let half = step / 2
    return (Ahead(first: first, step: half), Ahead(first: first + half &* steps, step: half))
  }
}

/// `height` rows of a block of the result, two vectors wide, in registers.
struct Tile<A: Arithmetic, let height: Int> {
  var rows: InlineArray<height, Pair<A>>

  @inline(__always)
  init(_ start: Pair<A>) { rows = InlineArray { _ in start } }

  /// Adds `left * right`, where the right side has a row of 32 cells for each of the `depth` cells of
  /// the left side. Two steps of the depth at a time keep the processor busier, four where a tile is small.
  ///
  /// - `ahead`: nil where never anything is asked for, so that the loop has no instructions for it.
  @inline(__always)
  mutating func add(
    _ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>, _ ahead: Ahead? = nil
  ) {
    var left = left
    var w = right
    var ahead = ahead
    var pairs = depth / 2
    if !manyRegisters {
      while pairs > 1 {
        if let next = ahead {
          csimd_prefetch_later(next.first)
          csimd_prefetch_later(next.first + 2 &* next.step)
          ahead = Ahead(first: next.first + 4 &* next.step, step: next.step)
        }
        add(left, 0, w)
        add(left, 1, w + 32)
        add(left, 2, w + 64)
        add(left, 3, w + 96)
        left.base += 4 &* left.step
        w += 128
        pairs &-= 2
      }
    }
    while pairs > 0 {
      if let next = ahead {
        csimd_prefetch_later(next.first)
        csimd_prefetch_later(next.first + next.step)
        ahead = Ahead(first: next.first + 2 &* next.step, step: next.step)
      }
      add(left, 0, w)
      add(left, 1, w + 32)
      left.base += 2 &* left.step
      w += 64
      pairs &-= 1
    }
    if depth % 2 != 0 { add(left, 0, w) }
  }

  @inline(__always)
  private mutating func add(_ left: Left<A>, _ k: Int, _ w: UnsafePointer<Float>) {
    let u = A.cells(w)
    let v = A.cells(w + lanes)
    for row in 0..<height { rows[row].add(left.at(row, k), u, v) }
  }
}

extension Pair {
  /// Adds one row times the right side. Four sums take turns, or each addition would wait for the one
  /// before; wide ones need not, and four of them would not fit into 16 registers.
  @inline(__always)
  mutating func add(_ depth: Int, _ left: Left<A>, _ right: UnsafePointer<Float>) {
    var left = left
    var w = right
    var c1 = Pair<A>(A.zero, A.zero), c2 = c1, c3 = c1
    var rest = depth
    while !A.isWide, rest >= 4 {
      add(left.at(0, 0), A.cells(w), A.cells(w + lanes))
      c1.add(left.at(0, 1), A.cells(w + 32), A.cells(w + 32 + lanes))
      c2.add(left.at(0, 2), A.cells(w + 64), A.cells(w + 64 + lanes))
      c3.add(left.at(0, 3), A.cells(w + 96), A.cells(w + 96 + lanes))
      left.base += 4 &* left.step
      w += 128
      rest &-= 4
    }
    while rest > 0 {
      add(left.at(0, 0), A.cells(w), A.cells(w + lanes))
      left.base += left.step
      w += 32
      rest &-= 1
    }
    if A.isWide { return }
    self = merged(c1).merged(c2.merged(c3))
  }
}
