import CSimd
import KernelTable

// Calls of kernels with arrays, which become pointers where they are arguments themselves.

extension KernelTable {
  func callProduct(
    _ numbers: Int, _ rows: Int, _ columns: Int, _ depth: Int, _ left: Floats, _ leftStride: Int,
    _ right: Floats, _ correction: Floats?, _ bias: Floats?, _ accumulate: Int, _ result: Mutable,
    _ resultStride: Int, _ tiles: Mutable?
  ) {
    var arguments = ProductArguments(
      numbers: numbers, rows: rows, columns: columns, depth: depth, left: left,
      leftStride: leftStride, right: right, correction: correction, bias: bias,
      accumulate: accumulate, result: result, resultStride: resultStride, tiles: tiles)
    product(&arguments)
  }

  func callStreamStep(
    _ numbers: Int, _ hidden: Int, _ depth: Int, _ right: Floats, _ correction: Floats?,
    _ bias: Floats, _ below: Floats?, _ inputRight: Floats?, _ inputCorrection: Floats?,
    _ input: Floats, _ state: Mutable, _ direction: Int, _ begun: Mutable, _ scratch: Mutable
  ) {
    var arguments = StreamStepArguments(
      numbers: numbers, hidden: hidden, depth: depth, right: right, correction: correction,
      bias: bias, below: below, inputRight: inputRight, inputCorrection: inputCorrection,
      input: input, state: state, direction: direction, begun: begun, scratch: scratch)
    streamStep(&arguments)
  }

  func callWeightGradient(
    _ numbers: Int, _ m: Int, _ n: Int, _ depth: Int, _ left: Floats, _ leftStride: Int,
    _ right: Floats, _ rightStride: Int, _ result: Mutable, _ scratch: Mutable
  ) {
    var arguments = WeightGradientArguments(
      numbers: numbers, m: m, n: n, depth: depth, left: left, leftStride: leftStride, right: right,
      rightStride: rightStride, result: result, scratch: scratch)
    weightGradient(&arguments)
  }

  func callAdam(
    _ count: Int, _ gradientScale: Float, _ rate: Float, _ correction: Float, _ keep: Float,
    _ beta1: Float, _ beta2: Float, _ epsilon: Float, _ gradient: Floats, _ parameter: Mutable,
    _ first: Mutable, _ second: Mutable
  ) {
    var arguments = AdamArguments(
      count: count, gradientScale: gradientScale, rate: rate, correction: correction, keep: keep,
      beta1: beta1, beta2: beta2, epsilon: epsilon, gradient: gradient, parameter: parameter,
      first: first, second: second)
    adam(&arguments)
  }
}
