import Libretto
import Sequences

/// CSV files of numbers.
enum SeriesInput {
  static let endings = [".csv", ".tsv"]
  static let columnsHelp = "Learn these columns of CSV files, with commas between their names."

  /// Whether files are to be read as numbers: since the encoding says so, or nothing else does and the first is CSV.
  ///
  /// - `asText`: whether something was asked for that only text can give.
  static func isMeant(_ paths: [String], _ encoding: String?, asText: Bool) -> Bool {
    if let encoding { return encoding == SeriesEncoding.name }
    guard let first = paths.first, !asText else { return false }
    return FileKind.hasEnding(first, of: endings) && !FolderWalk.isFolder(first)
  }

  /// Options of a training run that are for numbers alone.
  static func given(_ train: Train) -> [String] {
    [
      ("--columns", train.columns != nil), ("--season", train.sizes.season != nil),
      ("--context", train.sizes.context != nil),
    ].filter(\.1).map(\.0)
  }

  /// nil for all columns.
  static func names(_ list: String?) -> [String]? {
    list.map { $0.split(separator: ",").map { String($0.trimmingSpaces) } }
  }

  static func read(_ path: String, columns: [String]? = nil) throws -> SeriesTable {
    if FolderWalk.isFolder(path) {
      throw Failure("\(path) is a folder; expected a CSV file", code: 2)
    }
    let source = try Streams.file(path)
    return try orFail { () throws(LibrettoError) in
      let table = try readSeries(path: source)
      return try columns.map { (names) throws(LibrettoError) in
        try table.choosing(names, name: Streams.name(path))
      } ?? table
    }
  }

  /// The columns of a file that a model knows; what it does not is said.
  static func read(_ path: String, for model: Model, columns: [String]? = nil) throws
    -> SeriesColumns
  {
    let table = try read(path, columns: columns)
    let found = try orFail { () throws(LibrettoError) in
      try SeriesColumns(table, model, name: Streams.name(path))
    }
    if !found.unknown.isEmpty {
      let names = found.unknown.prefix(5).joined(separator: ", ")
      printError(
        "libretto: the model has no column \(names)\(found.unknown.count > 5 ? " and \(found.unknown.count - 5) more" : ""); left out"
      )
    }
    return found
  }

  /// A number with about seven digits that tell it from others.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return "" }
    let size = abs(value)
    if size >= 1e15 || size > 0 && size < 1e-6 { return "\(Float(value))" }
    var decimals = 6
    var limit = 1.0
    while decimals > 0 && size >= limit {
      decimals -= 1
      limit *= 10
    }
    return trimmed(value, size < 1e-3 ? 10 : decimals)
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    var text = self
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}

/// The time of a row, or its number from 1 on where there are no times.
func rowName(_ table: SeriesTable, _ row: Int) -> String {
  table.time(row).map { $0.text(dayOnly: table.isDaily) } ?? "\(row + 1)"
}

extension SeriesTable {
  /// Whether its times are days alone.
  var isDaily: Bool {
    guard let start, let step else { return false }
    if case .seconds(let count) = step, count % 86_400 != 0 { return false }
    return start.text(dayOnly: true).count == 10
  }
}
