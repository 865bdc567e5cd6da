import CSimd

/// Softmax and cross-entropy, and the gradient of their mean, in one pass over rows of logits.
///
/// Writes minus the log-probability of each row's target to `loss[rows]` (0 where the target is
/// negative: such a row does not count) and, if `scale` is not 0, replaces the logits by
/// `scale * (softmax - one hot)`, the gradient of `scale` times the summed loss.
///
/// - `columns`: a multiple of 32, of which the first `vocabulary` count.
public func crossEntropy(
  rows: Int, columns: Int, vocabulary: Int,
  logits: UnsafeMutablePointer<Float>, targets: UnsafePointer<Int32>, scale: Float,
  loss: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    let x = logits + row * columns
    let target = Int(targets[row])
    if target < 0 {
      loss[row] = 0
      if scale != 0 { x.update(repeating: 0, count: columns) }
      continue
    }
    for i in vocabulary..<columns { x[i] = -.greatestFiniteMagnitude }
    var top = vload(x)
    for i in stride(from: lanes, to: columns, by: lanes) { top = vmax(top, vload(x + i)) }
    let highest = vlargest(top)
    let wanted = x[target]
    var sums = vsplat(0)
    for i in stride(from: 0, to: columns, by: lanes) {
      let e = exp(vload(x + i) - vsplat(highest))
      sums += e
      if scale != 0 { vstore(x + i, e) }
    }
    let sum = vsum(sums)
    loss[row] = csimd_log(sum) - (wanted - highest)
    if scale != 0 {
      let factor = vsplat(scale / sum)
      for i in stride(from: 0, to: columns, by: lanes) { vstore(x + i, vload(x + i) * factor) }
      x[target] -= scale
    }
  }
}

/// `y = exp(scale * (x - m))` with m the largest of x; gives m plus the logarithm of the sum of y, so
/// that with a scale of 1 the log-probability of token i is `x[i]` minus it.
///
/// - `count`: a multiple of 32. Entries to leave out hold minus infinity and become 0; if all do, the
///   result is minus infinity.
public func expNormalized(
  count: Int, scale: Float, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
) -> Float {
  var top = vload(x)
  for i in stride(from: lanes, to: count, by: lanes) { top = vmax(top, vload(x + i)) }
  let highest = vlargest(top)
  guard highest > -.infinity else {
    y.update(repeating: 0, count: count)
    return highest
  }
  var sums = vsplat(0)
  for i in stride(from: 0, to: count, by: lanes) {
    let e = exp((vload(x + i) - vsplat(highest)) * vsplat(scale))
    sums += e
    vstore(y + i, e)
  }
  return highest + csimd_log(vsum(sums))
}

/// `sums[i]` becomes the sum of those of `x[32 i]` to `x[32 i + 31]` that are at least `least`.
/// `count` is a multiple of 32.
public func blockSums(
  count: Int, least: Float, x: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>
) {
  for block in stride(from: 0, to: count, by: 32) {
    var sum = vsplat(0)
    for i in stride(from: block, to: block + 32, by: lanes) {
      let v = vload(x + i)
      sum += vzero_below(v, v, vsplat(least))
    }
    sums[block / 32] = vsum(sum)
  }
}

/// How many of `x` are at least `least`. `count` is a multiple of 32 and at most 2^24.
public func countAtLeast(count: Int, least: Float, x: UnsafePointer<Float>) -> Int {
  var sum = vsplat(0)
  for i in stride(from: 0, to: count, by: lanes) {
    sum += vzero_below(vsplat(1), vload(x + i), vsplat(least))
  }
  return Int(vsum(sum))
}
