/// A set of pitches, 0 to 127.
public struct PitchSet: BitwiseCopyable, Equatable, Sendable {
  var low: UInt64 = 0
  var high: UInt64 = 0

  public init() {}

  @inline(__always)
  public subscript(pitch: Int) -> Bool {
    get { pitch < 64 ? low >> UInt64(pitch) & 1 == 1 : high >> UInt64(pitch - 64) & 1 == 1 }
    set {
      if pitch < 64 {
        low = newValue ? low | 1 << UInt64(pitch) : low & ~(1 << UInt64(pitch))
      } else {
        high = newValue ? high | 1 << UInt64(pitch - 64) : high & ~(1 << UInt64(pitch - 64))
      }
    }
  }

  public var count: Int { low.nonzeroBitCount + high.nonzeroBitCount }
  public var isEmpty: Bool { low == 0 && high == 0 }

  /// The highest pitch in the set; -1 if there is none.
  var highest: Int {
    high != 0 ? 127 - high.leadingZeroBitCount : low != 0 ? 63 - low.leadingZeroBitCount : -1
  }
}

extension PitchSet {
  mutating func formUnion(_ other: PitchSet) {
    low |= other.low
    high |= other.high
  }

  mutating func subtract(_ other: PitchSet) {
    low &= ~other.low
    high &= ~other.high
  }

  mutating func formIntersection(_ other: PitchSet) {
    low &= other.low
    high &= other.high
  }

  /// The lowest pitch in the set; 128 if there is none.
  var lowest: Int {
    low != 0 ? low.trailingZeroBitCount : high != 0 ? 64 + high.trailingZeroBitCount : 128
  }

  /// Those below a pitch, from 0 to 128.
  func below(_ pitch: Int) -> PitchSet {
    var set = self
    if pitch <= 64 {
      set.high = 0
      set.low &= pitch == 64 ? .max : 1 << UInt64(pitch) - 1
    } else {
      set.high &= pitch == 128 ? .max : 1 << UInt64(pitch - 64) - 1
    }
    return set
  }
}

extension UnsafeMutableRawPointer {
  func setPitches(_ word: Int, _ set: PitchSet) {
    setWord(word, set.low)
    setWord(word + 1, set.high)
  }
}

extension UnsafeRawPointer {
  func pitches(_ first: Int) -> PitchSet {
    var set = PitchSet()
    (set.low, set.high) = (word(first), word(first + 1))
    return set
  }
}
