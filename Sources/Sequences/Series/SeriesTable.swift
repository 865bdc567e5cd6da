import Memory

/// Columns of numbers at regular times. NaN is a gap.
public final class SeriesTable {
  public private(set) var names: [String]
  public var columns: Int { names.count }
  public private(set) var rows = 0
  /// The time of the first row, if there are times.
  public var start: SeriesTime?
  /// The time between two rows, if there are times and more than one row.
  public var step: TimeStep?
  /// Row after row.
  private let values = GrowableBuffer<Double>()

  public init(names: [String]) { self.names = names }

  /// - `column`: from 0 on.
  @inline(__always)
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// Appends a row of gaps.
  public func appendRow() throws(OutOfMemory) {
    try values.reserve(columns)
    for _ in 0..<columns { values.appendReserved(.nan) }
    rows += 1
  }

  /// The time of a row; nil if there are no times.
  public func time(_ row: Int) -> SeriesTime? {
    guard let start else { return nil }
    guard let step else { return row == 0 ? start : nil }
    return step.time(row, after: start)
  }

  /// Whether a column holds a number at all.
  public func holdsNumbers(_ column: Int) -> Bool {
    (0..<rows).contains { self[$0, column].isFinite }
  }

  /// The same table with some of its columns.
  ///
  /// - `chosen`: from 0 on.
  public func choosing(_ chosen: [Int]) throws(OutOfMemory) -> SeriesTable {
    let table = SeriesTable(names: chosen.map { names[$0] })
    (table.start, table.step) = (start, step)
    try table.values.reserve(rows * chosen.count)
    for row in 0..<rows {
      for column in chosen { table.values.appendReserved(self[row, column]) }
    }
    table.rows = rows
    return table
  }

  /// Puts each row in its place: rows that are missing between two times become gaps.
  ///
  /// - `places`: of each row, rising, from 0 on.
  func spread(_ places: GrowableBuffer<Int>) throws(OutOfMemory) {
    guard let last = places.elements.last, last + 1 > rows else { return }
    try values.reserve((last + 1 - rows) * columns)
    for _ in 0..<(last + 1 - rows) * columns { values.appendReserved(.nan) }
    let before = rows
    rows = last + 1
    // From the end, where the free room is.
    for row in (0..<before).reversed() where places[row] != row {
      for column in 0..<columns {
        self[places[row], column] = self[row, column]
        self[row, column] = .nan
      }
    }
  }
}
