// Numbers in fewer bits, one at a time: for packing weights and for files.

/// A number rounded to bfloat16, to the nearest even. What is not a number stays so; what is finite stays
/// finite: numbers near the largest float become the largest bfloat16.
@inline(__always)
public func bfloat16(_ x: Float) -> UInt16 {
  let bits = x.bitPattern
  if x.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
  let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
  return rounded & 0x7FFF == 0x7F80 && x.isFinite ? rounded - 1 : rounded
}

/// What a row of weights is divided by to become whole numbers from -127 to 127. It has 17 significant
/// bits, so that any of these numbers times it is a float32 exactly, and a row that was rounded once
/// has the same scale and numbers again; none of these products is beyond the largest float. 1 for a row
/// of zeros.
public func int8Scale(_ row: UnsafePointer<Float>, count: Int, stride: Int) -> Float {
  var largest: Float = 0
  for i in 0..<count { largest = max(largest, row[i * stride].magnitude) }
  guard largest > 0, largest.isFinite else { return 1 }
  let scale = largest / 127
  let bits = scale.bitPattern &+ 0x3F &+ (scale.bitPattern >> 7 & 1)
  var rounded = Float(bitPattern: bits & ~0x7F)
  if !(127 * rounded).isFinite { rounded = Float(bitPattern: rounded.bitPattern - 0x80) }
  return rounded.isNormal ? rounded : Float.leastNormalMagnitude
}

/// The whole number nearest to `x / scale`, from -127 to 127.
@inline(__always)
public func int8(_ x: Float, scale: Float) -> Int8 {
  Int8(max(-127, min(127, (x / scale).rounded(.toNearestOrEven))))
}
