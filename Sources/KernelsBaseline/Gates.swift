import CSimd
import KernelTable

// The gates of one time step of a GRU layer for a number of rows (streams), forward and backward:
//
//   r  = sigmoid(x_r + W_hr h)      x_r, x_z, x_n: the input's share, biases included,
//   z  = sigmoid(x_z + W_hz h)                     and of the recurrent biases all but b_hn
//   n  = tanh(x_n + r * a)          a = W_hn h + b_hn
//   h' = n + z * (h - n)

/// The step forward, after the recurrent product.
///
/// - `hidden`: units, padded to a multiple of 32; every row of units has this many floats.
/// - `sums`: W_hr h, W_hz h and a, `[rows][3 * hidden]`.
/// - `previous`: h, `[rows][hidden]`.
/// - `input`: `[x_r][x_z][x_n]`, rows `inputStride` floats apart. Row i of the step reads row `index[i]`
///   of it, or row i if there is no index: this is how layer 0 looks its tokens up. It may be the memory
///   of `cache` from r on, for x_r, x_z and x_n are read before r, z and a take their places.
/// - `next`: h', `[rows][hidden]`; may be the same memory as `previous`.
/// - `cache`: if given, n, r, z and a are kept in it for the backward pass: 4 * hidden floats of each row,
///   rows `KernelTable.cacheStride` apart.
public func gruForward(
  rows: Int, hidden: Int, sums: UnsafePointer<Float>, previous: UnsafePointer<Float>,
  input: UnsafePointer<Float>, inputStride: Int, index: UnsafePointer<Int32>?,
  next: UnsafeMutablePointer<Float>, cache: UnsafeMutablePointer<Float>?
) {
  for row in 0..<rows {
    let sums = sums + row * 3 * hidden
    let x = input + (index.map { Int($0[row]) } ?? row) * inputStride
    let previous = previous + row * hidden
    let next = next + row * hidden
    let cache = cache.map { $0 + row * KernelTable.cacheStride(hidden: hidden) }
    for i in stride(from: 0, to: hidden, by: lanes) {
      let (r, z, n, a) = gates(sums + i, hidden, x + i, hidden)
      vstore(next + i, mixed(z, n, vload(previous + i)))
      if let cache {
        vstore(cache + i, n)
        vstore(cache + (hidden &+ i), r)
        vstore(cache + (2 &* hidden &+ i), z)
        vstore(cache + (3 &* hidden &+ i), a)
      }
    }
  }
}

/// The gates of one vector of units; the strides are from a gate to the next.
@inline(__always)
func gates(
  _ sums: UnsafePointer<Float>, _ sumStride: Int, _ x: UnsafePointer<Float>, _ inputStride: Int
) -> (r: vfloat, z: vfloat, n: vfloat, a: vfloat) {
  let a = vload(sums + 2 &* sumStride)
  let r = sigmoid(vload(sums) + vload(x))
  let z = sigmoid(vload(sums + sumStride) + vload(x + inputStride))
  let n = tanh(vfma(r, a, vload(x + 2 &* inputStride)))
  return (r, z, n, a)
}

/// h'
@inline(__always)
func mixed(_ z: vfloat, _ n: vfloat, _ h: vfloat) -> vfloat { vfma(z, h - n, n) }

/// The step backward through the gates.
///
/// The gradient of h' is `output + carry`. On return `carry` holds the part of h's gradient that
/// did not pass the recurrent weights; the caller adds the rest, a product with W_hh.
///
/// - `cache`: as `gruForward` left it. On return it holds the gradients of x_n, x_r, x_z and a in
///   their places. Those of W_hr h and W_hz h are those of x_r and x_z: the first three are the
///   gradient of the input's share, in the order n, r, z, and the last three that of the recurrent
///   product, in the order r, z, n.
/// - `previous`: h, `[rows][hidden]`.
/// - `biasGradient`: `[4 * hidden]`; the same four, summed over the rows, are added to it.
public func gruBackward(
  rows: Int, hidden: Int, cache: UnsafeMutablePointer<Float>, previous: UnsafePointer<Float>,
  output: UnsafePointer<Float>, carry: UnsafeMutablePointer<Float>,
  biasGradient: UnsafeMutablePointer<Float>
) {
  let one = vsplat(1)
  for row in 0..<rows {
    let cache = cache + row * KernelTable.cacheStride(hidden: hidden)
    for i in stride(from: 0, to: hidden, by: lanes) {
      let n = vload(cache + i)
      let r = vload(cache + hidden + i)
      let z = vload(cache + 2 * hidden + i)
      let a = vload(cache + 3 * hidden + i)
      let h = vload(previous + row * hidden + i)
      let d = vload(output + row * hidden + i) + vload(carry + row * hidden + i)
      let dn = d * (one - z) * (one - n * n)
      let dz = d * (h - n) * z * (one - z)
      let da = dn * r
      let dr = da * a * (one - r)
      vstore(carry + row * hidden + i, d * z)
      vstore(cache + i, dn)
      vstore(cache + hidden + i, dr)
      vstore(cache + 2 * hidden + i, dz)
      vstore(cache + 3 * hidden + i, da)
      let sums = biasGradient + i
      vstore(sums, vload(sums) + dn)
      vstore(sums + hidden, vload(sums + hidden) + dr)
      vstore(sums + 2 * hidden, vload(sums + 2 * hidden) + dz)
      vstore(sums + 3 * hidden, vload(sums + 3 * hidden) + da)
    }
  }
}
