import Memory
import Sequences

// Sessions of numbers.

extension Session {
  private func seriesReader() throws(LibrettoError) -> SeriesReader {
    guard let reader = sideValues?.series else {
      throw LibrettoError(
        .unsupported, "this is a model of \(model.encoding.name), not of numbers")
    }
    return reader
  }

  /// Begins a series anew: what was read before is forgotten; settings and random numbers stay. Real-time.
  ///
  /// - `column`: from 1 on; 0 for none that the model knows.
  /// - `time`: of the first value; nil if it is not known.
  public func begin(column: Int32, time: SeriesTime?) throws(LibrettoError) {
    let reader = try seriesReader()
    let count = model.encoding.series?.columns.count ?? 0
    guard column >= 0, column <= count else {
      throw LibrettoError(.argument, "the column is \(column); expected 0 to \(count)")
    }
    state.clear()
    sampler.forget()
    journal.cut()
    (pending, knowsNext) = (-1, false)
    reader.begin(SeriesFacts(column: column, time: time))
  }

  /// Reads a value; NaN is a gap. The first one of a series is what the others are counted from. Real-time.
  public func feed(value: Double) throws(LibrettoError) {
    let reader = try seriesReader()
    guard !value.isInfinite else {
      throw LibrettoError(.argument, "the value is infinite; expected a number, or NaN for a gap")
    }
    if pending < 0 && !knowsNext { begin() }
    if reader.length == 0 && value.isFinite {
      let facts = reader.beginning
      reader.begin(SeriesFacts(column: facts.column, time: facts.time, origin: value))
    }
    read(reader.token(of: value), .fed)
  }

  /// Draws the next value, and gives the natural log-probability of its token. Real-time.
  public func nextValue() throws(LibrettoError) -> (value: Double, logProbability: Float) {
    let reader = try seriesReader()
    let logProbability = try next().logProbability
    return (reader.value(back: 1), logProbability)
  }

  /// Many futures of what was read, from the last values on, of which the model's context is looked at. The session
  /// stays as it is.
  ///
  /// - `seed`: starts the samples.
  public func forecast(
    horizon: Int, samples: Int, seed: UInt64,
    result: (Forecaster.Result) throws(LibrettoError) -> Void
  ) throws(LibrettoError) {
    let reader = try seriesReader()
    let forecaster = try Forecaster(model, samples: samples)
    let count = reader.kept
    let values = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<Double>(repeating: 0, count: max(count, 1))
    }
    for i in 0..<count { values[i] = reader.value(back: count - i) }
    let facts = SeriesFacts(
      column: reader.beginning.column, time: reader.time(back: count),
      origin: count > 0 ? values[0] : nil)
    try values.withElements { (values) throws(LibrettoError) in
      let request = Forecaster.Request(
        facts: facts, values: UnsafePointer(values.baseAddress!), count: count, seed: seed)
      try forecaster.forecast(count: 1, horizon: horizon, request: { _ in request }) {
        (_, futures) throws(LibrettoError) in try result(futures)
      }
    }
  }
}
