/// A column of numbers that a model knows.
public struct SeriesColumn: Equatable, Sendable {
  public let name: String
  /// The mean and the standard deviation of what was learned from.
  public let mean, deviation: Double
  /// The standard deviation of the distance of its values from the mean of those before them: see `SeriesReader`.
  public let scale: Double

  /// - `deviation`, `scale`: 1 is taken where they are 0, as they are of a column that never changes.
  public init(name: String, mean: Double, deviation: Double, scale: Double) {
    self.name = name
    self.mean = mean
    self.deviation = deviation > 0 ? deviation : 1
    self.scale = scale > 0 ? scale : 1
  }

  /// As a model file keeps it: numbers and name, between them spaces.
  var line: String { "\(mean) \(deviation) \(scale) \(name)" }

  init?(line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let mean = Double(parts[0]), let deviation = Double(parts[1]),
      let scale = Double(parts[2]), mean.isFinite, deviation.isFinite, deviation > 0,
      scale.isFinite, scale > 0
    else { return nil }
    self.init(name: String(parts[3]), mean: mean, deviation: deviation, scale: scale)
  }
}

/// What is known of a series before its first value.
public struct SeriesFacts: BitwiseCopyable, Equatable, Sendable {
  /// Which column it is, from 1 on; 0 is not told.
  public var column: Int32 = 0
  /// The time of its first value; nil is not told.
  public var time: SeriesTime?
  /// The value that all others are counted from; NaN for the mean of the column.
  public var origin = Double.nan

  public init(column: Int32 = 0, time: SeriesTime? = nil, origin: Double = .nan) {
    self.column = column
    self.time = time
    self.origin = origin
  }
}
