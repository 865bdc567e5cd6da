import Testing

@testable import Sequences

@Suite struct SeriesReaderTests {
  /// Two columns of a wave of eight values, the second a thousand times as large and rising.
  static func table(_ rows: Int = 400) throws -> SeriesTable {
    let table = SeriesTable(names: ["a", "b"])
    (table.start, table.step) = (SeriesTime(clamping: 1_467_331_200), .seconds(3600))
    for row in 0..<rows {
      try table.appendRow()
      let wave = [0, 0.7, 1, 0.7, 0, -0.7, -1, -0.7][row % 8] + Double(row * 7919 % 13 - 6) * 0.02
      table[row, 0] = wave
      table[row, 1] = 5000 + 1000 * wave + Double(row) * 10
    }
    return table
  }

  static func encoding(_ table: SeriesTable) throws -> SeriesEncoding {
    try SeriesFit.encoding(table, rows: table.rows, season: nil, context: nil)
  }

  @Test func theSeasonIsFound() throws {
    let encoding = try Self.encoding(try Self.table())
    #expect(encoding.season == 8 && encoding.context == 32 && encoding.lags == 4)
    // Noise has none.
    let noise = SeriesTable(names: ["x"])
    var state: UInt64 = 3
    for row in 0..<500 {
      try noise.appendRow()
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      noise[row, 0] = Double(state >> 40) / 1e6
    }
    #expect(try Self.encoding(noise).season == 1)
    // A column that never changes is one too.
    let still = SeriesTable(names: ["x"])
    for row in 0..<50 {
      try still.appendRow()
      still[row, 0] = 7
    }
    let encodingOfStill = try Self.encoding(still)
    let reader = try encodingOfStill.makeReader()
    reader.begin(SeriesFacts(column: 1, origin: 7))
    for _ in 0..<20 {
      let token = reader.token(of: 7)
      #expect(reader.value(of: token) == 7)
      reader.advance(token)
    }
  }

  /// Tokens give values back to within half a step of the scale there, whatever was lost before.
  @Test(arguments: [0, 1]) func valuesComeBack(column: Int) throws {
    let table = try Self.table()
    let encoding = try Self.encoding(table)
    let reader = try encoding.makeReader()
    reader.begin(SeriesFacts(column: Int32(column + 1), origin: table[0, column]))
    for row in 0..<table.rows {
      let value = table[row, column]
      let token = reader.token(of: value)
      let again = reader.value(of: token)
      let scale = encoding.columns[column].scale
      let expected = reader.value(of: encoding.token(ofBin: SeriesScale.count / 2))
      #expect(abs(again - value) < 0.04 * (scale + abs(value - expected)))
      reader.advance(token)
      #expect(abs(reader.value(back: 1) - again) < 1e-3 * scale)
    }
    #expect(reader.value(of: SeriesEncoding.gap).isNaN)
    #expect(reader.token(of: .nan) == SeriesEncoding.gap)
  }

  /// What is expected by the season leaves little.
  @Test func whatIsExpectedIsNear() throws {
    let encoding = try Self.encoding(try Self.table())
    for column in encoding.columns {
      #expect(column.scale < 0.5 * column.spread && column.seasonal > 0.9)
    }
  }

  @Test func sidesTellColumnTimeAndSeason() throws {
    let table = try Self.table()
    let encoding = try Self.encoding(table)
    let names = encoding.ownSideInputs.map(\.name)
    #expect(
      names == [
        "column", "last", "hour", "weekday", "season_1", "season_2", "season_3", "season_4",
      ])
    let reader = try encoding.makeReader()
    reader.begin(SeriesFacts(column: 2, time: table.time(0), origin: table[0, 1]))
    var values = [Int32](repeating: -1, count: names.count)
    reader.advance(encoding.startToken, into: &values)
    // 2016-07-01 00:00 was a Friday; nothing is known of values before.
    #expect(values[0] == 2 && values[1] == 0 && values[2] == 1 && values[3] == 5)
    #expect(values[4...].allSatisfy { $0 == 0 })
    for row in 0..<26 { reader.advance(reader.token(of: table[row, 1]), into: &values) }
    #expect(values[2] == 3 && values[3] == 6)
    #expect(values[4...6].allSatisfy { $0 > 0 } && values[7] == 0)
    for (value, side) in zip(values, encoding.ownSideInputs) { #expect(value < side.count) }
    // What is hidden is not told.
    var facts = SideFacts()
    facts.series = SeriesFacts(column: 2, time: table.time(0))
    facts.hidden = 0b101
    reader.begin(facts)
    reader.advance(encoding.startToken, into: &values)
    #expect(values[0] == 0 && values[2] == 0 && values[3] == 5)
  }

