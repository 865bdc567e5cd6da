import Memory

/// Why a file of numbers cannot be read.
public enum SeriesFileError: Error {
  /// What is wrong, after the name of the file: "line 3, column "load": ...".
  case invalid(String)
  case outOfMemory(OutOfMemory)
}

/// Reads CSV (RFC 4180) of numbers: fields between commas, semicolons or tabs, with or without a line of names, with or
/// without a first column of times. Empty fields, NA, NaN and null are gaps. Where fields are between semicolons a
/// comma may be the decimal point.
public struct SeriesFile {
  /// The file as a table.
  public static func read(_ bytes: UnsafeRawBufferPointer) throws(SeriesFileError) -> SeriesTable {
    var file: SeriesFile
    do throws(OutOfMemory) { file = try SeriesFile(bytes) } catch { throw .outOfMemory(error) }
    return try file.table()
  }

  private let bytes: UnsafeRawBufferPointer
  private let separator: UInt8
  private var place = 0
  /// The number of the present line, from 1 on, and of the next one.
  private var line = 0
  private var nextLine = 1
  /// The first fields of the present line, and how many there are.
  private let fields: GrowableBuffer<Field>
  private var count = 0

  private struct Field: BitwiseCopyable {
    let start, end: Int
  }

  /// One for the times besides the columns.
  private static let mostFields = SeriesEncoding.mostColumns + 1

