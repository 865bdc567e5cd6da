import CSimd

// One time step of a GRU layer for a number of rows (streams), forward and backward:
//
//   r  = sigmoid(x_r + W_hr h)      x_r, x_z, x_n: the input's share, biases included,
//   z  = sigmoid(x_z + W_hz h)                     and of the recurrent biases all but b_hn
//   n  = tanh(x_n + r * a)          a = W_hn h + b_hn
//   h' = n + z * (h - n)

/// The sums of the three gates of one vector of units.
private struct Gates<A: Arithmetic> {
  var r, z, n: A.Sum

  @inline(__always)
  mutating func add(_ x: A.Operand, _ u: A.Cells, _ v: A.Cells, _ w: A.Cells) {
    r = A.dot(r, x, u)
    z = A.dot(z, x, v)
    n = A.dot(n, x, w)
  }
}

/// The step forward, the recurrent product and the gates in one: the sums never leave the registers.
///
/// - `hidden`: units, padded to a multiple of 32; every row of units has this many floats.
/// - `depth`: cells (see `Arithmetic`) of units that count; the weights have this many rows.
/// - `operands`: `previous` as cells, `operandStride` words of four bytes from a row to the next.
/// - `panels`: `[hidden / 16][depth][r 16, z 16, n 16]` cells (see `Panels`).
/// - `correction`: nil, or of int8 `[2][r, z, n][hidden]` (see `productInt8`).
/// - `bias`: b_hn, `[hidden]`.
/// - `input`: rows of `[x_r][x_z][x_n]`, 3 * hidden floats each. Row i of the step reads row
///   `index[i]` of it, or row i if there is no index: this is how layer 0 looks its tokens up.
/// - `next`: h', `[rows][hidden]`; not the same memory as `previous`.
/// - `cache`: if given, r, z, n and a are kept in it for the way back, `[rows][4 * hidden]`.
public func gruForward(
  rows: Int, hidden: Int, depth: Int,
  previous: UnsafePointer<Float>, operands: UnsafePointer<Float>, operandStride: Int,
  panels: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>,
  input: UnsafePointer<Float>, index: UnsafePointer<Int32>?,
  next: UnsafeMutablePointer<Float>, cache: UnsafeMutablePointer<Float>?
) {
  gruForward(
    InFloat32.self, rows, hidden, depth, previous, operands, operandStride, panels, nil, bias,
    input, index, next, cache)
}

/// The same in bfloat16: `operands` as `bfloat16Operands` leaves them.
public func gruForwardBfloat16(
  rows: Int, hidden: Int, depth: Int,
  previous: UnsafePointer<Float>, operands: UnsafePointer<Float>, operandStride: Int,
  panels: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>,
  input: UnsafePointer<Float>, index: UnsafePointer<Int32>?,
  next: UnsafeMutablePointer<Float>, cache: UnsafeMutablePointer<Float>?
) {
  gruForward(
    InBfloat16.self, rows, hidden, depth, previous, operands, operandStride, panels, nil, bias,
    input, index, next, cache)
}

/// The same in int8: `operands` as `int8Operands` leaves them.
public func gruForwardInt8(
  rows: Int, hidden: Int, depth: Int,
  previous: UnsafePointer<Float>, operands: UnsafePointer<Float>, operandStride: Int,
  panels: UnsafePointer<Float>, correction: UnsafePointer<Float>?, bias: UnsafePointer<Float>,
  input: UnsafePointer<Float>, index: UnsafePointer<Int32>?,
  next: UnsafeMutablePointer<Float>, cache: UnsafeMutablePointer<Float>?
) {
  gruForward(
    InInt8.self, rows, hidden, depth, previous, operands, operandStride, panels, correction, bias,
    input, index, next, cache)
}

@inline(__always)
private func gruForward<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ hidden: Int, _ depth: Int,
  _ previous: UnsafePointer<Float>, _ operands: UnsafePointer<Float>, _ operandStride: Int,
  _ panels: UnsafePointer<Float>, _ correction: UnsafePointer<Float>?,
  _ bias: UnsafePointer<Float>, _ input: UnsafePointer<Float>, _ index: UnsafePointer<Int32>?,
  _ next: UnsafeMutablePointer<Float>, _ cache: UnsafeMutablePointer<Float>?
) {
  for unit in stride(from: 0, to: hidden, by: lanes) {
    let w = panels + (unit / 16) * 48 * depth + unit % 16
    let units = Units<A>(
      r: Columns(bias: nil, correction: correction, count: 3 * hidden, first: unit),
      z: Columns(bias: nil, correction: correction, count: 3 * hidden, first: hidden + unit),
      n: Columns(
        bias: bias + unit, correction: correction, count: 3 * hidden, first: 2 * hidden + unit),
      hidden: hidden, unit: unit, previous: previous, input: input, index: index, next: next,
      cache: cache)
    var row = 0
    if manyRegisters && A.isSlim {
      while row + 8 <= rows {
        rows8(depth, operands + row * operandStride, operandStride, w, units, row)
        row += 8
      }
    }
    while row + 4 <= rows {
      rows4(depth, operands + row * operandStride, operandStride, w, units, row)
      row += 4
    }
    while row < rows {
      rows1(depth, operands + row * operandStride, w, units, row)
      row += 1
    }
  }
}

