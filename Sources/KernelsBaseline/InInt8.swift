import CSimd

/// Both sides in whole numbers from -127 to 127; a cell is four neighbours in depth. Sums are whole
/// numbers too, so they are exact, and the same on every instruction set.
enum InInt8: Arithmetic {
  @inline(__always) static var numbers: Int { 4 }
  @inline(__always) static var words: Int { Int(CSIMD_INT8_WORDS) }
  @inline(__always) static var isExact: Bool { true }
  @inline(__always) static func put(_ operands: UnsafeMutablePointer<Float>, _ x: vfloat) {
    vint8_store(operands, x)
  }

  #if VNNI
    // The processor sums four products at once, of unsigned numbers on the left: these are 128 more
    // than they should be, and sums begin with minus what that makes too much.
    @inline(__always) static var isWide: Bool { false }
    @inline(__always) static var zero: vint { vint(repeating: 0) }
    @inline(__always) static func start(_ columns: Columns) -> vint {
      vto_bits(vload(columns.offset!))
    }
    @inline(__always) static func cells(_ p: UnsafePointer<Float>) -> vint { vto_bits(vload(p)) }
    @inline(__always) static func operand(_ p: UnsafePointer<Float>) -> vint {
      vto_bits(vsplat(p[0]))
    }
    @inline(__always) static func dot(_ sum: vint, _ x: vint, _ w: vint) -> vint {
      vint8_dot(sum, x, w)
    }
    @inline(__always) static func merged(_ a: vint, _ b: vint) -> vint { a &+ b }
    @inline(__always) static func value(_ sum: vint, _ columns: Columns) -> vfloat {
      vfma(vfrom_int(sum), vload(columns.scale!), columns.biases)
    }
    @inline(__always) static func store(_ p: UnsafeMutablePointer<Float>, _ sum: vint) {
      vstore(p, vfrom_bits(sum))
    }
    @inline(__always) static func load(_ p: UnsafePointer<Float>) -> vint { vto_bits(vload(p)) }
  #else
    // Weights are widened to 16 bits and pairs of products summed: until the end a column has two
    // sums, and the two halves of the columns a vector each.
    struct Wide {
      var low, high: vshort
    }
    struct Sums {
      var low, high: vint
    }
    @inline(__always) static var isWide: Bool { true }
    @inline(__always) static var zero: Sums {
      Sums(low: vint(repeating: 0), high: vint(repeating: 0))
    }
    @inline(__always) static func start(_ columns: Columns) -> Sums { zero }
    @inline(__always) static func cells(_ p: UnsafePointer<Float>) -> Wide {
      Wide(low: vwiden(p), high: vwiden(p + lanes / 2))
    }
    @inline(__always) static func operand(_ p: UnsafePointer<Float>) -> vshort { vsplat_four(p) }
    @inline(__always) static func dot(_ sum: Sums, _ x: vshort, _ w: Wide) -> Sums {
      Sums(low: sum.low &+ vmultiply_pairs(x, w.low), high: sum.high &+ vmultiply_pairs(x, w.high))
    }
    @inline(__always) static func merged(_ a: Sums, _ b: Sums) -> Sums {
      Sums(low: a.low &+ b.low, high: a.high &+ b.high)
    }
    @inline(__always) static func value(_ sum: Sums, _ columns: Columns) -> vfloat {
      vfma(
        vfrom_int(vadd_neighbours(sum.low, sum.high)), vload(columns.scale!), columns.biases)
    }
    @inline(__always) static func store(_ p: UnsafeMutablePointer<Float>, _ sum: Sums) {
      vstore(p, vfrom_bits(sum.low))
      vstore(p + lanes, vfrom_bits(sum.high))
    }
    @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Sums {
      Sums(low: vto_bits(vload(p)), high: vto_bits(vload(p + lanes)))
    }
  #endif
}
