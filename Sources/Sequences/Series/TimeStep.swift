/// The time between two values of a series: seconds, or months, which have no fixed number of them.
public enum TimeStep: Equatable, Sendable {
  case seconds(Int64)
  case months(Int64)

  /// As a model file keeps it: `3600s`, `1mo`.
  public var text: String {
    switch self {
    case .seconds(let count): "\(count)s"
    case .months(let count): "\(count)mo"
    }
  }

  public init?(text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int64(digits), count > 0, count <= Self.most else { return nil }
    switch text.dropFirst(digits.count) {
    case "s": self = .seconds(count)
    case "mo": self = .months(count)
    default: return nil
    }
  }

  /// The most seconds or months: what is longer tells nothing of a calendar.
  public static let most: Int64 = 1 << 40

  /// The time so many steps after another.
  public func time(_ steps: Int, after start: SeriesTime) -> SeriesTime {
    let steps = Int64(max(-(1 << 40), min(1 << 40, steps)))
    switch self {
    case .seconds(let count):
      let (seconds, overflow) = steps.multipliedReportingOverflow(by: count)
      let (sum, tooMany) = start.seconds.addingReportingOverflow(seconds)
      return overflow || tooMany ? start : SeriesTime(clamping: sum)
    case .months(let count):
      let (months, overflow) = steps.multipliedReportingOverflow(by: count)
      return overflow ? start : start.adding(months: months)
    }
  }

  /// What of the calendar changes from step to step: the hour only where steps are shorter than a day, and so on.
  var tellsHour: Bool { isShorter(than: 86_400) }
  var tellsWeekday: Bool { isShorter(than: 7 * 86_400) }
  var tellsMonth: Bool {
    switch self {
    case .seconds(let count): count < 366 * 86_400
    case .months(let count): count < 12
    }
  }

  private func isShorter(than seconds: Int64) -> Bool {
    if case .seconds(let count) = self { count < seconds } else { false }
  }
}
