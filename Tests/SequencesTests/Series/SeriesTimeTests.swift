import Testing

@testable import Sequences

@Suite struct SeriesTimeTests {
  private func time(_ text: String) -> SeriesTime? {
    Array(text.utf8).withUnsafeBytes { SeriesTime($0) }
  }

  @Test(arguments: [
    ("1970-01-01", 0), ("1969-12-31T23:59:59", -1), ("2000-03-01", 951_868_800),
    ("2016-07-01 13:00:00", 1_467_378_000), ("2016/07/01 13:00", 1_467_378_000),
    ("2016-07-01T13:00:00.250Z", 1_467_378_000), ("2016-07-01T13:00:00+02:00", 1_467_378_000),
    ("1960-02", -312_940_800), ("2024-02-29", 1_709_164_800),
  ])
  func timesAreRead(text: String, seconds: Int) throws {
    #expect(try #require(time(text)).seconds == Int64(seconds))
  }

  @Test(arguments: [
    "", "2016", "2016-13-01", "2016-00-01", "2016-02-30", "2023-02-29", "2016-07-01 24:00", "12:00",
    "2016-07-01x", "16-07-01", "2016-07-01 13", "2016-07-01 13:60", "2016-07/01", "a-b-c",
  ])
  func whatIsNoTimeIsNone(text: String) { #expect(time(text) == nil) }

  /// Every day of a thousand years goes to its date and back, and the weekdays follow each other.
  @Test func datesAreThoseOfTheCalendar() {
    var before = SeriesTime(clamping: -400 * 365 * 86_400)
    for day in 1...365_250 {
      let next = SeriesTime(clamping: before.seconds + 86_400)
      let (year, month, number) = next.date
      #expect(SeriesTime(year: year, month: month, day: number) == next, "day \(day)")
      #expect(next.weekday == (before.weekday + 1) % 7)
      #expect(number == 1 || number == before.date.day + 1)
      before = next
    }
    #expect(SeriesTime(clamping: 1_795_737_600).weekday == 4)  // 2026-11-27, a Friday
  }

  @Test func monthsAreAddedByTheCalendar() throws {
    let start = try #require(time("2023-10-31"))
    let step = TimeStep.months(1)
    #expect(step.time(1, after: start).text(dayOnly: true) == "2023-11-30")
    #expect(step.time(4, after: start).text(dayOnly: true) == "2024-02-29")
    #expect(step.time(-10, after: start).text(dayOnly: true) == "2022-12-31")
    #expect(
      TimeStep.seconds(3600).time(25, after: start).text(dayOnly: false) == "2023-11-01 01:00:00")
    // What is beyond all calendars stays in them.
    #expect(SeriesTime(clamping: .max).text(dayOnly: true) == "9999-12-31 23:59:59")
    #expect(TimeStep.seconds(1 << 40).time(.max, after: start).date.year <= 9999)
    #expect(TimeStep(text: "3600s") == .seconds(3600) && TimeStep(text: "3mo") == .months(3))
    for text in ["", "s", "0s", "-1s", "1h", "1mox", "99999999999999999999s"] {
      #expect(TimeStep(text: text) == nil)
    }
  }
}
