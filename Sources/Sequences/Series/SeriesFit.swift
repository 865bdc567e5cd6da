import Memory
import Platform

/// Fits an encoding to columns of numbers.
public enum SeriesFit {
  /// Values of a column that are looked at, from its end.
  private static let mostValues = 20_000
  /// Columns whose season is looked for.
  private static let mostColumns = 16
  /// A place of the season explains at least so much of what is left without the trend.
  private static let leastCorrelation = 0.15
  /// The longest context where nobody names one.
  private static let usualContext = 32...512

  /// - `season`, `context`: if they were named.
  /// - `end`: rows that are learned from.
  public static func encoding(_ table: SeriesTable, rows end: Int, season: Int?, context: Int?)
    throws(EncodingError) -> SeriesEncoding
  {
    var found = 1
    if season == nil {
      found = try allocating { () throws(OutOfMemory) in try self.season(table, end) }
    }
    let season = season ?? found
    let context =
      context
      ?? max(usualContext.lowerBound, min(usualContext.upperBound, 4 * min(season, 1 << 20)))
    var columns: [SeriesColumn] = []
    var farthest = 0.0
    for column in 0..<table.columns {
      let fitted = try fit(table, column, end, context)
      columns.append(fitted.column)
      farthest = max(farthest, fitted.farthest)
    }
    return try SeriesEncoding(
      columns: columns, season: season, context: context, step: table.step,
      range: max(4, min(64, 1.25 * farthest)))
  }

  /// Its mean, deviation and scale, and how far its values are from the mean of those before them at most, in units of the
  /// scale.
  private static func fit(_ table: SeriesTable, _ column: Int, _ end: Int, _ context: Int)
    throws(EncodingError) -> (column: SeriesColumn, farthest: Double)
  {
    var all = Moments()
    for row in 0..<end where table[row, column].isFinite { all.add(table[row, column]) }
    let last = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<Double>(repeating: 0, count: context)
    }
    var (count, sum) = (0, 0.0)
    var distances = Moments()
    var farthest = 0.0
    for row in 0..<end where table[row, column].isFinite {
      // Counted from the mean, so that sums of large numbers do not lose what is small.
      let value = table[row, column] - all.mean
      // The first ones are not typical: their means are of few values.
      if count >= min(context, end / 4) {
        let distance = value - sum / Double(min(count, context))
        distances.add(distance)
        farthest = max(farthest, abs(distance))
      }
      if count >= context { sum -= last[count % context] }
      sum += value
      last[count % context] = value
      count += 1
    }
    let scale = distances.rootMeanSquare
    return (
      SeriesColumn(
        name: table.names[column], mean: all.mean, deviation: all.deviation, scale: scale),
      scale > 0 ? farthest / scale : 0
    )
  }

  /// The number of values after which columns are most like themselves again, without their trend; 1 if there is none.
  private static func season(_ table: SeriesTable, _ end: Int) throws(OutOfMemory) -> Int {
    let start = max(0, end - mostValues)
    let count = end - start
    let longest = min(count / 3, 2000)
    guard longest >= 2 else { return 1 }
    let sums = try GrowableBuffer<Double>(repeating: 0, count: longest + 1)
    let values = try GrowableBuffer<Double>(repeating: 0, count: count)
    var columns = 0
    for column in 0..<min(table.columns, mostColumns) {
      guard try detrend(table, column, start, into: values) else { continue }
      columns += 1
      var square = 0.0
      for value in values.elements { square += value * value }
      for lag in 2...longest {
        var sum = 0.0
        for i in lag..<count { sum += values[i] * values[i - lag] }
        // As if all places had a partner: long lags have fewer.
        sums[lag] += sum / square * Double(count) / Double(count - lag)
      }
    }
    guard columns > 0, longest >= 3 else { return 1 }
    func isPeak(_ lag: Int) -> Bool {
      sums[lag] >= sums[lag - 1] && (lag == longest || sums[lag] >= sums[lag + 1])
    }
    var best = 0.0
    for lag in 3...longest where isPeak(lag) { best = max(best, sums[lag]) }
    guard best / Double(columns) >= leastCorrelation else { return 1 }
    // Of a season and its multiples the shortest.
    return (3...longest).first { isPeak($0) && sums[$0] >= 0.85 * best } ?? 1
  }

  /// The differences of values that follow each other, which have no trend and keep the season, with 0 for gaps; false if
  /// all are the same.
  private static func detrend(
    _ table: SeriesTable, _ column: Int, _ start: Int, into values: GrowableBuffer<Double>
  ) throws(OutOfMemory) -> Bool {
    var moments = Moments()
    for i in 0..<values.count {
      let (before, here) =
        i == 0 ? (Double.nan, Double.nan) : (table[start + i - 1, column], table[start + i, column])
      values[i] = here - before
      if values[i].isFinite { moments.add(values[i]) }
    }
    for i in 0..<values.count { values[i] = values[i].isFinite ? values[i] - moments.mean : 0 }
    return moments.deviation > 0
  }
}

/// Mean and deviation of numbers as they come (Welford 1962).
struct Moments {
  private(set) var count = 0.0
  private(set) var mean = 0.0
  private var squares = 0.0

  mutating func add(_ value: Double) {
    count += 1
    let distance = value - mean
    mean += distance / count
    squares += distance * (value - mean)
  }

  var deviation: Double { count > 0 ? (squares / count).squareRoot() : 0 }
  var rootMeanSquare: Double {
    count > 0 ? (squares / count + mean * mean).squareRoot() : 0
  }
}
