import Memory

/// Numbers at regular times: columns that are read each on its own, by one model.
///
/// A piece is `START` and a token for each value: how far it is from the mean of the values before it and the share of
/// the season before that is expected again, or `GAP`. So a model knows shapes, not levels, and goes on where the level was
/// never seen. Side inputs tell the last value and those of the same place of the seasons before, the column,
/// the hour, the weekday and the month. `SeriesReader` works them out.
public final class SeriesEncoding: Encoding {
  public static let name = "series"
  public static let kind = EncodingKind.series
  static let start: Int32 = 0
  static let gap: Int32 = 1
  static let firstBin: Int32 = 2
  /// The most columns.
  public static let mostColumns = 1000
  /// The longest season and context.
  public static let longest = 8192
  /// Seasons before whose values are told.
  static let mostLags = 4

  public let columns: [SeriesColumn]
  /// Values after which the series is like itself again, such as 24 for hours; 1 for none.
  public let season: Int
  /// Values that a forecast looks back at.
  public let context: Int
  /// The time between two values; nil if it is not known.
  public let step: TimeStep?
  /// What is told of the time of a value.
  public let calendar: SeriesCalendar
  /// The farthest distance from what is expected that has a token of its own.
  let range: Double
  /// That of tokens, and that of side inputs, which are distances from the mean.
  let scale: SeriesScale
  let spread = SeriesScale(range: 8)
  /// How many seasons before are told: those within the context.
  let lags: Int

  public init(
    columns: [SeriesColumn], season: Int, context: Int, step: TimeStep?,
    calendar: SeriesCalendar, range: Double
  ) throws(EncodingError) {
    guard (1...Self.mostColumns).contains(columns.count) else {
      throw .invalid("there are \(columns.count) columns; expected 1 to \(Self.mostColumns)")
    }
    guard (1...Self.longest).contains(season) else {
      throw .invalid("the season is \(season); expected 1 to \(Self.longest)")
    }
    guard (2...Self.longest).contains(context) else {
      throw .invalid("the context is \(context); expected 2 to \(Self.longest)")
    }
    guard range >= 1, range <= 1e6 else {
      throw .invalid("the range is \(range); expected 1 to 1e6")
    }
    self.columns = columns
    self.season = season
    self.context = context
    self.step = step
    self.calendar = step == nil ? [] : calendar
    self.range = range
    scale = SeriesScale(range: range)
    lags = season == 1 ? 0 : min(Self.mostLags, context / season)
  }

  /// For a registry: one that is not fitted yet.
  convenience init(settings: EncodingSettings) throws(EncodingError) {
    try self.init(
      columns: [SeriesColumn(name: "value")], season: 1, context: 32, step: nil,
      calendar: [], range: 8)
  }

  public var series: SeriesEncoding? { self }
  public var orderedTokens: Range<Int> { valueTokens }
  public var vocabularySize: Int { Int(Self.firstBin) + SeriesScale.count }
  public var startToken: Int32 { Self.start }
  public var endToken: Int32? { nil }

  // MARK: - Side inputs

  public var ownSideInputs: [SideInput] {
    var inputs = [
      SideInput(name: "column", count: columns.count + 1),
      SideInput(name: "last", count: SeriesScale.count + 1, mayHide: false, isOrdered: true),
    ]
    inputs += calendar.sideInputs
    for lag in 0..<lags {
      inputs.append(
        SideInput(
          name: "season_\(lag + 1)", count: SeriesScale.count + 1, mayHide: false,
          isOrdered: true))
    }
    return inputs
  }

  public func makeSideCursor() throws(OutOfMemory) -> (any SideCursor)? { try makeReader() }
  public func makeReader() throws(OutOfMemory) -> SeriesReader { try SeriesReader(self) }

  /// Whether a token stands for a value.
  public func isValue(_ token: Int32) -> Bool { token >= Self.firstBin }
  public func token(ofBin bin: Int) -> Int32 { Self.firstBin + Int32(bin) }
  /// The tokens that do, one for each bin of the scale.
  public var valueTokens: Range<Int> { Int(Self.firstBin)..<vocabularySize }

  public func makeGrammar() -> any Grammar { SeriesGrammar() }

  /// The number of the column of this name, from 1 on; nil if there is none.
  public func column(named name: String) -> Int32? {
    columns.firstIndex { $0.name == name }.map { Int32($0 + 1) }
  }

  // MARK: - Model files

  public var properties: [String: EncodingProperty] {
    var properties: [String: EncodingProperty] = [
      "columns": .short(columns.map(\.line).joined(separator: "\n")),
      "season": .short(String(season)), "context": .short(String(context)),
      "range": .short(String(range)),
    ]
    if let step { properties["step"] = .short(step.text) }
    if !calendar.isEmpty { properties["calendar"] = .short(calendar.text) }
    return properties
  }

  convenience init(properties: [String: EncodingProperty]) throws(EncodingError) {
    func number<Number: LosslessStringConvertible>(_ name: String) throws(EncodingError) -> Number {
      guard let number = properties[name]?.string.flatMap({ Number($0) }) else {
        throw .invalid(
          "the encoding \"series\" needs encoding.\(name), which is missing or not a number")
      }
      return number
    }
    let text = properties["columns"]?.text ?? ""
    var columns: [SeriesColumn] = []
    for line in text.utf8.split(separator: UInt8(ascii: "\n"), maxSplits: Self.mostColumns) {
      guard let column = SeriesColumn(line: line) else {
        throw .invalid("encoding.columns is damaged in line \(columns.count + 1)")
      }
      columns.append(column)
    }
    let stepText = properties["step"]?.string
    let step = stepText.flatMap { TimeStep(text: $0) }
    guard stepText == nil || step != nil else {
      throw .invalid(
        "encoding.step is \"\(stepText ?? "")\"; expected seconds or months such as 3600s or 1mo")
    }
    let calendarText = properties["calendar"]?.string ?? ""
    guard let calendar = SeriesCalendar(text: calendarText) else {
      throw .invalid(
        "encoding.calendar is \"\(calendarText)\"; expected some of hour, weekday and month")
    }
    try self.init(
      columns: columns, season: try number("season"), context: try number("context"), step: step,
      calendar: calendar, range: try number("range"))
  }
}

/// Values alone are drawn, neither gaps nor starts.
private final class SeriesGrammar: Grammar {
  func reset() {}
  func advance(_ token: Int32) {}
  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    logits[Int(SeriesEncoding.start)] = -.infinity
    logits[Int(SeriesEncoding.gap)] = -.infinity
  }
  var isComplete: Bool { true }
  static var stateSize: Int { 0 }
  func save(to bytes: UnsafeMutableRawPointer) {}
  func restore(from bytes: UnsafeRawPointer) -> Bool { true }
}
