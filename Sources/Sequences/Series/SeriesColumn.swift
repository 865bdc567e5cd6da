/// A column of numbers that a model knows.
public struct SeriesColumn: Equatable, Sendable {
  public let name: String
  /// The mean and the standard deviation of what was learned from.
  public let mean, deviation: Double
  /// What share of the distance from the mean of the last values is there again a season later; 0 without a season.
  let seasonal: Double
  /// The root mean square of the distances of its values from the mean of those before them, and from that mean and the
  /// share of the season before.
  let spread, scale: Double

  /// - `deviation`, `spread`, `scale`: 1 is taken where they are 0, as they are of a column that never changes.
  init(
    name: String, mean: Double = 0, deviation: Double = 1, seasonal: Double = 0,
    spread: Double = 1, scale: Double = 1
  ) {
    self.name = name
    self.mean = mean
    self.deviation = deviation > 0 ? deviation : 1
    self.spread = spread > 0 ? spread : 1
    self.scale = scale > 0 ? scale : 1
    self.seasonal = seasonal
  }

  var isFinite: Bool { [mean, deviation, seasonal, spread, scale].allSatisfy { $0.isFinite } }

  /// As a model file keeps it: the numbers and the name, between them spaces.
  var line: String { "\(mean) \(deviation) \(seasonal) \(spread) \(scale) \(name)" }

  init?(line: Substring.UTF8View) {
    let parts = line.split(
      separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
    let numbers = parts.prefix(5).compactMap { Double($0) }
    guard parts.count == 6, numbers.count == 5, numbers.allSatisfy({ $0.isFinite }),
      numbers[1] > 0, (0...1).contains(numbers[2]), numbers[3] > 0, numbers[4] > 0
    else { return nil }
    self.init(
      name: parts[5], mean: numbers[0], deviation: numbers[1], seasonal: numbers[2],
      spread: numbers[3], scale: numbers[4])
  }
}

/// What is known of a series before its first value.
public struct SeriesFacts: BitwiseCopyable, Equatable, Sendable {
  /// Which column it is, from 1 on; 0 is not told.
  public var column: Int32 = 0
  /// The time of its first value; nil is not told.
  public var time: SeriesTime?
  /// The value that all others are counted from; nil for the mean of the column.
  public var origin: Double?

  public init(column: Int32 = 0, time: SeriesTime? = nil, origin: Double? = nil) {
    self.column = column
    self.time = time
    self.origin = origin
  }
}
