import Memory
import Platform

/// Fits an encoding to columns of numbers.
public enum SeriesFit {
  /// Values of a column that are looked at, from its end.
  private static let mostValues = 20_000
  /// Columns whose season is looked for.
  private static let mostColumns = 16
  /// The least autocorrelation of a season, and in standard deviations of that of noise.
  private static let leastCorrelation = (share: 0.15, deviations: 6.0)
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
      let fitted = try allocating { () throws(OutOfMemory) in
        try fit(table, column, end, context, season)
      }
      columns.append(fitted.column)
      farthest = max(farthest, fitted.farthest)
      guard fitted.column.isFinite, fitted.farthest.isFinite else {
        throw .invalid(
          "the values of the column \"\(table.names[column])\" are too large to be squared; divide them by a constant"
        )
      }
    }
    return try SeriesEncoding(
      columns: columns, season: season, context: context, step: table.step,
      calendar: SeriesCalendar(table.step, rows: end), range: max(4, min(64, 1.25 * farthest)))
  }

  /// A column, and how far its values are from what is expected at most, in units of its scale.
  private static func fit(
    _ table: SeriesTable, _ column: Int, _ end: Int, _ context: Int, _ season: Int
  ) throws(OutOfMemory) -> (column: SeriesColumn, farthest: Double) {
    var all = Moments()
    for row in 0..<end where table[row, column].isFinite { all.add(table[row, column]) }
    // Counted from the mean, so that sums of large numbers do not lose what is small; gaps have the value before.
    let values = try GrowableBuffer<Double>(repeating: 0, count: end)
    let means = try GrowableBuffer<Double>(repeating: 0, count: end)
    var sum = 0.0
    var before = (0..<end).lazy.map { table[$0, column] }.first { $0.isFinite } ?? 0
    for row in 0..<end {
      if table[row, column].isFinite { before = table[row, column] }
      values[row] = before - all.mean
      means[row] = row == 0 ? 0 : sum / Double(min(row, context))
      sum += values[row]
      if row >= context { sum -= values[row - context] }
    }
    let hasSeason = season > 1 && season <= context && season < end
    let seasonal = hasSeason ? share(values, means, season) : 0
    var (spread, scale) = (Moments(), Moments())
    var farthest = 0.0
    for row in 1..<max(1, end) where table[row, column].isFinite {
      let distance = values[row] - means[row]
      spread.add(distance)
      let again = row >= season ? seasonal * (values[row - season] - means[row]) : 0
      scale.add(distance - again)
      farthest = max(farthest, abs(distance - again))
    }
    let unit = scale.rootMeanSquare
    return (
      SeriesColumn(
        name: table.names[column], mean: all.mean, deviation: all.deviation, seasonal: seasonal,
        spread: spread.rootMeanSquare, scale: unit),
      unit > 0 ? farthest / unit : 0
    )
  }

  /// What share of the distance from the mean is there again a season later, by least squares; from 0 to 1, so that no
  /// forecast swings up.
  private static func share(
    _ values: GrowableBuffer<Double>, _ means: GrowableBuffer<Double>, _ season: Int
  ) -> Double {
    var (products, squares) = (0.0, 0.0)
    for row in season..<values.count {
      let before = values[row - season] - means[row]
      products += before * (values[row] - means[row])
      squares += before * before
    }
    let share = products / squares
    return share.isFinite ? max(0, min(1, share)) : 0
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
        sums[lag] += sum / square
      }
    }
    guard columns > 0, longest >= 3 else { return 1 }
    func isPeak(_ lag: Int) -> Bool {
      sums[lag] >= sums[lag - 1] && (lag == longest || sums[lag] >= sums[lag + 1])
    }
    var best = 0.0
    for lag in 3...longest where isPeak(lag) { best = max(best, sums[lag]) }
    let least = max(
      leastCorrelation.share, leastCorrelation.deviations / Double(count).squareRoot())
    guard best / Double(columns) >= least else { return 1 }
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
