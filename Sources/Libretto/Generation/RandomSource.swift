/// A random generator whose whole state is four words: xoshiro256** (Blackman & Vigna 2018), seeded
/// by SplitMix64. The same seed gives the same numbers on every machine.
struct RandomSource: Equatable {
  private(set) var words: (UInt64, UInt64, UInt64, UInt64)

  init(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
    words = (next(), next(), next(), next())
  }

  /// nil for the one state the generator cannot leave.
  init?(words: (UInt64, UInt64, UInt64, UInt64)) {
    guard words != (0, 0, 0, 0) else { return nil }
    self.words = words
  }

  static func == (a: RandomSource, b: RandomSource) -> Bool { a.words == b.words }

  mutating func next() -> UInt64 {
    func rotate(_ x: UInt64, _ k: UInt64) -> UInt64 { x << k | x >> (64 - k) }
    let result = rotate(words.1 &* 5, 7) &* 9
    let t = words.1 << 17
    words.2 ^= words.0
    words.3 ^= words.1
    words.1 ^= words.2
    words.0 ^= words.3
    words.2 ^= t
    words.3 = rotate(words.3, 45)
    return result
  }

  /// Uniform in [0, 1), 24 bits.
  mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }
}
