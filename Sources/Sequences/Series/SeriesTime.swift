/// A date and a time of day, without a time zone: seconds since the beginning of 1970 in the calendar of
/// ISO 8601.
public struct SeriesTime: Equatable, Comparable, BitwiseCopyable, Sendable {
  public let seconds: Int64

  /// The years 1 to 9999.
  static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

  /// nil if it is not of the years 1 to 9999.
  public init?(seconds: Int64) {
    guard Self.range.contains(seconds) else { return nil }
    self.seconds = seconds
  }

  public init(clamping seconds: Int64) {
    self.seconds = max(Self.range.lowerBound, min(Self.range.upperBound, seconds))
  }

  public static func < (a: SeriesTime, b: SeriesTime) -> Bool { a.seconds < b.seconds }

  /// - `month`, `day`: from 1 on. nil if there is no such date.
  init?(year: Int64, month: Int64, day: Int64, secondOfDay: Int64 = 0) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1,
      day <= Self.days(in: month, of: year), (0...86_400).contains(secondOfDay)
    else { return nil }
    self.init(clamping: Self.days(year, month, day) * 86_400 + secondOfDay)
  }

  private var day: Int64 { (seconds - secondOfDay) / 86_400 }
  var secondOfDay: Int64 { (seconds % 86_400 + 86_400) % 86_400 }
  /// 0 to 23.
  var hour: Int { Int(secondOfDay / 3600) }
  /// 0 to 6 from Monday on.
  var weekday: Int { Int(((day + 3) % 7 + 7) % 7) }
  /// 1 to 12.
  var month: Int { Int(date.month) }

  /// Days from 1970 on of a date in the Gregorian calendar, counted in eras of 400 years that begin in March.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  var date: (year: Int64, month: Int64, day: Int64) {
    let days = day + 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1
    )
  }

  private static func days(in month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// The same day of another month, or the last one of it.
  func adding(months: Int64) -> SeriesTime {
    let (year, month, day) = date
    let (count, overflow) = (year * 12 + month - 1).addingReportingOverflow(months)
    guard !overflow, (12..<120_000).contains(count) else { return self }
    let (newYear, newMonth) = (count / 12, count % 12 + 1)
    return SeriesTime(
      year: newYear, month: newMonth, day: min(day, Self.days(in: newMonth, of: newYear)),
      secondOfDay: secondOfDay) ?? self
  }

  /// Months since the year 0, and what is left of the month: two times with the same rest are whole months apart.
  var months: (count: Int64, day: Int64, second: Int64) {
    let (year, month, day) = date
    return (year * 12 + month - 1, day, secondOfDay)
  }

  /// `2016-07-01 13:00:00`, without the time of day where that is 0 and `dayOnly`.
  public func text(dayOnly: Bool) -> String {
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (year, month, day) = date
    let years = String(year)
    var text =
      "\(String(repeating: "0", count: max(0, 4 - years.count)))\(years)-\(two(month))-\(two(day))"
    if !dayOnly || secondOfDay != 0 {
      text +=
        " \(two(secondOfDay / 3600)):\(two(secondOfDay / 60 % 60)):\(two(secondOfDay % 60))"
    }
    return text
  }

  /// Reads `2016-07`, `2016-07-01`, `2016/07/01` and these followed by a space or a T and `13:00`, `13:00:30` or
  /// `13:00:30.5`, then nothing, Z or a distance from UTC such as +02:00, which is left out: the calendar is that of the
  /// place. nil for anything else.
  public init?(_ text: UnsafeRawBufferPointer) {
    var place = 0
    func byte() -> UInt8? { place < text.count ? text[place] : nil }
    func number(_ digits: ClosedRange<Int>) -> Int64? {
      var value: Int64 = 0
      var count = 0
      while let next = byte(), next >= 0x30, next <= 0x39, count < digits.upperBound {
        value = value * 10 + Int64(next - 0x30)
        count += 1
        place += 1
      }
      return count >= digits.lowerBound ? value : nil
    }
    func take(_ character: Character) -> Bool {
      guard byte() == character.asciiValue else { return false }
      place += 1
      return true
    }
    guard let year = number(4...4) else { return nil }
    let slashed = take("/")
    guard slashed || take("-"), let month = number(1...2) else { return nil }
    var day: Int64 = 1
    if take(slashed ? "/" : "-") {
      guard let found = number(1...2) else { return nil }
      day = found
    }
    var second: Int64 = 0
    if take(" ") || take("T") {
      guard let hour = number(1...2), hour < 24, take(":"), let minute = number(2...2), minute < 60
      else { return nil }
      second = hour * 3600 + minute * 60
      if take(":") {
        guard let seconds = number(2...2), seconds < 61 else { return nil }
        second += seconds
        if take("."), number(1...9) == nil { return nil }
      }
      if !take("Z"), take("+") || take("-") {
        guard number(2...2) != nil else { return nil }
        _ = take(":")
        _ = number(2...2)
      }
    }
    guard place == text.count else { return nil }
    self.init(year: year, month: month, day: day, secondOfDay: second)
  }
}
