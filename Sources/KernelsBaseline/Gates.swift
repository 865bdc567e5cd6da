import CSimd

// One time step of a GRU layer for a number of rows (streams), forward and backward:
//
//   r  = sigmoid(x_r + W_hr h)      x_r, x_z, x_n: the input's share, biases included,
//   z  = sigmoid(x_z + W_hz h)                     and of the recurrent biases all but b_hn
//   n  = tanh(x_n + r * a)          a = W_hn h + b_hn
//   h' = n + z * (h - n)

/// The sums of the three gates of one vector of units.
private struct Gates {
  var r, z, n: vfloat

  @inline(__always)
  init(bias: vfloat) {
    r = vsplat(0)
    z = vsplat(0)
    n = bias
  }

  @inline(__always)
  mutating func add(_ x: vfloat, _ u: vfloat, _ v: vfloat, _ w: vfloat) {
    r = vfma(x, u, r)
    z = vfma(x, v, z)
    n = vfma(x, w, n)
  }
}

/// The step forward, the recurrent product and the gates in one: the sums never leave the registers.
///
/// - `hidden`: units, padded to a multiple of 32; every row of units has this many floats.
/// - `depth`: units that count; the weights have this many rows.
/// - `panels`: `[hidden / 16][depth][r 16, z 16, n 16]` (see `Panels`).
/// - `bias`: b_hn, `[hidden]`.
/// - `input`: rows of `[x_r][x_z][x_n]`, 3 * hidden floats each. Row i of the step reads row
///   `index[i]` of it, or row i if there is no index: this is how layer 0 looks its tokens up.
/// - `next`: h', `[rows][hidden]`; not the same memory as `previous`.
/// - `cache`: if given, r, z, n and a are kept in it for the way back, `[rows][4 * hidden]`.
public func gruForward(
  rows: Int, hidden: Int, depth: Int,
  previous: UnsafePointer<Float>, panels: UnsafePointer<Float>, bias: UnsafePointer<Float>,
  input: UnsafePointer<Float>, index: UnsafePointer<Int32>?,
  next: UnsafeMutablePointer<Float>, cache: UnsafeMutablePointer<Float>?
) {
  for unit in stride(from: 0, to: hidden, by: lanes) {
    let w = panels + (unit / 16) * 48 * depth + unit % 16
    let start = Gates(bias: vload(bias + unit))
    let finish = Finish(
      hidden: hidden, unit: unit, previous: previous, input: input, index: index, next: next,
      cache: cache)
    var row = 0
    if manyRegisters {
      while row + 8 <= rows {
        rows8(depth, previous + row * hidden, hidden, w, start, finish, row)
        row += 8
      }
    }
    while row + 4 <= rows {
      rows4(depth, previous + row * hidden, hidden, w, start, finish, row)
      row += 4
    }
    while row < rows {
      rows1(depth, previous + row * hidden, w, start, finish, row)
      row += 1
    }
  }
}

/// From the three sums to the new state.
private struct Finish {
  var hidden, unit: Int
  var previous, input: UnsafePointer<Float>
  var index: UnsafePointer<Int32>?
  var next: UnsafeMutablePointer<Float>
  var cache: UnsafeMutablePointer<Float>?

  @inline(__always)
  func callAsFunction(_ sum: Gates, _ row: Int) {
    let x = input + (index.map { Int($0[row]) } ?? row) * 3 * hidden + unit
    let r = sigmoid(sum.r + vload(x))
    let z = sigmoid(sum.z + vload(x + hidden))
    let n = tanh(vfma(r, sum.n, vload(x + 2 * hidden)))
    let h = vload(previous + row * hidden + unit)
    vstore(next + row * hidden + unit, vfma(z, h - n, n))
    if let cache {
      let c = cache + row * 4 * hidden + unit
      vstore(c, r)
      vstore(c + hidden, z)
      vstore(c + 2 * hidden, n)
      vstore(c + 3 * hidden, sum.n)
    }
  }
}

