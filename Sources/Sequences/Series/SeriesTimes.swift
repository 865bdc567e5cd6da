import Memory

/// The time of a row, and the line it came from.
struct RowTime: BitwiseCopyable {
  let line: Int
  let time: SeriesTime
}

/// Finds the time between the rows of a table, and puts each in its place.
enum SeriesTimes {
  /// Rows that a file may lack for each that it has, and beside these.
  private static let mostMissing = (each: 20, more: 1000)

  static func place(_ table: SeriesTable, _ times: GrowableBuffer<RowTime>)
    throws
  {
    table.start = times.elements.first?.time
    guard times.count > 1 else { return }
    for i in 1..<times.count where times[i].time <= times[i - 1].time {
      let (before, here) = (times[i - 1].time, times[i].time)
      throw SeriesFileError.invalid(
        "line \(times[i].line): the time \(here.text(dayOnly: false)) is \(here == before ? "that of the line before" : "before that of the line before"); expected rising times"
      )
    }
    let step = try step(times)
    table.step = step
    let places = try GrowableBuffer<Int>(capacity: times.count)
    let first = times[0].time
    for row in times.elements {
      guard let place = place(of: row.time, from: first, step) else {
        throw SeriesFileError.invalid(
          "line \(row.line): the time \(row.time.text(dayOnly: false)) is not a whole number of steps (\(step.text)) after the first; expected regular times"
        )
      }
      places.appendReserved(place)
    }
    let missing = places[places.count - 1] + 1 - places.count
    guard missing <= mostMissing.each * places.count + mostMissing.more else {
      throw SeriesFileError.invalid(
        "\(missing) of \(missing + places.count) times are missing at steps of \(step.text); expected regular times"
      )
    }
    try table.spread(places)
  }

  /// The most frequent of short distances between two rows: the median, in months where all are whole ones.
  private static func step(_ times: GrowableBuffer<RowTime>) throws(OutOfMemory) -> TimeStep {
    let first = times[0].time.months
    let areMonths = times.elements.allSatisfy {
      let months = $0.time.months
      return months.day == first.day && months.second == first.second
    }
    let distances = try GrowableBuffer<Int64>(capacity: times.count - 1)
    for i in 1..<times.count {
      distances.appendReserved(
        areMonths
          ? times[i].time.months.count - times[i - 1].time.months.count
          : times[i].time.seconds - times[i - 1].time.seconds)
    }
    try distances.sort { $0 < $1 }
    let median = distances[(distances.count - 1) / 2]
    return areMonths ? .months(median) : .seconds(median)
  }

  private static func place(of time: SeriesTime, from first: SeriesTime, _ step: TimeStep) -> Int? {
    let (distance, count) =
      switch step {
      case .seconds(let count): (time.seconds - first.seconds, count)
      case .months(let count): (time.months.count - first.months.count, count)
      }
    return distance % count == 0 ? Int(distance / count) : nil
  }
}
