import GRU
import Memory
import Sequences

/// Reads several passages at a time, each in a row of its own and from a zero state, and measures how probable their
/// tokens are. Who puts them in says what is known of each; who reads on gets the losses row by row.
final class PassageBatch {
  /// Passages that are read at a time.
  static let rows = 16

  private let model: Model
  private let scorer: BatchScorer
  private let rows: ObjectList<Row>
  private let inputs, targets, sides: GrowableBuffer<Int32>
  /// The losses of each row in the last part that was read, in nats.
  let losses: GrowableBuffer<Double>

  /// What one row reads.
  private final class Row {
    var tokens: UnsafeBufferPointer<Int32>?
    var next = 0
    let reader: SideReader?

    init(_ reader: SideReader?) { self.reader = reader }
  }

  init(_ model: Model) throws(LibrettoError) {
    self.model = model
    scorer = try network { () throws(NetworkError) in
      try BatchScorer(model.network, rows: Self.rows)
    }
    let rows = ObjectList<Row>()
    for _ in 0..<Self.rows {
      let row = Row(try SideReader(model.sides, model.encoding))
      try allocating { () throws(OutOfMemory) in try rows.append(row) }
    }
    self.rows = rows
    let count = Self.rows * BatchScorer.steps
    (inputs, targets, sides, losses) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: count),
        try GrowableBuffer(repeating: -1, count: count),
        try GrowableBuffer(repeating: 0, count: count * model.shape.sides.count),
        try GrowableBuffer(repeating: 0, count: Self.rows)
      )
    }
  }

  func isFree(_ row: Int) -> Bool { rows[row].tokens == nil }
  /// A row that reads nothing; nil if all do.
  var freeRow: Int? { (0..<Self.rows).first(where: isFree) }
  var isBusy: Bool { (0..<Self.rows).contains { !isFree($0) } }

  /// Puts a passage into a free row. Its first token is read only. It stays where it is until the row is free again.
  func begin(_ tokens: UnsafeBufferPointer<Int32>, in row: Int, _ facts: SideFacts) {
    (rows[row].tokens, rows[row].next) = (tokens, 0)
    scorer.restart(row)
    rows[row].reader?.begin(facts)
  }

  /// Reads a part of every passage; the rows of those that are over are free then. Gives the tokens that were predicted
  /// and the sum of their losses in nats; `losses` has it row by row.
  func readOn() -> (tokens: Int, nats: Double) {
    let told = model.shape.sides.count
    var predicted = 0
    for i in 0..<Self.rows {
      let row = rows[i]
      losses[i] = 0
      for step in 0..<BatchScorer.steps {
        let at = step * Self.rows + i
        guard let tokens = row.tokens, row.next + 1 < tokens.count else {
          (inputs[at], targets[at]) = (0, -1)
          for side in 0..<told { sides[at * told + side] = 0 }
          continue
        }
        (inputs[at], targets[at]) = (tokens[row.next], tokens[row.next + 1])
        if let sides = sides.base { row.reader?.advance(tokens[row.next], into: sides + at * told) }
        row.next += 1
        predicted += 1
      }
      if let tokens = row.tokens, row.next + 1 >= tokens.count { row.tokens = nil }
    }
    let nats = scorer.score(
      inputs: inputs.base.unsafelyUnwrapped, targets: targets.base.unsafelyUnwrapped,
      sides: sides.base.map { UnsafePointer($0) }, sums: losses.base.unsafelyUnwrapped)
    return (predicted, nats)
  }
}
