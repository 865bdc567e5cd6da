import CSimd

// The left side of a product in a smaller format, as the processor's instructions want it: it is made
// anew for every product, being small, and what is in it is between these functions and the products.

/// Rounds rows of numbers: to bfloat16 if there are 2 numbers in a cell; to multiples of 1 / 127 if there
/// are 4. Of these the ones beyond -1 to 1 become -1 or 1, which the hidden states of a GRU never are.
///
/// - `depth`: a multiple of 32; `x` has `stride` floats from a row to the next.
/// - `operands`: `[rows][words]`, where the words of a row, which are returned, are `depth` at most.
public func operands(
  numbers: Int, rows: Int, depth: Int, x: UnsafePointer<Float>, stride: Int,
  operands: UnsafeMutablePointer<Float>
) -> Int {
  numbers == 2
    ? putOperands(InBfloat16.self, rows, depth, x, stride, operands)
    : putOperands(InInt8.self, rows, depth, x, stride, operands)
}

@inline(__always) @discardableResult
func putOperands<A: Arithmetic>(
  _: A.Type, _ rows: Int, _ depth: Int, _ x: UnsafePointer<Float>, _ stride: Int,
  _ operands: UnsafeMutablePointer<Float>
) -> Int {
  let words = depth / A.numbers * A.words
  for row in 0..<rows {
    for i in Swift.stride(from: 0, to: depth, by: lanes) {
      A.put(operands + (row * words + i / A.numbers * A.words), vload(x + row * stride + i))
    }
  }
  return words
}
