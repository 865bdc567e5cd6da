import Platform

/// How far a value is from what is usual at its place, as one of 127 tokens: fine near 0, coarse far from it.
///
/// Token K, counted from the middle, stands for `softness * sinh(K * step)`, in units in which the values that the
/// encoding was fitted to have a standard deviation of 1.
public struct SeriesScale: Sendable {
  /// Tokens each side of the middle.
  static let half = 63
  public static let count = 2 * half + 1
  private static let softness = 1.0

  /// What each token stands for, and where it ends towards the next.
  private let centers: InlineArray<127, Float>
  private let ends: InlineArray<126, Float>

  /// - `range`: what the outermost tokens stand for.
  init(range: Double) {
    let step = asinh(max(range, 1) / Self.softness) / Double(Self.half)
    func value(_ place: Double) -> Float {
      Float(Self.softness * sinh((place - Double(Self.half)) * step))
    }
    centers = InlineArray { value(Double($0)) }
    ends = InlineArray { value(Double($0) + 0.5) }
  }

  func value(_ bin: Int) -> Float { centers[bin] }

  /// The token nearest to a distance; the outermost for what is beyond.
  func bin(_ distance: Float) -> Int {
    var (low, high) = (0, Self.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if distance > ends[middle] { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
