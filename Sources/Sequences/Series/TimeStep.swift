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
}
