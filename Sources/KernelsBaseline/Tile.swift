import CSimd

// The inner loops. A tile is a block of the result held in registers while the depth of a product
// runs through it: up to 8 rows where there are 32 vector registers, 4 rows where there are 16.

let lanes = Int(CSIMD_LANES)
let manyRegisters = CSIMD_REGISTERS == 32

/// Two neighbouring vectors of one row of the result.
struct Pair {
  var a, b: vfloat

  @inline(__always)
  init() {
    a = vsplat(0)
    b = vsplat(0)
  }

  @inline(__always)
  init(_ p: UnsafePointer<Float>) {
    a = vload(p)
    b = vload(p + lanes)
  }

  @inline(__always)
  mutating func add(_ x: vfloat, _ u: vfloat, _ v: vfloat) {
    a = vfma(x, u, a)
    b = vfma(x, v, b)
  }

  @inline(__always)
  func store(_ p: UnsafeMutablePointer<Float>) {
    vstore(p, a)
    vstore(p + lanes, b)
  }
}

/// Where a product reads its left side: element (row, k) is at `base[row * rowStride + k * step]`.
struct Left {
  var base: UnsafePointer<Float>
  var rowStride: Int
  var step: Int

  @inline(__always)
  func at(_ row: Int, _ k: Int) -> vfloat { vsplat(base[row &* rowStride &+ k &* step]) }
}

/// Eight rows of a tile: `rows += left * right`, where the right side has a row of `stride` floats
/// for each of the `depth` steps.
@inline(__always)
func multiply(
  _ depth: Int, _ left: Left, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair, _ c1: inout Pair, _ c2: inout Pair, _ c3: inout Pair,
  _ c4: inout Pair, _ c5: inout Pair, _ c6: inout Pair, _ c7: inout Pair
) {
  var w = right
  for k in 0..<depth {
    let u = vload(w)
    let v = vload(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    c4.add(left.at(4, k), u, v)
    c5.add(left.at(5, k), u, v)
    c6.add(left.at(6, k), u, v)
    c7.add(left.at(7, k), u, v)
    w += stride
  }
}

/// Four rows of a tile.
@inline(__always)
func multiply(
  _ depth: Int, _ left: Left, _ right: UnsafePointer<Float>, _ stride: Int,
  _ c0: inout Pair, _ c1: inout Pair, _ c2: inout Pair, _ c3: inout Pair
) {
  var w = right
  for k in 0..<depth {
    let u = vload(w)
    let v = vload(w + lanes)
    c0.add(left.at(0, k), u, v)
    c1.add(left.at(1, k), u, v)
    c2.add(left.at(2, k), u, v)
    c3.add(left.at(3, k), u, v)
    w += stride
  }
}

/// One row: even and odd steps are summed apart, or the additions would wait for one another.
@inline(__always)
func multiply(
  _ depth: Int, _ left: Left, _ right: UnsafePointer<Float>, _ stride: Int, _ c0: inout Pair
) {
  var w = right
  var odd = Pair()
  var k = 0
  while k + 1 < depth {
    c0.add(left.at(0, k), vload(w), vload(w + lanes))
    odd.add(left.at(0, k + 1), vload(w + stride), vload(w + stride + lanes))
    w += 2 * stride
    k += 2
  }
  if k < depth { c0.add(left.at(0, k), vload(w), vload(w + lanes)) }
  c0.a += odd.a
  c0.b += odd.b
}
