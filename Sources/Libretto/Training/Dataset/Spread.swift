/// Chooses which of several texts are for validation: spread evenly, and together about a share of all their
/// bytes.
struct Spread {
  private let fraction: Double
  // Held is the text at which what is owed is nearest to its size, as where errors are diffused.
  private var owed = 0.0

  init(_ fraction: Double) { self.fraction = fraction }

  /// Whether the next text, of so many bytes, is for validation.
  mutating func takes(_ size: Int) -> Bool {
    owed += fraction * Double(size)
    guard fraction > 0, owed >= Double(size) / 2 else { return false }
    owed -= Double(size)
    return true
  }
}
