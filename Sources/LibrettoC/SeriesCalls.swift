import CLibretto
import Libretto
import Memory
import Platform
import Sequences

// Numbers: tables to learn from, and sessions that read and draw values.

/// A time from C; nil for `RETTO_NO_TIME`.
private func seriesTime(_ seconds: Int64) throws(LibrettoError) -> SeriesTime? {
  guard seconds != .min else { return nil }
  guard let time = SeriesTime(seconds: seconds) else {
    throw LibrettoError(
      .argument,
      "the time is \(seconds) seconds; expected one of the years 1 to 9999, or RETTO_NO_TIME")
  }
  return time
}

@c @implementation public func retto_model_column_name(_ model: OpaquePointer!, _ column: Int32)
  -> UnsafePointer<CChar>!
{
  guard let model else { return nil }
  return Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(model))._withUnsafeGuaranteedRef {
    guard column >= 1, column <= $0.columnNames.count else { return nil }
    return UnsafePointer($0.columnNames[Int(column) - 1])
  }
}

@c @implementation public func retto_model_find_column(
  _ model: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ column: UnsafeMutablePointer<Int32>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let column = try require(column, "the pointer for the column")
      let encoding = try handle.model.seriesEncoding()
      column.pointee = try encoding.number(of: try string(name, "the name"))
    }
  }
}

@c @implementation public func retto_session_begin_series(
  _ session: OpaquePointer!, _ column: Int32, _ time: Int64
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.begin(column: column, time: try seriesTime(time))
  }
}

@c @implementation public func retto_session_feed_value(_ session: OpaquePointer!, _ value: Double)
  -> retto_status
{
  withSession(session) { (session) throws(LibrettoError) in try session.feed(value: value) }
}

@c @implementation public func retto_session_next_value(
  _ session: OpaquePointer!, _ value: UnsafeMutablePointer<Double>!,
  _ log_probability: UnsafeMutablePointer<Float>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let value = try require(value, "the pointer for the value")
    let next = try session.nextValue()
    value.pointee = next.value
    if let log_probability { log_probability.pointee = next.logProbability }
  }
}

@c @implementation public func retto_session_forecast(
  _ session: OpaquePointer!, _ horizon: Int, _ samples: Int, _ seed: UInt64,
  _ quantiles: UnsafePointer<Double>!, _ count: Int, _ result: UnsafeMutablePointer<Double>!,
  _ means: UnsafeMutablePointer<Double>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let quantiles = try array(quantiles, count, "the quantiles")
    for quantile in quantiles where !(quantile >= 0 && quantile <= 1) {
      throw LibrettoError(.argument, "a quantile is \(quantile); expected 0 to 1")
    }
    try session.forecast(horizon: horizon, samples: samples, seed: seed) { futures in
      for step in 0..<futures.horizon {
        if let means { means[step] = futures.means[step] }
        guard let result else { continue }
        for (i, quantile) in quantiles.enumerated() {
          result[step * count + i] = futures.quantile(step, quantile)
        }
      }
    }
  }
}

@c @implementation public func retto_trainer_add_series(
  _ trainer: OpaquePointer!, _ values: UnsafePointer<Double>!, _ rows: Int, _ columns: Int,
  _ names: UnsafePointer<UnsafePointer<CChar>?>!, _ times: UnsafePointer<retto_times>!,
  _ role: retto_role
) -> retto_status {
  add(to: trainer) { (trainer) throws(LibrettoError) in
    let isValidation = try isValidation(role)
    let names = try array(names, columns, "the names")
    guard (1...SeriesEncoding.mostColumns).contains(columns) else {
      throw LibrettoError(
        .argument,
        "there are \(UInt(bitPattern: columns)) columns; expected 1 to \(SeriesEncoding.mostColumns)"
      )
    }
    try checkCount(rows, "the values")
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    let all = try array(values, overflow ? .max : count, "the values")
    var found: [String] = []
    for name in names {
      let name = try string(name, "the name of a column")
      guard name.utf8.count <= 200, !name.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
        throw LibrettoError(
          .argument,
          "the name of a column is \"\(printable(name))\"; expected 1 to 200 bytes without control characters"
        )
      }
      guard !found.contains(name) else {
        throw LibrettoError(
          .argument, "two columns are called \"\(printable(name))\"; give each a name of its own")
      }
      found.append(name)
    }
    for (i, value) in all.enumerated() where value.isInfinite {
      throw LibrettoError(
        .argument,
        "the value of column \(i % columns) in row \(i / columns) is infinite; expected a number, or NaN for a gap"
      )
    }
    let table = SeriesTable(names: found)
    if let times {
      (table.start, table.step) = try steps(times.pointee)
    }
    try allocating { () throws(OutOfMemory) in
      for _ in 0..<rows { try table.appendRow() }
    }
    for row in 0..<rows {
      for column in 0..<columns { table[row, column] = all[row * columns + column] }
    }
    try trainer.add(series: table, validation: isValidation)
  }
}

/// Runs a body with a trainer.
private func add(
  to trainer: OpaquePointer?, _ body: (Trainer) throws(LibrettoError) -> Void
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in try body(handle.trainer) }
  }
}

private func steps(_ times: retto_times) throws(LibrettoError) -> (SeriesTime?, TimeStep) {
  let step: TimeStep? =
    switch (times.seconds, times.months) {
    case (1...TimeStep.most, 0): .seconds(times.seconds)
    case (0, 1...TimeStep.most): .months(times.months)
    default: nil
    }
  guard let step else {
    throw LibrettoError(
      .argument,
      "the time between two rows is \(times.seconds) seconds and \(times.months) months; expected one of them above 0, the other 0"
    )
  }
  return (try seriesTime(times.start), step)
}

@c @implementation public func retto_trainer_add_csv(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ role: retto_role
) -> retto_status {
  add(to: trainer) { (trainer) throws(LibrettoError) in
    try trainer.add(
      series: try string(path, "the path"), validation: try isValidation(role))
  }
}
