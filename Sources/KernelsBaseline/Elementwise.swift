import CSimd

// Loops over whole buffers. `count` is always a multiple of 16.

/// `y += x`.
public func add(count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>) {
  var i = 0
  while i < count {
    vstore(y + i, vload(y + i) + vload(x + i))
    i += lanes
  }
}

/// The sum of squares. Blocks of 4096 are summed apart, so that the error does not grow with count.
public func sumOfSquares(count: Int, x: UnsafePointer<Float>) -> Double {
  var total = 0.0
  var i = 0
  while i < count {
    let end = min(count, i + 4096)
    var sums = vsplat(0)
    while i < end {
      let v = vload(x + i)
      sums = vfma(v, v, sums)
      i += lanes
    }
    total += Double(vsum(sums))
  }
  return total
}

/// `sums[columns] += ` each column of `x[rows][stride]` added up: the gradient of a bias.
public func columnSums(
  rows: Int, columns: Int, x: UnsafePointer<Float>, stride: Int, sums: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    let x = x + row * stride
    var i = 0
    while i < columns {
      vstore(sums + i, vload(sums + i) + vload(x + i))
      i += lanes
    }
  }
}

/// `table[index[row][i]] += x[row]` for each of the `terms` indices of a row, rows of `columns` floats,
/// those of x `stride` apart: the gradient of looked-up rows.
public func scatterAdd(
  rows: Int, columns: Int, x: UnsafePointer<Float>, stride: Int, index: UnsafePointer<Int32>,
  terms: Int, table: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    for term in 0..<terms {
      add(
        count: columns, x: x + row * stride,
        y: table + Int(index[row * terms + term]) * columns)
    }
  }
}

/// `y[row] = ` the sum of `table[index[row][i]]` over the `terms` indices of a row, at least 1, rows of
/// `columns` floats, those of y `stride` apart.
public func gatherSum(
  rows: Int, columns: Int, table: UnsafePointer<Float>, index: UnsafePointer<Int32>, terms: Int,
  y: UnsafeMutablePointer<Float>, stride: Int
) {
  for row in 0..<rows {
    let index = index + row * terms
    let y = y + row * stride
    var i = 0
    while i < columns {
      var sum = vload(table + Int(index[0]) * columns + i)
      for term in 1..<max(terms, 1) { sum = sum + vload(table + Int(index[term]) * columns + i) }
      vstore(y + i, sum)
      i += lanes
    }
  }
}

/// Rounds a row of `count` floats, a multiple of 32, to bfloat16, for `gatherSumPacked`: `count / 2` floats of memory.
public func packRow(count: Int, x: UnsafePointer<Float>, packed: UnsafeMutablePointer<Float>) {
  for i in stride(from: 0, to: count, by: 2 * lanes) {
    vbfloat16_pack(packed + i / 2, x + i, x + i + lanes)
  }
}

/// `gatherSum` of a table whose rows `packRow` made. The sums are float32.
public func gatherSumPacked(
  rows: Int, columns: Int, table: UnsafePointer<Float>, index: UnsafePointer<Int32>, terms: Int,
  y: UnsafeMutablePointer<Float>, stride: Int
) {
  for row in 0..<rows {
    let index = index + row * terms
    let y = y + row * stride
    for i in Swift.stride(from: 0, to: columns, by: 2 * lanes) {
      let packed = vload(table + (Int(index[0]) * columns + i) / 2)
      var (first, second) = (vbfloat16_first(packed), vbfloat16_second(packed))
      for term in 1..<max(terms, 1) {
        let packed = vload(table + (Int(index[term]) * columns + i) / 2)
        first = first + vbfloat16_first(packed)
        second = second + vbfloat16_second(packed)
      }
      vstore(y + i, first)
      vstore(y + i + lanes, second)
    }
  }
}

/// Dropout (Srivastava et al. 2014), scaled at training time: each element becomes 0 with
/// probability `threshold / 2^32`, else it is multiplied by `scale`. `x` and `y` may be the same.
///
/// What is dropped depends on `key` and on the element's number alone, counted from `counter`; so
/// the backward pass drops the same ones, and how rows are shared among threads changes nothing.
public func dropout(
  count: Int, key: UInt32, counter: UInt32, threshold: UInt32, scale: Float,
  x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    vstore(
      y + i, vload(x + i) * vkeep(counter &+ UInt32(truncatingIfNeeded: i), key, threshold, scale))
    i += lanes
  }
}

/// One update of Adam (Kingma & Ba 2015) with AdamW's decoupled decay (Loshchilov & Hutter 2019),
/// in PyTorch's order of operations.
///
/// - `gradientScale`: multiplies the gradient first (clipping by norm).
/// - `rate`: the learning rate over `1 - beta1^t`. `correction`: 1 over the root of `1 - beta2^t`.
/// - `keep`: 1 minus learning rate times weight decay.
public func adam(_ arguments: UnsafePointer<AdamArguments>) {
  let a = arguments.pointee
  let b1 = vsplat(a.beta1), c1 = vsplat(1 - a.beta1)
  let b2 = vsplat(a.beta2), c2 = vsplat(1 - a.beta2)
  let scale = vsplat(a.gradientScale), correction = vsplat(a.correction)
  let epsilon = vsplat(a.epsilon), rate = vsplat(-a.rate), keep = vsplat(a.keep)
  var i = 0
  while i < a.count {
    let g = vload(a.gradient + i) * scale
    let m = vfma(b1, vload(a.first + i), c1 * g)
    let v = vfma(b2, vload(a.second + i), c2 * g * g)
    vstore(a.first + i, m)
    vstore(a.second + i, v)
    let step = m / vfma(vsqrt(v), correction, epsilon)
    vstore(a.parameter + i, vfma(step, rate, vload(a.parameter + i) * keep))
    i += lanes
  }
}
