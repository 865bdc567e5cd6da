import CSimd

/// Both sides rounded to bfloat16, the upper half of a float32; sums in float32. A cell is two
/// neighbours in depth.
enum InBfloat16: Arithmetic {
  @inline(__always) static var numbers: Int { 2 }
  @inline(__always) static var isExact: Bool { false }
  @inline(__always) static var isWide: Bool { false }
  @inline(__always) static var zero: vfloat { vsplat(0) }
  @inline(__always) static func start(_ columns: Columns) -> vfloat { columns.biases }
  @inline(__always) static func merged(_ a: vfloat, _ b: vfloat) -> vfloat { a + b }
  @inline(__always) static func value(_ sum: vfloat, _ columns: Columns) -> vfloat { sum }
  @inline(__always) static var words: Int { Int(CSIMD_BFLOAT16_WORDS) }
  @inline(__always) static func put(_ operands: UnsafeMutablePointer<Float>, _ x: vfloat) {
    vbfloat16_store(operands, x)
  }

  #if BF16
    @inline(__always) static func cells(_ p: UnsafePointer<Float>) -> vfloat { vload(p) }
    @inline(__always) static func operand(_ p: UnsafePointer<Float>) -> vfloat { vsplat(p[0]) }
    @inline(__always) static func dot(_ sum: vfloat, _ x: vfloat, _ w: vfloat) -> vfloat {
      vbfloat16_dot(sum, x, w)
    }
  #else
    /// Without instructions for it, two float32 numbers.
    typealias Halves = (even: vfloat, odd: vfloat)
    @inline(__always) static func cells(_ p: UnsafePointer<Float>) -> Halves {
      let cells = vload(p)
      return (vbfloat16_even(cells), vbfloat16_odd(cells))
    }
    @inline(__always) static func operand(_ p: UnsafePointer<Float>) -> Halves {
      (vsplat(p[0]), vsplat(p[1]))
    }
    @inline(__always) static func dot(_ sum: vfloat, _ x: Halves, _ w: Halves) -> vfloat {
      vfma(x.odd, w.odd, vfma(x.even, w.even, sum))
    }
  #endif
}