@inline(__always)
private func rows8(
  _ depth: Int, _ h: UnsafePointer<Float>, _ stride: Int, _ panel: UnsafePointer<Float>,
  _ start: Gates, _ finish: Finish, _ row: Int
) {
  var c0 = start, c1 = start, c2 = start, c3 = start
  var c4 = start, c5 = start, c6 = start, c7 = start
  var p = panel
  for k in 0..<depth {
    let u = vload(p)
    let v = vload(p + 16)
    let w = vload(p + 32)
    c0.add(vsplat(h[k]), u, v, w)
    c1.add(vsplat(h[stride &+ k]), u, v, w)
    c2.add(vsplat(h[2 &* stride &+ k]), u, v, w)
    c3.add(vsplat(h[3 &* stride &+ k]), u, v, w)
    c4.add(vsplat(h[4 &* stride &+ k]), u, v, w)
    c5.add(vsplat(h[5 &* stride &+ k]), u, v, w)
    c6.add(vsplat(h[6 &* stride &+ k]), u, v, w)
    c7.add(vsplat(h[7 &* stride &+ k]), u, v, w)
    p += 48
  }
  finish(c0, row)
  finish(c1, row + 1)
  finish(c2, row + 2)
  finish(c3, row + 3)
  finish(c4, row + 4)
  finish(c5, row + 5)
  finish(c6, row + 6)
  finish(c7, row + 7)
}

@inline(__always)
private func rows4(
  _ depth: Int, _ h: UnsafePointer<Float>, _ stride: Int, _ panel: UnsafePointer<Float>,
  _ start: Gates, _ finish: Finish, _ row: Int
) {
  var c0 = start, c1 = start, c2 = start, c3 = start
  var p = panel
  for k in 0..<depth {
    let u = vload(p)
    let v = vload(p + 16)
    let w = vload(p + 32)
    c0.add(vsplat(h[k]), u, v, w)
    c1.add(vsplat(h[stride &+ k]), u, v, w)
    c2.add(vsplat(h[2 &* stride &+ k]), u, v, w)
    c3.add(vsplat(h[3 &* stride &+ k]), u, v, w)
    p += 48
  }
  finish(c0, row)
  finish(c1, row + 1)
  finish(c2, row + 2)
  finish(c3, row + 3)
}

/// Even and odd steps are summed apart, or the additions would wait for one another.
@inline(__always)
private func rows1(
  _ depth: Int, _ h: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
  _ start: Gates, _ finish: Finish, _ row: Int
) {
  var even = start
  var odd = Gates(bias: vsplat(0))
  var p = panel
  var k = 0
  while k + 1 < depth {
    even.add(vsplat(h[k]), vload(p), vload(p + 16), vload(p + 32))
    odd.add(vsplat(h[k + 1]), vload(p + 48), vload(p + 64), vload(p + 80))
    p += 96
    k += 2
  }
  if k < depth { even.add(vsplat(h[k]), vload(p), vload(p + 16), vload(p + 32)) }
  even.r += odd.r
  even.z += odd.z
  even.n += odd.n
  finish(even, row)
}

/// The step backward through the gates.
///
/// The gradient of h' is `output + carry`. On return `carry` holds the part of h's gradient that
/// did not pass the recurrent weights; the caller adds `recurrentGradient * W_hh` to it.
///
/// - `cache`: as `gruForward` left it. `previous`: h, `[rows][hidden]`.
/// - `inputGradient`: of x_r, x_z, x_n. `recurrentGradient`: of W_hr h, W_hz h, a.
///   Both `[rows][3 * hidden]`.
public func gruBackward(
  rows: Int, hidden: Int,
  cache: UnsafePointer<Float>, previous: UnsafePointer<Float>, output: UnsafePointer<Float>,
  carry: UnsafeMutablePointer<Float>,
  inputGradient: UnsafeMutablePointer<Float>, recurrentGradient: UnsafeMutablePointer<Float>
) {
  let one = vsplat(1)
  for row in 0..<rows {
    let cache = cache + row * 4 * hidden
    let dx = inputGradient + row * 3 * hidden
    let dg = recurrentGradient + row * 3 * hidden
    for i in stride(from: 0, to: hidden, by: lanes) {
      let r = vload(cache + i)
      let z = vload(cache + hidden + i)
      let n = vload(cache + 2 * hidden + i)
      let a = vload(cache + 3 * hidden + i)
      let h = vload(previous + row * hidden + i)
      let d = vload(output + row * hidden + i) + vload(carry + row * hidden + i)
      let dn = d * (one - z) * (one - n * n)
      let dz = d * (h - n) * z * (one - z)
      let dr = dn * a * r * (one - r)
      vstore(carry + row * hidden + i, d * z)
      vstore(dx + i, dr)
      vstore(dx + hidden + i, dz)
      vstore(dx + 2 * hidden + i, dn)
      vstore(dg + i, dr)
      vstore(dg + hidden + i, dz)
      vstore(dg + 2 * hidden + i, dn * r)
    }
  }
}
