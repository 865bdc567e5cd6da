/// What a model is told of the time of a value.
public struct SeriesCalendar: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The hour of the day, the day of the week, the month of the year.
  static let hour = SeriesCalendar(rawValue: 1)
  static let weekday = SeriesCalendar(rawValue: 2)
  static let month = SeriesCalendar(rawValue: 4)

  private static let all: [(part: SeriesCalendar, name: String, input: SideInput)] = [
    (.hour, "hour", SideInput(name: "hour", count: 25)),
    (.weekday, "weekday", SideInput(name: "weekday", count: 8)),
    (.month, "month", SideInput(name: "month", count: 13)),
  ]

  /// What changes from step to step and came round twice at least in so many rows: what was seen once only tells one
  /// time from another.
  init(_ step: TimeStep?, rows: Int) {
    self = []
    guard let step else { return }
    let day = 86_400.0
    let year = 365.25 * day
    let seconds =
      switch step {
      case .seconds(let count): Double(count)
      case .months(let count): Double(count) * year / 12
      }
    for (part, cycle) in [(Self.hour, day), (Self.weekday, 7 * day), (Self.month, year)]
    where seconds < cycle && seconds * Double(rows) >= 2 * cycle { insert(part) }
  }

  var sideInputs: [SideInput] { Self.all.filter { contains($0.part) }.map(\.input) }

  /// As a model file keeps it.
  var text: String {
    Self.all.filter { contains($0.part) }.map(\.name).joined(separator: " ")
  }

  init?(text: String) {
    self = []
    for word in text.split(separator: " ") {
      guard let known = Self.all.first(where: { $0.name == word }) else { return nil }
      insert(known.part)
    }
  }
}
