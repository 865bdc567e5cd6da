import Memory

/// Follows a series token by token: turns values into tokens and back, and works out the side inputs. What it tells
/// depends on the facts and the tokens alone. None of its calls allocates.
///
/// Values are counted from the first one of the series in units of the column's scale. A token is the distance from what
/// is expected: the mean of the last `context` values, or of all if there are fewer, and of the distance that the value a
/// season before has from that mean the share that comes again. The first value is at distance 0.
public final class SeriesReader: SideCursor {
  private let encoding: SeriesEncoding
  /// The last values, as multiples of 1 / `unit`: sums of whole numbers are exact, so the mean of the last ones never
  /// drifts, and a restored snapshot goes on as if it had been there.
  private let values: GrowableBuffer<Int32>
  private static let unit: Float = 65_536
  private static let farthest = 30_000 * unit
  private var facts = SeriesFacts()
  private var column: SeriesColumn
  private var origin = 0.0
  /// Values read.
  private var count = 0
  private var sum: Int64 = 0
  private var hidden: UInt32 = 0

  init(_ encoding: SeriesEncoding) throws(OutOfMemory) {
    self.encoding = encoding
    column = encoding.columns[0]
    values = try GrowableBuffer(repeating: 0, count: encoding.context)
    begin(SideFacts())
  }

  public func begin(_ facts: SideFacts) {
    hidden = facts.hidden
    begin(facts.series)
  }

  /// Before the first value of a series. A column that the encoding does not have is not told.
  public func begin(_ facts: SeriesFacts) {
    self.facts = facts
    let isKnown = facts.column >= 1 && Int(facts.column) <= encoding.columns.count
    if !isKnown { self.facts.column = 0 }
    column = encoding.columns[isKnown ? Int(facts.column) - 1 : 0]
    // A gap is no value to count from.
    origin = facts.origin.flatMap { $0.isFinite ? $0 : nil } ?? column.mean
    (count, sum) = (0, 0)
  }

  /// What the present series began with.
  public var beginning: SeriesFacts { facts }
  /// Values read.
  public var length: Int { count }

  // MARK: - Values

  /// The mean of the last values, in the units of the ring.
  private var mean: Float {
    count == 0 ? 0 : Float(Double(sum) / Double(min(count, encoding.context))) / Self.unit
  }

  /// What the next value is expected to be, likewise.
  private var expected: Float {
    let mean = mean
    guard encoding.lags > 0, count >= encoding.season else { return mean }
    let before = Float(values[place(encoding.season)]) / Self.unit
    return mean + Float(column.seasonal) * (before - mean)
  }

  /// The token of the next value; NaN is a gap. A first value is what all others are counted from.
  public func token(of value: Double) -> Int32 {
    guard value.isFinite else { return SeriesEncoding.gap }
    let distance = Float((value - origin) / column.scale) - expected
    return SeriesEncoding.firstBin + Int32(encoding.scale.bin(distance))
  }

  /// The value that a token stands for if it comes next; NaN for a gap.
  public func value(of token: Int32) -> Double {
    guard token >= SeriesEncoding.firstBin, Int(token) < encoding.vocabularySize else {
      return .nan
    }
    return value(at: encoding.scale.value(Int(token - SeriesEncoding.firstBin)))
  }

  /// The mean of the values that come next with the probabilities of all bins.
  public func mean(of probabilities: UnsafePointer<Float>) -> Double {
    var distance: Float = 0
    for bin in 0..<SeriesScale.count { distance += probabilities[bin] * encoding.scale.value(bin) }
    return value(at: distance)
  }

  private func value(at distance: Float) -> Double {
    origin + Double(expected + distance) * column.scale
  }

  /// The place of the value `back` values before the next one.
  private func place(_ back: Int) -> Int { (count - back) % encoding.context }

  /// The last values that are kept: `back` 1 is the last one. Gaps have what was put in their place.
  public var kept: Int { min(count, encoding.context) }
  public func value(back: Int) -> Double {
    origin + Double(Float(values[place(back)]) / Self.unit) * column.scale
  }

