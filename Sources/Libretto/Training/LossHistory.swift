import Memory

/// The losses of a run, for a picture of them, in a number of points that does not grow with its
/// length. A checkpoint keeps it, so that a resumed run has all of it. To note a loss allocates nothing.
package final class LossHistory {
  package let training, validation: Series

  init() throws(LibrettoError) {
    training = try Series()
    validation = try Series()
  }

  package final class Series {
    private struct Point: BitwiseCopyable {
      let step: Int
      let loss: Double
    }
    private let kept: GrowableBuffer<Point>
    /// One of so many losses is kept, and so many there were.
    private var every = 1
    private var seen = 0

    private static let most = 512
    private static let highest = 1 << 50

    init() throws(LibrettoError) {
      kept = try allocating { () throws(OutOfMemory) in try GrowableBuffer(capacity: Self.most) }
    }

    package var points: [(step: Int, loss: Double)] { kept.elements.map { ($0.step, $0.loss) } }

    func append(_ step: Int, _ loss: Double) {
      seen += 1
      guard seen % every == 0 else { return }
      kept.appendReserved(Point(step: step, loss: loss))
      guard kept.count == Self.most else { return }
      for i in 0..<Self.most / 2 { kept[i] = kept[2 * i + 1] }
      kept.truncate(to: Self.most / 2)
      every *= 2
    }

    fileprivate func write(to writer: inout JSONWriter) throws(OutOfMemory) {
      try writer.beginObject()
      try writer.name("every")
      try writer.literal(String(every))
      try writer.name("seen")
      try writer.literal(String(seen))
      try writer.name("points")
      try writer.beginArray()
      for point in kept.elements {
        try JSON.number(point.step).write(to: &writer)
        try JSON.number(point.loss).write(to: &writer)
      }
      try writer.endArray()
      try writer.endObject()
    }

    /// nil if something is missing or out of range.
    fileprivate convenience init?(_ json: JSONValue) throws(LibrettoError) {
      try self.init()
      guard let every = json["every"]?.integer, every >= 1, every <= Self.highest,
        let seen = json["seen"]?.integer, seen >= 0, seen <= Self.highest,
        let numbers = json["points"]?.array, numbers.count % 2 == 0,
        numbers.count / 2 < Self.most
      else { return nil }
      self.every = every
      self.seen = seen
      var rest = numbers
      while let step = rest.next(), let loss = rest.next() {
        guard let step = step.integer, step >= 0, step <= Self.highest,
          let loss = loss.kind == .null ? .nan : loss.double, !loss.isInfinite
        else { return nil }
        kept.appendReserved(Point(step: step, loss: loss))
      }
    }
  }

  /// Writes it as JSON.
  func text() throws(LibrettoError) -> GrowableBuffer<UInt8> {
    try allocating { () throws(OutOfMemory) in
      var writer = JSONWriter()
      try writer.beginObject()
      try writer.name("training")
      try training.write(to: &writer)
      try writer.name("validation")
      try validation.write(to: &writer)
      try writer.endObject()
      return writer.text
    }
  }

  /// nil if something is missing or out of range.
  init?(_ json: JSONValue) throws(LibrettoError) {
    guard let training = json["training"], let validation = json["validation"],
      let trainingSeries = try Series(training), let validationSeries = try Series(validation)
    else { return nil }
    self.training = trainingSeries
    self.validation = validationSeries
  }
}
