import CSimd

// exp, sigmoid and tanh on whole vectors. The bounds are against the correctly rounded value, over
// all floats where it is a normal number; KernelsTests/TranscendentalTests measures them at every
// instruction-set level.

/// e to the x, at most 2 ulp off; 0 below -87.33654, and the value at 88.37626 above that.
///
/// Cephes' method: x = k ln 2 + f, a polynomial of degree 5 for e to the f, and k put into the
/// exponent. Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
@inline(__always)
func exp(_ x: vfloat) -> vfloat {
  let lowest = vsplat(-87.33654)
  let clamped = vmin(vsplat(88.37626), vmax(lowest, x))
  let magic = vsplat(12582912)
  let shifted = vfma(clamped, vsplat(1.44269504088896341), magic)
  let k = shifted - magic
  var f = vfma(k, vsplat(-0.693359375), clamped)
  f = vfma(k, vsplat(2.12194440e-4), f)
  var p = vsplat(1.9875691500e-4)
  p = vfma(p, f, vsplat(1.3981999507e-3))
  p = vfma(p, f, vsplat(8.3334519073e-3))
  p = vfma(p, f, vsplat(4.1665795894e-2))
  p = vfma(p, f, vsplat(1.6666665459e-1))
  p = vfma(p, f, vsplat(5.0000001201e-1))
  p = vfma(p, f * f, f) + vsplat(1)
  let scaled = vfrom_bits(vto_bits(p) &+ (vto_bits(shifted) &<< vint(repeating: 23)))
  return vzero_below(scaled, x, lowest)
}

/// 1 / (1 + e to the -x), at most 4 ulp off.
@inline(__always)
func sigmoid(_ x: vfloat) -> vfloat {
  vsplat(1) / (vsplat(1) + exp(-x))
}

/// Hyperbolic tangent, at most 7 ulp off (5 where there is a fused multiply-add). Beyond ±7.90531 it
/// is the value there, within 4 ulp of ±1; below 2.5e-36, where t * p is no normal number, it may be
/// off by 1e-43.
///
/// A rational function of degrees 13 and 6 with the coefficients Eigen uses for `ptanh`.
@inline(__always)
func tanh(_ x: vfloat) -> vfloat {
  let bound = vsplat(7.90531110763549805)
  let t = vmin(bound, vmax(-bound, x))
  let s = t * t
  var p = vsplat(-2.76076847742355e-16)
  p = vfma(p, s, vsplat(2.00018790482477e-13))
  p = vfma(p, s, vsplat(-8.60467152213735e-11))
  p = vfma(p, s, vsplat(5.12229709037114e-08))
  p = vfma(p, s, vsplat(1.48572235717979e-05))
  p = vfma(p, s, vsplat(6.37261928875436e-04))
  p = vfma(p, s, vsplat(4.89352455891786e-03))
  var q = vsplat(1.19825839466702e-06)
  q = vfma(q, s, vsplat(1.18534705686654e-04))
  q = vfma(q, s, vsplat(2.26843463243900e-03))
  q = vfma(q, s, vsplat(4.89352518554385e-03))
  return t * p / q
}

/// Applies one of the three to an array: what the tests measure. `which`: 0 exp, 1 sigmoid, 2 tanh.
/// `count` is a multiple of 16.
public func transcendental(
  which: Int, count: Int, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    let v = vload(x + i)
    vstore(y + i, which == 0 ? exp(v) : which == 1 ? sigmoid(v) : tanh(v))
    i += lanes
  }
}