  public func advance(_ token: Int32) {
    guard token != SeriesEncoding.start else { return }
    let value: Float
    if token == SeriesEncoding.gap {
      // Its place has what was expected.
      value = expected * Self.unit
    } else {
      let bin = Int(max(token, SeriesEncoding.firstBin) - SeriesEncoding.firstBin)
      value = (expected + encoding.scale.value(min(bin, SeriesScale.count - 1))) * Self.unit
    }
    let rounded = Int32(max(-Self.farthest, min(Self.farthest, value)).rounded())
    let at = place(0)
    if count >= encoding.context { sum -= Int64(values[at]) }
    sum += Int64(rounded)
    values[at] = rounded
    count += 1
  }

  // MARK: - Side inputs

  public func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>) {
    advance(token)
    write(into: values)
  }

  /// Writes the values of the side inputs that go with the next value.
  public func write(into result: UnsafeMutablePointer<Int32>) {
    let mean = mean
    var side = 0
    func tell(_ value: Int) {
      result[side] = hidden >> UInt32(side) & 1 == 1 ? 0 : Int32(value)
      side += 1
    }
    tell(Int(facts.column))
    tell(count > 0 ? bin(1, mean) : 0)
    let calendar = encoding.calendar
    if !calendar.isEmpty {
      let time = time()
      if calendar.contains(.hour) { tell(time.map { $0.hour + 1 } ?? 0) }
      if calendar.contains(.weekday) { tell(time.map { $0.weekday + 1 } ?? 0) }
      if calendar.contains(.month) { tell(time.map { $0.month } ?? 0) }
    }
    for lag in 0..<encoding.lags {
      let back = (lag + 1) * encoding.season
      tell(count >= back ? bin(back, mean) : 0)
    }
  }

  /// How far the value `back` values before the next one is from the mean.
  private func bin(_ back: Int, _ mean: Float) -> Int {
    let distance = Float(values[place(back)]) / Self.unit - mean
    return encoding.spread.bin(distance * Float(column.scale / column.spread)) + 1
  }

  /// The time of the value `back` values before the next one; nil if it is not told.
  public func time(back: Int = 0) -> SeriesTime? {
    guard let step = encoding.step, let start = facts.time else { return nil }
    return step.time(count - back, after: start)
  }

  // MARK: - Snapshots

  public func copy(_ other: SeriesReader) {
    (facts, column, origin, count, sum) =
      (other.facts, other.column, other.origin, other.count, other.sum)
    hidden = other.hidden
    for i in 0..<values.count { values[i] = other.values[i] }
  }

  /// The column, the time and whether it is told, the first value, the number of values, and the last of them.
  public var stateSize: Int { 8 * 4 + (4 * encoding.context + 7) / 8 * 8 }

  public func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(UInt32(bitPattern: facts.column)) | (facts.time == nil ? 0 : 1 << 32))
    bytes.setWord(1, UInt64(bitPattern: facts.time?.seconds ?? 0))
    bytes.setWord(2, origin.bitPattern)
    bytes.setWord(3, UInt64(count))
    bytes.setWord(stateSize / 8 - 1, 0)
    for i in 0..<encoding.context {
      (bytes + 32).setHalfWord(i, i < count ? UInt32(bitPattern: values[i]) : 0)
    }
  }

  /// Takes a saved state; gives false, and changes nothing, if the bytes cannot be one.
  public func restore(from bytes: UnsafeRawPointer) -> Bool {
    let (first, count) = (bytes.word(0), bytes.word(3))
    let origin = Double(bitPattern: bytes.word(2))
    guard first & 0xFFFF_FFFF <= UInt64(encoding.columns.count), first >> 32 <= 1,
      origin.isFinite, count < 1 << 48
    else { return false }
    let limit = Int32(Self.farthest)
    for i in 0..<encoding.context {
      let value = Int32(bitPattern: (bytes + 32).halfWord(i))
      guard value >= -limit, value <= limit else { return false }
    }
    begin(
      SeriesFacts(
        column: Int32(first & 0xFFFF_FFFF),
        time: first >> 32 == 1
          ? SeriesTime(clamping: Int64(bitPattern: bytes.word(1))) : nil, origin: origin))
    self.count = Int(count)
    for i in 0..<encoding.context {
      values[i] = Int32(bitPattern: (bytes + 32).halfWord(i))
      if i < self.count { sum += Int64(values[i]) }
    }
    return true
  }
}
