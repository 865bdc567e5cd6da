import Memory
import Sequences

/// Compares forecasts with what came.
public struct ForecastErrors: Sendable {
  /// Values compared.
  public private(set) var count = 0
  private var squares = 0.0, distances = 0.0, losses = 0.0, sizes = 0.0

  /// The quantiles that `quantileLoss` is of.
  public static let quantiles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

  public init() {}

  /// - `truth`, `mean`: in units of the column's standard deviation in the training material, from its mean, as the
  ///   literature compares columns.
  /// - `quantile`: those of the forecast, likewise; nil if it is one value, `mean`.
  mutating func add(_ truth: Double, mean: Double, median: Double, quantile: ((Double) -> Double)?)
  {
    count += 1
    squares += (truth - mean) * (truth - mean)
    distances += abs(truth - median)
    sizes += abs(truth)
    var loss = 0.0
    for share in Self.quantiles {
      let distance = truth - (quantile?(share) ?? mean)
      loss += 2 * max(share * distance, (share - 1) * distance)
    }
    losses += loss / Double(Self.quantiles.count)
  }

  /// The mean squared error of the mean.
  public var meanSquaredError: Double { squares / Double(max(count, 1)) }
  /// The mean absolute error of the median.
  public var meanAbsoluteError: Double { distances / Double(max(count, 1)) }
  /// The mean over the quantiles of twice the pinball loss, over the mean size of the values.
  public var quantileLoss: Double { sizes > 0 ? losses / sizes : 0 }
}

extension Forecaster {
  /// How well the model forecasts columns, and how well the season before does: each value is what it was a season (or
  /// as many seasons as needed) before; without a season the last one.
  ///
  /// - `context`: values that each forecast looks back at. `every`: values from one forecast to the next.
  /// - `progress`: is called with the share that is done; gives whether to go on.
  public func test(
    _ columns: SeriesColumns, context: Int, horizon: Int, every: Int, seed: UInt64,
    progress: (Double) -> Bool = { _ in true }
  ) throws(LibrettoError) -> (forecasts: Int, model: ForecastErrors, naive: ForecastErrors) {
    guard context >= 1, every >= 1, horizon >= 1 else {
      throw LibrettoError(
        .argument,
        "the context is \(context), the horizon \(horizon) and the distance of two forecasts \(every); expected 1 or more of each"
      )
    }
    let rows = columns.table.rows
    guard rows >= context + horizon else {
      throw LibrettoError(
        .corpus,
        "there are \(rows) rows; expected \(context + horizon) or more: a context of \(context) and a horizon of \(horizon)"
      )
    }
    let windows = (rows - context - horizon) / every + 1
    let count = windows * columns.columns.count
    func place(_ i: Int) -> (column: Int, row: Int) {
      let (window, column) = i.quotientAndRemainder(dividingBy: columns.columns.count)
      return (column, context + window * every)
    }
    var (model, naive) = (ForecastErrors(), ForecastErrors())
    var goesOn = true
    var done = 0
    // Part by part, so that it can be stopped.
    let part = 4096
    while done < count && goesOn {
      let first = done
      try forecast(
        count: min(part, count - first), horizon: horizon,
        request: {
          let (column, row) = place(first + $0)
          return columns.request(column, row - context..<row, seed: seed &+ UInt64(first + $0))
        }
      ) { (i, futures) throws(LibrettoError) in
        let (column, row) = place(first + i)
        let facts = self.encoding.columns[Int(max(columns.columns[column].number, 1)) - 1]
        func scaled(_ value: Double) -> Double { (value - facts.mean) / facts.deviation }
        let values = columns.values(column)
        for step in 0..<horizon where values[row + step].isFinite {
          let truth = scaled(values[row + step])
          model.add(
            truth, mean: scaled(futures.means[step]), median: scaled(futures.quantile(step, 0.5))
          ) { scaled(futures.quantile(step, $0)) }
          if let before = self.before(values, row, step, context) {
            naive.add(truth, mean: scaled(before), median: scaled(before), quantile: nil)
          }
        }
      }
      done += min(part, count - done)
      goesOn = progress(Double(done) / Double(count))
    }
    return (done, model, naive)
  }

  /// The value of the last season at this place, or the last one there is.
  private func before(
    _ values: UnsafeBufferPointer<Double>, _ row: Int, _ step: Int, _ context: Int
  ) -> Double? {
    let season = encoding.season
    if season > 1 && season <= context {
      let place = row + step - season * (step / season + 1)
      if place >= 0 && values[place].isFinite { return values[place] }
    }
    return (row - context..<row).reversed().first { values[$0].isFinite }.map { values[$0] }
  }
}