  @Test func aSavedStateGoesOnAsItWas() throws {
    let table = try Self.table()
    let encoding = try Self.encoding(table)
    for length in [0, 1, 20, 32, 33, 200] {
      let (reader, other) = (try encoding.makeReader(), try encoding.makeReader())
      reader.begin(SeriesFacts(column: 1, time: table.time(0), origin: 0.25))
      for row in 0..<length {
        reader.advance(reader.token(of: row % 9 == 4 ? .nan : table[row, 0]))
      }
      var bytes = [UInt8](repeating: 0xAA, count: reader.stateSize)
      bytes.withUnsafeMutableBytes { reader.save(to: $0.baseAddress!) }
      #expect(bytes.withUnsafeBytes { other.restore(from: $0.baseAddress!) })
      var (a, b) = ([Int32](repeating: 0, count: 8), [Int32](repeating: 0, count: 8))
      for row in length..<length + 50 {
        let token = reader.token(of: table[row, 0])
        #expect(other.token(of: table[row, 0]) == token)
        reader.advance(token, into: &a)
        other.advance(token, into: &b)
        #expect(a == b)
      }
      bytes[0] = 9  // there are two columns
      #expect(!bytes.withUnsafeBytes { other.restore(from: $0.baseAddress!) })
    }
  }

  @Test func modelFilesKeepIt() throws {
    let encoding = try Self.encoding(try Self.table())
    let again = try #require(
      try Encodings.make(name: "series", properties: encoding.properties).series)
    #expect(again.columns == encoding.columns && again.season == encoding.season)
    #expect(again.context == encoding.context && again.step == encoding.step)
    #expect(again.calendar == encoding.calendar)
    #expect(again.range == encoding.range)
    for (name, value) in [
      ("columns", ""), ("columns", "1 2 3 x"), ("columns", "0 0 1 1 1 x"),
      ("columns", "0 1 2 1 1 x"), ("season", "0"),
      ("season", "x"), ("context", "1"), ("context", "99999"), ("step", "1h"), ("range", "nan"),
      ("calendar", "day"),
    ] {
      var properties = encoding.properties
      properties[name] = .short(value)
      #expect(throws: EncodingError.self) {
        try Encodings.make(name: "series", properties: properties)
      }
    }
  }

  /// Long forecasts of what a predictor expects do not run away.
  @Test func expectationsStayBounded() throws {
    for seed in 1...40 {
      let table = SeriesTable(names: ["x"])
      var state = UInt64(seed)
      var (value, slope) = (0.0, 0.0)
      for row in 0..<(30 + 7 * seed) {
        try table.appendRow()
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let noise = Double(state >> 40) / Double(1 << 24) - 0.5
        slope += noise * Double(seed % 5)
        value += slope + noise
        table[row, 0] = seed % 3 == 0 ? noise : value
      }
      let encoding = try SeriesFit.encoding(
        table, rows: table.rows, season: 1 + seed % 13, context: nil)
      let reader = try encoding.makeReader()
      reader.begin(SeriesFacts(column: 1, origin: table[0, 0]))
      for row in 0..<table.rows { reader.advance(reader.token(of: table[row, 0])) }
      let middle = encoding.token(ofBin: SeriesScale.count / 2)
      let size = (0..<table.rows).map { abs(table[$0, 0] - table[0, 0]) }.max()! + 1
      for _ in 0..<2000 { reader.advance(middle) }
      #expect(abs(reader.value(back: 1) - table[0, 0]) < 20 * size)
    }
  }
}
