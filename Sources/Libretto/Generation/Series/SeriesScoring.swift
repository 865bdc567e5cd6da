import Memory
import Platform
import Sequences

/// How a value compares with what a model expected at its place.
public struct SeriesScore: Sendable {
  /// The row of the table, from 0 on, and which of the columns.
  public let row, column: Int
  public let value: Double
  /// The probability of a value at least as far out on its side, times two: 1 is the median, near 0 is an anomaly.
  public let tail: Double
  /// The natural log-probability of its token.
  public let logProbability: Double
  /// What was expected: the median, and what nine of ten values lie between.
  public let low, median, high: Double
}

extension Model {
  /// Scores all values of columns but the first of each, in order of their columns. Each is predicted from one to two
  /// contexts before it, or from all where there are fewer.
  public func score(
    _ columns: SeriesColumns, each: (SeriesScore) throws(LibrettoError) -> Void
  ) throws(LibrettoError) {
    let encoding = columns.encoding
    let rows = columns.table.rows
    let parts = (rows + encoding.context - 1) / encoding.context
    let width = 64
    let batch = try SeriesBatch(self, rows: min(width, parts))
    let scores = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<Score>(repeating: Score(), count: min(width, parts) * encoding.context)
    }
    for column in 0..<columns.columns.count {
      let values = columns.values(column)
      for first in stride(from: 0, to: parts, by: width) {
        let count = min(width, parts - first)
        for i in 0..<count {
          batch.begin(i, columns.facts(column, range(first + i, rows, encoding.context)))
        }
        for step in 0..<2 * encoding.context {
          batch.step(count, wantsProbabilities: true)
          for i in 0..<count {
            let range = range(first + i, rows, encoding.context)
            guard step < range.count else { continue }
            let row = range.lowerBound + step
            let token = batch.reader(i).token(of: values[row])
            if row >= (first + i) * encoding.context && encoding.isValue(token) {
              scores[i * encoding.context + row % encoding.context] = Score(batch, i, token)
            }
            batch.read(token, i)
          }
        }
        for i in 0..<count * encoding.context {
          let row = first * encoding.context + i
          guard row > 0, row < rows, values[row].isFinite else { continue }
          let score = scores[i]
          try each(
            SeriesScore(
              row: row, column: column, value: values[row], tail: score.tail,
              logProbability: score.logProbability, low: score.low, median: score.median,
              high: score.high))
        }
      }
    }
  }

  /// The rows that are read for a part: those of the one before it too.
  private func range(_ part: Int, _ rows: Int, _ context: Int) -> Range<Int> {
    max(0, (part - 1) * context)..<min(rows, (part + 1) * context)
  }
}

private struct Score: BitwiseCopyable {
  var tail = 1.0
  var logProbability = 0.0
  var low = 0.0
  var median = 0.0
  var high = 0.0

  init() {}

  init(_ batch: SeriesBatch, _ row: Int, _ token: Int32) {
    let probabilities = batch.probabilities(row)
    let encoding = batch.encoding
    let bin = Int(token) - encoding.valueTokens.lowerBound
    var below = Double(probabilities[bin]) / 2
    for i in 0..<bin { below += Double(probabilities[i]) }
    tail = 2 * max(0, min(below, 1 - below))
    logProbability = log(Double(probabilities[bin]))
    func value(_ share: Float) -> Double {
      batch.reader(row).value(of: encoding.token(ofBin: batch.bin(row, at: share)))
    }
    (low, median, high) = (value(0.05), value(0.5), value(0.95))
  }
}
