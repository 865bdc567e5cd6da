/// A time signature the grid encodings have a token for.
struct Metre: Equatable, Sendable {
  let numerator: Int
  let denominator: Int

  /// In the order of their tokens, which model files rely on: add at the end only.
  static let all: [Metre] = [
    Metre(4, 4), Metre(3, 4), Metre(2, 4), Metre(6, 8), Metre(2, 2), Metre(9, 8), Metre(12, 8),
    Metre(3, 8), Metre(3, 2), Metre(5, 4), Metre(7, 8), Metre(6, 4), Metre(5, 8), Metre(7, 4),
    Metre(1, 4), Metre(4, 8),
  ]

  private init(_ numerator: Int, _ denominator: Int) {
    self.numerator = numerator
    self.denominator = denominator
  }

  /// The longest bar, in quarter notes.
  static let longestBar = 8

  /// Steps of a bar, or nil if it is no whole number of them.
  func steps(perQuarter: Int) -> Int? {
    let (steps, rest) = (numerator * 4 * perQuarter).quotientAndRemainder(dividingBy: denominator)
    return rest == 0 ? steps : nil
  }

  /// The token's number for a time signature; nil where there is none on this grid.
  static func index(numerator: Int, denominator: Int, perQuarter: Int) -> Int? {
    all.firstIndex {
      $0.numerator == numerator && $0.denominator == denominator
        && $0.steps(perQuarter: perQuarter) != nil
    }
  }
}
