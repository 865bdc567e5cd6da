import CSimd

// The left side of a product in a smaller format, as the processor's instructions want it: it is made
// anew for every product, being small, and what is in it is between these functions and the products.

/// Rounds rows of `depth` numbers to bfloat16.
///
/// - `depth`: a multiple of 32; `x` has `stride` floats from a row to the next.
/// - `operands`: `[rows][operandWords]`.
public func bfloat16Operands(
  rows: Int, depth: Int, x: UnsafePointer<Float>, stride: Int,
  operands: UnsafeMutablePointer<Float>
) {
  putOperands(InBfloat16.self, rows, depth, x, stride, operands)
}

/// Rounds rows of `depth` numbers to multiples of 1 / 127; those beyond -1 to 1 become -1 or 1, which
/// the hidden states of a GRU never are.
public func int8Operands(
  rows: Int, depth: Int, x: UnsafePointer<Float>, stride: Int,
  operands: UnsafeMutablePointer<Float>
) {
  putOperands(InInt8.self, rows, depth, x, stride, operands)
}

@inline(__always)
func putOperands<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ depth: Int, _ x: UnsafePointer<Float>, _ stride: Int,
  _ operands: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    for i in Swift.stride(from: 0, to: depth, by: lanes) {
      let cell = (row * depth + i) / A.numbers
      A.put(operands + cell * A.words, vload(x + row * stride + i))
    }
  }
}
