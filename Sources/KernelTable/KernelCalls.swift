// The kernels of more than four arguments that take no struct, with labels. What the arguments are is
// documented where each kernel is defined, in Sources/KernelsBaseline.

extension KernelTable {
  @inline(__always)
  public func gruForward(
    rows: Int, hidden: Int, sums: Floats, previous: Floats, input: Floats, inputStride: Int,
    index: Indices?, next: Mutable, cache: Mutable?
  ) { gruForward(rows, hidden, sums, previous, input, inputStride, index, next, cache) }

  @inline(__always)
  public func gruBackward(
    rows: Int, hidden: Int, cache: Mutable, previous: Floats, output: Floats, carry: Mutable,
    biasGradient: Mutable
  ) { gruBackward(rows, hidden, cache, previous, output, carry, biasGradient) }

  @inline(__always)
  public func crossEntropy(
    rows: Int, columns: Int, vocabulary: Int, logits: Mutable, targets: Indices, scale: Float,
    loss: Mutable
  ) { crossEntropy(rows, columns, vocabulary, logits, targets, scale, loss) }

  @inline(__always)
  public func columnSums(rows: Int, columns: Int, x: Floats, stride: Int, sums: Mutable) {
    columnSums(rows, columns, x, stride, sums)
  }

  @inline(__always)
  public func scatterAdd(
    rows: Int, columns: Int, x: Floats, stride: Int, index: Indices, terms: Int, table: Mutable
  ) { scatterAdd(rows, columns, x, stride, index, terms, table) }

  @inline(__always)
  public func gatherSum(
    rows: Int, columns: Int, table: Floats, index: Indices, terms: Int, y: Mutable, stride: Int
  ) { gatherSum(rows, columns, table, index, terms, y, stride) }

  @inline(__always)
  public func gatherSumPacked(
    rows: Int, columns: Int, table: Floats, index: Indices, terms: Int, y: Mutable, stride: Int
  ) { gatherSumPacked(rows, columns, table, index, terms, y, stride) }
}
