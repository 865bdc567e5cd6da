/// Major and minor keys as numbers: 1 to 12 for C major to B major, 13 to 24 for C minor to B minor; 0 for
/// none.
public enum MusicKey {
  /// The number of keys and of "none".
  public static let count = 25

  public static func number(tonic: Int, isMinor: Bool) -> Int32 {
    Int32(tonic % 12 + (isMinor ? 13 : 1))
  }

  /// The key whose scale these pitch classes are: a major scale, or a harmonic or melodic minor one or both
  /// sevenths of a minor; 0 if they are none. A natural minor scale is that of its relative major key, which
  /// it is taken for unless the minor key was `heard`. Allocates nothing.
  public static func ofScale(_ pitchClasses: UInt32, heard: Int32) -> Int32 {
    for tonic in 0..<12 {
      let steps = (pitchClasses >> UInt32(tonic) | pitchClasses << UInt32(12 - tonic)) & 0xFFF
      switch steps {
      case 0b1010_1011_0101:
        let relative = number(tonic: tonic + 9, isMinor: true)
        return heard == relative ? relative : number(tonic: tonic, isMinor: false)
      case 0b1001_1010_1101, 0b1010_1010_1101, 0b1101_1010_1101:
        return number(tonic: tonic, isMinor: true)
      default: continue
      }
    }
    return 0
  }

  /// The key so many semitones higher.
  public static func transposed(_ key: Int32, by semitones: Int) -> Int32 {
    guard key > 0, key < count else { return 0 }
    let mode = (key - 1) / 12 * 12
    let tonic = ((Int(key - 1) % 12 + semitones) % 12 + 12) % 12
    return mode + Int32(tonic) + 1
  }
}

/// How long each pitch class sounded, in any unit of time.
public struct PitchClassTimes: BitwiseCopyable, Equatable, Sendable {
  /// From C to B.
  public var times = InlineArray<12, Int64>(repeating: 0)

  public init() {}

  public static func == (a: PitchClassTimes, b: PitchClassTimes) -> Bool {
    (0..<12).allSatisfy { a.times[$0] == b.times[$0] }
  }

  @inline(__always)
  public mutating func add(pitch: Int, _ time: Int = 1) {
    times[pitch % 12] &+= Int64(time)
  }

  /// All pitch classes together.
  public var total: Int64 {
    var total: Int64 = 0
    for i in 0..<12 { total &+= times[i] }
    return total
  }

  /// The key whose profile correlates most with the times, as a `MusicKey`; 0 if fewer than three pitch
  /// classes sounded, or all of them for the same time. Allocates nothing.
  ///
  /// The method is that of Krumhansl and Kessler (1982), the profiles are those of Albrecht and Shanahan
  /// (2013), which find the key of a few bars more often.
  ///
  /// - `before`: the key that was found earlier; another one must fit a fifth better to take its place.
  public func key(before: Int32 = 0) -> Int32 {
    var sum = 0.0
    var classes = 0
    for i in 0..<12 {
      sum += Double(times[i])
      if times[i] > 0 { classes += 1 }
    }
    guard classes >= 3 else { return before }
    let mean = sum / 12
    // More than rounding can make of times that are all the same.
    var best: (key: Int32, fit: Double) = (before, 1e-9 * sum)
    for mode in 0..<2 {
      let profile = mode == 0 ? Self.major : Self.minor
      var center = 0.0
      for i in 0..<12 { center += profile[i] / 12 }
      var spread = 0.0
      for i in 0..<12 { spread += (profile[i] - center) * (profile[i] - center) }
      for tonic in 0..<12 {
        var fit = 0.0
        for i in 0..<12 { fit += (Double(times[(tonic + i) % 12]) - mean) * profile[i] }
        fit /= spread.squareRoot()
        let key = MusicKey.number(tonic: tonic, isMinor: mode == 1)
        if key == before { fit *= 1.2 }
        if fit > best.fit { best = (key, fit) }
      }
    }
    return best.key
  }

  // Not stored: what is stored would be made at the first use, under a lock.
  private static var major: InlineArray<12, Double> {
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
  }
  private static var minor: InlineArray<12, Double> {
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
  }
}
