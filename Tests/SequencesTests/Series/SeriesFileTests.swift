import Memory
import Testing

@testable import Sequences

@Suite struct SeriesFileTests {
  private func read(_ text: String) throws(SeriesFileError) -> SeriesTable {
    let bytes = GrowableBuffer<UInt8>()
    try! bytes.append(contentsOf: text.utf8)
    return try bytes.withElements { (bytes) throws(SeriesFileError) in
      try SeriesFile.read(UnsafeRawBufferPointer(bytes))
    }
  }

  private func rows(_ table: SeriesTable) -> [[Double]] {
    (0..<table.rows).map { row in (0..<table.columns).map { table[row, $0] } }
  }

  private func text(_ table: SeriesTable) -> String {
    rows(table).map { $0.map { $0.isNaN ? "-" : "\($0)" }.joined(separator: " ") }
      .joined(separator: "/")
  }

  @Test(arguments: [
    ("1,2\n3,4\n", "1.0 2.0/3.0 4.0"), ("a,b\n1,2\n3,4", "1.0 2.0/3.0 4.0"),
    ("a;b\r\n1,5;2\r\n\r\n3;4,25\r\n", "1.5 2.0/3.0 4.25"),
    ("a\tb\n1\t\n\t-4e2\n", "1.0 -/- -400.0"),
    ("\"a, b\",\"c\"\"d\"\n\"1\", 2 \nNA,NaN\n", "1.0 2.0/- -"), ("\u{FEFF}a\n1\n2\n", "1.0/2.0"),
    (",a\n0,5\n1,6\n", "5.0/6.0"), ("x\n\n1\n\n2\n\n", "1.0/2.0"), ("1\r2\r3", "1.0/2.0/3.0"),
  ])
  func tablesAreRead(file: String, expected: String) throws {
    #expect(text(try read(file)) == expected)
  }

  @Test func namesAndTimesAreKept() throws {
    let table = try read(
      "date,\"a, b\",\"c\"\"d\",\n2016-07-01 00:00,1,2,3\n2016-07-01 01:00,1,2,3\n")
    #expect(table.names == ["a, b", "c\"d", "column 3"])
    #expect(table.step == .seconds(3600))
    #expect(table.time(3)?.text(dayOnly: false) == "2016-07-01 03:00:00")
    let months = try read("2020-01,1\n2020-02,2\n2020-04,4\n")
    #expect(months.step == .months(1) && text(months) == "1.0/2.0/-/4.0")
    let days = try read("d,x\n2020-01-01,1\n2020-01-02,2\n2020-01-05,5\n2020-01-06,6\n")
    #expect(days.step == .seconds(86_400) && text(days) == "1.0/2.0/-/-/5.0/6.0")
  }

  @Test(arguments: [
    ("", "nothing"), ("a,b\n", "none of numbers"), ("a,b\n1,2\n3\n", "line 3: 1 field"),
    ("a,b\n1,2\n3,x\n", "line 3, column \"b\": \"x\""), ("a\n1\ninf\n", "line 3"),
    ("a\n1\n0x10\n", "line 3"), ("a,a\n1,2\n", "two columns"), ("t\n2020-01-01\n", "no numbers"),
    ("t,a\n2020-01-02,1\n2020-01-01,2\n", "line 3: the time"),
    ("t,a\n2020-01-01,1\n2020-01-01,2\n", "that of the line before"),
    ("t,a\n2020-01-01,1\n2020-01-02,2\nx,3\n", "line 4: \"x\" is not a time"),
    (
      "t,a\n2020-01-01,1\n2020-01-02,1\n2020-01-03,1\n2020-01-04 10:00,1\n", "whole number of steps"
    ),
    (
      "t,a\n2020-01-01 00:00:00,1\n2020-01-01 00:00:01,1\n2020-01-01 00:00:02,1\n2021-01-01,1\n",
      "times are missing"
    ),
    (",a\n0,1\n5,2\n", "counts the rows"), ("a\n\"1\n", "a quote is opened"),
    ("a,b\n\"1\"x,2\n", "closing quote"),
  ])
  func whatIsWrongIsSaid(file: String, expected: String) {
    do throws(SeriesFileError) {
      _ = try read(file)
      Issue.record("\(file) was read")
    } catch {
      guard case .invalid(let sentence) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(sentence.contains(expected))
    }
  }

  @Test func aMillionColumnsAreTooMany() {
    let line = String(repeating: "1,", count: 999_999) + "1\n"
    #expect {
      _ = try read(line + line)
    } throws: { error in
      guard case SeriesFileError.invalid(let sentence) = error else { return false }
      return sentence.contains("1000000 columns") && sentence.contains("1000")
    }
  }

  /// Whatever the bytes are, reading ends, with a table or a sentence.
  @Test func rubbishIsNoTable() {
    var state: UInt64 = 1
    func next(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let parts = [
      "1", ",", "\n", ";", "\t", "\"", "a", "2020-01-01", "NaN", "\r", " ", "-", "1e999", "\0", "é",
    ]
    for _ in 0..<3000 {
      let file = (0..<next(30)).map { _ in parts[next(parts.count)] }.joined()
      guard let table = try? read(file) else { continue }
      #expect(table.rows >= 1 && table.columns >= 1)
      #expect(rows(table).allSatisfy { $0.allSatisfy { $0.isNaN || $0.isFinite } })
    }
  }
}
