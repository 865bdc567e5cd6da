import Memory
import Sequences

/// The columns of a table that a model of numbers knows, each as one stretch of values.
public final class SeriesColumns {
  public let table: SeriesTable
  public let encoding: SeriesEncoding
  /// The place in the table of each column, and its number in the encoding, 0 for one that it does not have: only where
  /// table and model have one column each, of whatever names.
  public let columns: [(place: Int, number: Int32)]
  /// Names of the table that the model does not have.
  public let unknown: [String]
  private let values: GrowableBuffer<Double>

  /// - `name`: what errors call the table.
  public init(_ table: SeriesTable, _ model: Model, name: String) throws(LibrettoError) {
    let encoding = try model.seriesEncoding()
    self.encoding = encoding
    self.table = table
    guard table.rows > 0 else {
      throw LibrettoError(.empty, "\(name) has no rows of numbers")
    }
    if let step = table.step, let own = encoding.step, step != own {
      throw LibrettoError(
        .corpus,
        "the times of \(name) are \(step.text) apart; expected \(own.text), as the model learned")
    }
    var columns: [(place: Int, number: Int32)] = []
    var unknown: [String] = []
    for (place, name) in table.names.enumerated() {
      if let number = encoding.column(named: name) {
        columns.append((place, number))
      } else {
        unknown.append(name)
      }
    }
    if columns.isEmpty && table.columns == 1 && encoding.columns.count == 1 {
      (columns, unknown) = ([(0, 1)], [])
    }
    guard !columns.isEmpty else {
      throw LibrettoError(
        .corpus,
        "\(name) has the columns \(shown(table.names)), none of which the model has; it has \(shown(encoding.columns.map(\.name)))"
      )
    }
    (self.columns, self.unknown) = (columns, unknown)
    values = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer(capacity: columns.count * table.rows)
    }
    for column in columns {
      for row in 0..<table.rows { values.appendReserved(table[row, column.place]) }
    }
  }

  /// The values of one of `columns`, for as long as this lives.
  public func values(_ column: Int) -> UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(rebasing: values.elements[column * table.rows..<(column + 1) * table.rows])
  }

  /// What a model is told of some rows before it reads them.
  func facts(_ column: Int, _ rows: Range<Int>) -> SeriesFacts {
    SeriesFacts(
      column: columns[column].number, time: table.time(rows.lowerBound),
      origin: values(column)[rows].first { $0.isFinite })
  }

  /// A forecast of what follows some rows.
  public func request(_ column: Int, _ rows: Range<Int>, seed: UInt64) -> Forecaster.Request {
    Forecaster.Request(
      facts: facts(column, rows), values: values(column).baseAddress! + rows.lowerBound,
      count: rows.count, seed: seed)
  }
}
