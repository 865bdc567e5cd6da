/// Random numbers that are the same in every run.
public struct Numbers {
  private var state: UInt64

  public init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  private mutating func bits() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return ((state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD) >> 32
  }

  /// Uniform in -1 to 1, times `scale`.
  public mutating func floats(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in (Float(bits()) * 0x1p-31 - 1) * scale }
  }

  public mutating func tokens(_ count: Int, below limit: Int) -> [Int32] {
    (0..<count).map { _ in Int32(bits() % UInt64(limit)) }
  }
}
