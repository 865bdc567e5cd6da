import Memory
import Sequences

/// Tables of numbers, as they are added, and the windows of them that a model learns from.
final class SeriesMaterial {
  private let training = ObjectList<SeriesTable>()
  private let validation = ObjectList<SeriesTable>()
  /// The files, in the order they came, for a checkpoint to name.
  private(set) var files = FileList()

  /// The largest value, whose square is still a number.
  private static let largest = 1e100
  /// Windows that each value is in, where there are few; of very few values so many that there are about `fewTokens`.
  private static let overlap = 24
  private static let fewTokens = 20_000
  /// Tokens of all windows, beyond which they overlap less.
  private static let mostTokens = 1 << 21

  /// - `path`: of a file it was read from.
  func add(_ table: SeriesTable, path: String?, name: String, validation isValidation: Bool)
    throws(LibrettoError)
  {
    var table = table
    if let fixed { table = try table.choosing(fixed.columns.map(\.name), name: name) }
    try check(table, name)
    try allocating { () throws(OutOfMemory) in
      try (isValidation ? validation : training).append(table)
    }
    if let path { try files.add(MaterialFile(path: path, validation: isValidation, kind: nil)) }
  }

  /// The columns of a model to start from, which tables may have more than.
  private let fixed: SeriesEncoding?

  /// - `fixed`: the encoding of the weights to start from.
  init(_ fixed: SeriesEncoding?) { self.fixed = fixed }

  private func check(_ table: SeriesTable, _ name: String) throws(LibrettoError) {
    guard table.rows >= 2 else {
      throw LibrettoError(.empty, "\(name) has \(table.rows) row of numbers; expected 2 or more")
    }
    if let empty = (0..<table.columns).first(where: { !table.holdsNumbers($0) }) {
      throw LibrettoError(
        .empty, "\(name): the column \"\(table.names[empty])\" holds no number; leave it out")
    }
    for row in 0..<table.rows {
      for column in 0..<table.columns where abs(table[row, column]) > Self.largest {
        throw LibrettoError(
          .corpus,
          "\(name): the value \(table[row, column]) of the column \"\(table.names[column])\" is too large; expected at most \(Self.largest)"
        )
      }
    }
    guard let first = training.first ?? validation.first else { return }
    guard fixed != nil || table.names == first.names else {
      throw LibrettoError(
        .corpus,
        "\(name) has the columns \(shown(table.names)); expected \(shown(first.names)), as in what was added before"
      )
    }
    guard table.step == first.step || table.step == nil || first.step == nil else {
      throw LibrettoError(
        .corpus,
        "the times of \(name) are \(table.step?.text ?? "") apart; expected \(first.step?.text ?? ""), as in what was added before"
      )
    }
  }

  // MARK: - Windows

  /// - `fraction`: how much of the end of each table is for validation, if nothing else is.
  func corpus(_ options: TrainingOptions, fraction: Double)
    throws(LibrettoError) -> Corpus
  {
    guard let first = training.first else {
      throw LibrettoError(
        .corpus, "there is nothing to learn from; add numbers for training, not validation alone")
    }
    // The end of each table is kept for validation unless there is a table for it.
    func end(_ table: SeriesTable) -> Int {
      validation.count > 0 ? table.rows : table.rows - Int(Double(table.rows) * fraction)
    }
    // The longest table tells most of all.
    let longest = training.reduce(first) { $1.rows > $0.rows ? $1 : $0 }
    let encoding =
      if let fixed { fixed } else { try fit(longest, rows: max(2, end(longest)), options) }
    let windows = Windows(encoding)
    let columns = encoding.columns
    var values = 0
    for i in 0..<training.count { values += end(training[i]) * columns.count }
    let overlap = max(
      Self.fewTokens / max(values, 1), 1, min(Self.overlap, Self.mostTokens / max(values, 1)))
    let train = try Part()
    let valid = try Part()
    for i in 0..<training.count {
      let table = training[i]
      try windows.cut(table, rows: 0..<end(table), overlap: overlap, into: train)
      try windows.cut(table, rows: end(table)..<table.rows, overlap: 1, into: valid)
    }
    for i in 0..<validation.count {
      try windows.cut(validation[i], rows: 0..<validation[i].rows, overlap: 1, into: valid)
    }
    return Corpus(
      encoding: encoding, training: train.part, validation: valid.part, tokensPerCharacter: 0)
  }

  private func fit(_ table: SeriesTable, rows: Int, _ options: TrainingOptions)
    throws(LibrettoError) -> SeriesEncoding
  {
    do throws(EncodingError) {
      return try SeriesFit.encoding(
        table, rows: rows, season: options.season, context: options.context)
    } catch { throw LibrettoError(error) }
  }

  /// Tokens of windows, and where these lie.
  private final class Part {
    let tokens: TokenStore
    let pieces = PieceList()
    /// What is to be predicted: values, not gaps.
    let targets = GrowableBuffer<Int32>()
    var distinct = 0

    init() throws(LibrettoError) { tokens = try TokenStore(capacity: 0) }

    var part: Corpus.Part {
      Corpus.Part(tokens: tokens, pieces: pieces, targets: targets, distinct: distinct)
    }
  }

  /// Cuts tables into windows: a context and as much again, each a piece.
  private struct Windows {
    let encoding: SeriesEncoding

    init(_ encoding: SeriesEncoding) { self.encoding = encoding }

    /// - `overlap`: windows that each value is in.
    func cut(_ table: SeriesTable, rows: Range<Int>, overlap: Int, into part: Part)
      throws(LibrettoError)
    {
      guard rows.count >= 2 else { return }
      let reader = try allocating { () throws(OutOfMemory) in try encoding.makeReader() }
      // Of few rows shorter ones, so that there are several.
      let length = min(2 * encoding.context, max(rows.count * 2 / 3, 2))
      // Not a multiple of the season: windows begin at all places of it.
      var stride = max(1, length / overlap)
      if encoding.season > 1 && stride > 1 && stride % encoding.season == 0 { stride -= 1 }
      part.distinct += rows.count * table.columns
      for column in 0..<table.columns {
        var start = rows.lowerBound
        while true {
          try append(table, column, start..<start + length, reader, to: part)
          if start + length == rows.upperBound { break }
          start = min(start + stride, rows.upperBound - length)
        }
      }
    }

    private func append(
      _ table: SeriesTable, _ column: Int, _ rows: Range<Int>, _ reader: SeriesReader,
      to part: Part
    ) throws(LibrettoError) {
      guard let origin = rows.lazy.map({ table[$0, column] }).first(where: { $0.isFinite }) else {
        return
      }
      let facts = SeriesFacts(
        column: Int32(column + 1), time: table.time(rows.lowerBound), origin: origin)
      reader.begin(facts)
      let start = part.tokens.count
      try part.tokens.reserve(rows.count + 1)
      try allocating { () throws(OutOfMemory) in try part.targets.reserve(rows.count + 1) }
      part.tokens.append(encoding.startToken)
      for row in rows {
        let token = reader.token(of: table[row, column])
        reader.advance(token)
        part.tokens.append(token)
        part.targets.appendReserved(encoding.isValue(token) ? token : -1)
      }
      part.targets.appendReserved(-1)
      try part.pieces.append(start..<part.tokens.count, series: facts)
    }
  }
}

/// Names for people, the first ones of many.
func shown(_ names: [String]) -> String {
  let first = names.prefix(8).map { "\"\(printable($0))\"" }.joined(separator: ", ")
  return names.count > 8 ? "\(first) and \(names.count - 8) more" : first
}