  private init(_ bytes: UnsafeRawBufferPointer) throws(OutOfMemory) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    let first = bytes[place...].prefix { $0 != Self.newline && $0 != Self.carriageReturn }
    separator =
      [Self.semicolon, Self.tab].first { first.contains($0) } ?? UInt8(ascii: ",")
    fields = try GrowableBuffer(capacity: Self.mostFields)
  }

  private static let newline: UInt8 = 10
  private static let carriageReturn: UInt8 = 13
  private static let tab: UInt8 = 9
  private static let semicolon = UInt8(ascii: ";")
  private static let quote = UInt8(ascii: "\"")

  // MARK: - Lines and fields

  /// Reads the fields of the next line that is not empty; false at the end.
  private mutating func readLine() throws(SeriesFileError) -> Bool {
    repeat {
      guard place < bytes.count else { return false }
      line = nextLine
      fields.truncate(to: 0)
      count = 0
      var goesOn = true
      while goesOn { goesOn = try readField() }
    } while count == 1 && fields[0].start == fields[0].end
    return true
  }

  /// Whether there is one more on the line.
  private mutating func readField() throws(SeriesFileError) -> Bool {
    while place < bytes.count && bytes[place] == UInt8(ascii: " ") { place += 1 }
    var field = place..<place
    if place < bytes.count && bytes[place] == Self.quote {
      let start = place + 1
      place = start
      while place < bytes.count {
        if bytes[place] == Self.newline { nextLine += 1 }
        if bytes[place] == Self.quote {
          // Two of them are one that belongs to the text.
          guard place + 1 < bytes.count && bytes[place + 1] == Self.quote else { break }
          place += 1
        }
        place += 1
      }
      guard place < bytes.count else {
        throw .invalid("line \(line): a quote is opened and not closed")
      }
      field = start..<place
      place += 1
      while place < bytes.count && bytes[place] == UInt8(ascii: " ") { place += 1 }
      guard place == bytes.count || isEnd(bytes[place]) else {
        throw .invalid(
          "line \(line): there is text after a closing quote; expected a separator or the end of the line"
        )
      }
    } else {
      let start = place
      while place < bytes.count && !isEnd(bytes[place]) { place += 1 }
      var end = place
      while end > start && bytes[end - 1] == UInt8(ascii: " ") { end -= 1 }
      field = start..<end
    }
    if fields.count < Self.mostFields {
      fields.appendReserved(Field(start: field.lowerBound, end: field.upperBound))
    }
    count += 1
    guard place < bytes.count else { return false }
    let end = bytes[place]
    place += 1
    if end == separator { return true }
    if end == Self.carriageReturn && place < bytes.count && bytes[place] == Self.newline {
      place += 1
    }
    nextLine += 1
    return false
  }

  private func isEnd(_ byte: UInt8) -> Bool {
    byte == separator || byte == Self.newline || byte == Self.carriageReturn
  }

  private func field(_ number: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[fields[number].start..<fields[number].end])
  }

  /// The text of a field for people and for names: cut where it is long, without control characters.
  private func text(_ number: Int) -> String {
    var text = ""
    for scalar in String(decoding: field(number).prefix(200), as: UTF8.self).unicodeScalars {
      text.unicodeScalars.append(scalar.value < 32 || scalar.value == 127 ? " " : scalar)
    }
    return text.split(separator: "\"\"").joined(separator: "\"")
  }

  private enum Value {
    case number(Double)
    case gap
    case other
  }

  private func value(_ number: Int) -> Value {
    let field = field(number)
    if field.isEmpty { return .gap }
    var text = ""
    var isNumber = field.count <= 400
    for byte in field.prefix(400) {
      switch byte {
      case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        break
      case UInt8(ascii: ",") where separator != UInt8(ascii: ","):
        text.append(".")
        continue
      default: isNumber = false
      }
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    if isNumber, let number = Double(text), number.isFinite { return .number(number) }
    let gaps = ["na", "nan", "null", "none", "-", "n/a", "?"]
    return gaps.contains(text.lowercased()) ? .gap : .other
  }

  // MARK: - The table

  private mutating func table() throws(SeriesFileError) -> SeriesTable {
    guard try readLine() else {
      throw .invalid("there is nothing in it; expected lines of numbers")
    }
    let width = count
    let firstLine = line
    let hasNames = (0..<fields.count).contains {
      if case .other = value($0) { SeriesTime(field($0)) == nil } else { false }
    }
    var names = (0..<fields.count).map { hasNames ? text($0) : "" }
    if hasNames {
      guard try readLine() else {
        throw .invalid("there is one line of names and none of numbers")
      }
      try checkWidth(width, firstLine)
    }
    let hasTimes = if case .other = value(0) { SeriesTime(field(0)) != nil } else { false }
    let hasNumbers = hasNames && !hasTimes && names[0].isEmpty && width > 1
    let first = hasTimes || hasNumbers ? 1 : 0
    guard width - first >= 1 else {
      throw .invalid("there are times and no numbers; expected a column of numbers beside them")
    }
    guard width - first <= SeriesEncoding.mostColumns else {
      throw .invalid(
        "there are \(width - first) columns of numbers; expected at most \(SeriesEncoding.mostColumns)"
      )
    }
    for i in names.indices where names[i].isEmpty { names[i] = "column \(i + 1 - first)" }
    names.removeFirst(first)
    try checkNames(names)
    let table = SeriesTable(names: names)
    let times = GrowableBuffer<RowTime>()
    do {
      repeat {
        try checkWidth(width, firstLine)
        try table.appendRow()
        if hasTimes { try times.append(RowTime(line: line, time: try time())) }
        if hasNumbers { try checkRowNumber(table.rows) }
        for column in 0..<table.columns {
          table[table.rows - 1, column] = try number(first + column, names[column])
        }
      } while try readLine()
      if hasTimes { try SeriesTimes.place(table, times) }
    } catch let error as SeriesFileError { throw error } catch let error as OutOfMemory {
      throw .outOfMemory(error)
    } catch { throw .invalid("it cannot be read") }
    return table
  }

  private func checkWidth(_ width: Int, _ firstLine: Int) throws(SeriesFileError) {
    guard count == width else {
      throw .invalid("line \(line): \(count) fields; expected \(width) as in line \(firstLine)")
    }
  }

  private func checkNames(_ names: [String]) throws(SeriesFileError) {
    var known = Set<String>()
    for name in names where !known.insert(name).inserted {
      throw .invalid("two columns are called \"\(name)\"; give each a name of its own")
    }
  }

  private func number(_ number: Int, _ name: String) throws(SeriesFileError) -> Double {
    switch value(number) {
    case .number(let value): return value
    case .gap: return .nan
    case .other:
      throw .invalid(
        "line \(line), column \"\(name)\": \"\(text(number))\" is not a number; expected a number, or nothing for a gap"
      )
    }
  }

  private func time() throws(SeriesFileError) -> SeriesTime {
    guard let time = SeriesTime(field(0)) else {
      throw .invalid(
        "line \(line): \"\(text(0))\" is not a time; expected one such as 2016-07-01 13:00:00")
    }
    return time
  }

  /// A first column without a name, as some programs write it, counts the rows.
  private func checkRowNumber(_ rows: Int) throws(SeriesFileError) {
    if case .number(let number) = value(0), number == Double(rows - 1) || number == Double(rows) {
      return
    }
    throw .invalid(
      "line \(line): the first column has no name, so it counts the rows from 0 or 1, and \"\(text(0))\" does not; give the column a name"
    )
  }
}
