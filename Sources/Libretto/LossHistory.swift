/// The losses of a run, for a picture of them, in a number of points that does not grow with its
/// length. A checkpoint keeps it, so that a resumed run has all of it. To note a loss allocates nothing.
package struct LossHistory: Sendable {
  package private(set) var training = Series()
  package private(set) var validation = Series()

  package init() {}

  mutating func note(step: Int, training loss: Double, validation held: Double?) {
    training.append(step, loss)
    if let held { validation.append(step, held) }
  }

  package struct Series: Sendable {
    package private(set) var points: [(step: Int, loss: Double)] = []
    /// One of so many losses is kept, and so many there were.
    private var every = 1
    private var seen = 0

    private static let most = 512
    private static let highest = 1 << 50

    init() { points.reserveCapacity(Self.most) }

    mutating func append(_ step: Int, _ loss: Double) {
      seen += 1
      guard seen % every == 0 else { return }
      points.append((step, loss))
      guard points.count == Self.most else { return }
      for i in 0..<Self.most / 2 { points[i] = points[2 * i + 1] }
      points.removeLast(Self.most / 2)
      every *= 2
    }

    fileprivate var record: JSON {
      .object([
        ("every", .number(every)), ("seen", .number(seen)),
        ("points", .array(points.flatMap { [.number($0.step), .number($0.loss)] })),
      ])
    }

    /// nil if something is missing or out of range.
    fileprivate init?(_ json: JSON) {
      self.init()
      guard let every = json["every"]?.integer, every >= 1, every <= Self.highest,
        let seen = json["seen"]?.integer, seen >= 0, seen <= Self.highest,
        let numbers = json["points"]?.array, numbers.count % 2 == 0,
        numbers.count / 2 < Self.most
      else { return nil }
      self.every = every
      self.seen = seen
      for i in stride(from: 0, to: numbers.count, by: 2) {
        guard let step = numbers[i].integer, step >= 0, step <= Self.highest,
          let loss = numbers[i + 1] == .null ? .nan : numbers[i + 1].double
        else { return nil }
        points.append((step, loss))
      }
    }
  }

  var record: JSON { .object([("training", training.record), ("validation", validation.record)]) }

  /// nil if something is missing or out of range.
  init?(_ json: JSON) {
    guard let training = json["training"].flatMap(Series.init),
      let validation = json["validation"].flatMap(Series.init)
    else { return nil }
    self.training = training
    self.validation = validation
  }
}