/// One vector of units: where its sums begin, and how they become the new state.
private struct Units<A: Arithmetic> {
  var r, z, n: Columns
  var hidden, unit: Int
  var previous, input: UnsafePointer<Float>
  var index: UnsafePointer<Int32>?
  var next: UnsafeMutablePointer<Float>
  var cache: UnsafeMutablePointer<Float>?

  @inline(__always)
  var start: Gates<A> { Gates(r: A.start(r), z: A.start(z), n: A.start(n)) }

  @inline(__always)
  func finish(_ sum: Gates<A>, _ row: Int) {
    let x = input + (index.map { Int($0[row]) } ?? row) * 3 * hidden + unit
    let a = A.value(sum.n, self.n)
    let r = sigmoid(A.value(sum.r, self.r) + vload(x))
    let z = sigmoid(A.value(sum.z, self.z) + vload(x + hidden))
    let n = tanh(vfma(r, a, vload(x + 2 * hidden)))
    let h = vload(previous + row * hidden + unit)
    vstore(next + row * hidden + unit, vfma(z, h - n, n))
    if let cache {
      let c = cache + row * 4 * hidden + unit
      vstore(c, r)
      vstore(c + hidden, z)
      vstore(c + 2 * hidden, n)
      vstore(c + 3 * hidden, a)
    }
  }
}

@inline(__always)
private func rows8<A: Arithmetic>(
  _ depth: Int, _ h: UnsafePointer<Float>, _ stride: Int, _ panel: UnsafePointer<Float>,
  _ units: Units<A>, _ row: Int
) {
  let start = units.start
  var c0 = start, c1 = start, c2 = start, c3 = start
  var c4 = start, c5 = start, c6 = start, c7 = start
  let left = Left<A>(base: h, rowStride: stride, step: A.words)
  var p = panel
  for k in 0..<depth {
    let u = A.cells(p)
    let v = A.cells(p + 16)
    let w = A.cells(p + 32)
    c0.add(left.at(0, k), u, v, w)
    c1.add(left.at(1, k), u, v, w)
    c2.add(left.at(2, k), u, v, w)
    c3.add(left.at(3, k), u, v, w)
    c4.add(left.at(4, k), u, v, w)
    c5.add(left.at(5, k), u, v, w)
    c6.add(left.at(6, k), u, v, w)
    c7.add(left.at(7, k), u, v, w)
    p += 48
  }
  units.finish(c0, row)
  units.finish(c1, row + 1)
  units.finish(c2, row + 2)
  units.finish(c3, row + 3)
  units.finish(c4, row + 4)
  units.finish(c5, row + 5)
  units.finish(c6, row + 6)
  units.finish(c7, row + 7)
}

@inline(__always)
private func rows4<A: Arithmetic>(
  _ depth: Int, _ h: UnsafePointer<Float>, _ stride: Int, _ panel: UnsafePointer<Float>,
  _ units: Units<A>, _ row: Int
) {
  let start = units.start
  var c0 = start, c1 = start, c2 = start, c3 = start
  let left = Left<A>(base: h, rowStride: stride, step: A.words)
  var p = panel
  for k in 0..<depth {
    let u = A.cells(p)
    let v = A.cells(p + 16)
    let w = A.cells(p + 32)
    c0.add(left.at(0, k), u, v, w)
    c1.add(left.at(1, k), u, v, w)
    c2.add(left.at(2, k), u, v, w)
    c3.add(left.at(3, k), u, v, w)
    p += 48
  }
  units.finish(c0, row)
  units.finish(c1, row + 1)
  units.finish(c2, row + 2)
  units.finish(c3, row + 3)
}

/// Even and odd steps are summed apart, or the additions would wait for one another.
@inline(__always)
private func rows1<A: Arithmetic>(
  _ depth: Int, _ h: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
  _ units: Units<A>, _ row: Int
) {
  var even = units.start
  var odd = Gates<A>(r: A.zero, z: A.zero, n: A.zero)
  let left = Left<A>(base: h, rowStride: 0, step: A.words)
  var p = panel
  var k = 0
  while k + 1 < depth {
    even.add(left.at(0, k), A.cells(p), A.cells(p + 16), A.cells(p + 32))
    odd.add(left.at(0, k + 1), A.cells(p + 48), A.cells(p + 64), A.cells(p + 80))
    p += 96
    k += 2
  }
  if k < depth { even.add(left.at(0, k), A.cells(p), A.cells(p + 16), A.cells(p + 32)) }
  even.r = A.merged(even.r, odd.r)
  even.z = A.merged(even.z, odd.z)
  even.n = A.merged(even.n, odd.n)
  units.finish(even, row)
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
