import GRU
import Memory
import Sequences

/// Measures how well a model predicts many passages, each read from a zero state: several at a time, which is several
/// times as fast as one after another.
package final class PassageEvaluator {
  /// Passages that are read at a time.
  package static let rows = 16
  /// Of all passages that were read to their ends.
  package private(set) var evaluation = Evaluation()

  private let model: Model
  private let memory: Bool
  private let scorer: BatchScorer
  private let passages: ObjectList<Row>
  private let inputs, targets, sides: GrowableBuffer<Int32>

  /// What one row of the batch reads.
  private final class Row {
    var tokens: GrowableBuffer<Int32>?
    var next = 0
    let reader: SideReader?

    init(_ reader: SideReader?) { self.reader = reader }
  }

  /// - `memory`: whether the model's memory is used, if it has one.
  package init(_ model: Model, memory: Bool = true) throws(LibrettoError) {
    self.model = model
    self.memory = memory
    let rows = Self.rows
    scorer = try network { () throws(NetworkError) in try BatchScorer(model.network, rows: rows) }
    let passages = ObjectList<Row>()
    for _ in 0..<rows {
      let row = Row(try SideReader(model.sides, model.encoding))
      try allocating { () throws(OutOfMemory) in try passages.append(row) }
    }
    self.passages = passages
    let count = rows * BatchScorer.steps
    (inputs, targets, sides) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: count),
        try GrowableBuffer(repeating: -1, count: count),
        try GrowableBuffer(repeating: 0, count: count * model.shape.sides.count)
      )
    }
  }

  /// Adds a passage, whose first token is read only; it may be measured at once or later. `passage` is kept until then.
  package func add(_ passage: Passage) {
    evaluation.characters += passage.characters
    evaluation.steps += passage.steps
    guard passage.tokens.count > 1 else { return }
    var free: Int?
    while true {
      free = (0..<Self.rows).first { passages[$0].tokens == nil }
      if free != nil { break }
      goOn()
    }
    let row = passages[free!]
    row.tokens = passage.tokens
    row.next = 0
    scorer.restart(free!)
    row.reader?.begin(
      model.facts(of: UnsafeBufferPointer(passage.tokens.elements), memory: memory))
  }

  /// Measures what was added and is not measured yet.
  package func finish() {
    while (0..<Self.rows).contains(where: { passages[$0].tokens != nil }) { goOn() }
  }

  /// Reads on in all rows.
  private func goOn() {
    let told = model.shape.sides.count
    for i in 0..<Self.rows {
      let row = passages[i]
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
        evaluation.tokens += 1
      }
      if let tokens = row.tokens, row.next + 1 >= tokens.count { row.tokens = nil }
    }
    evaluation.nats += scorer.score(
      inputs: inputs.base.unsafelyUnwrapped, targets: targets.base.unsafelyUnwrapped,
      sides: sides.base.map { UnsafePointer($0) })
  }
}

/// A file as a model reads it.
package struct Passage {
  package let tokens: GrowableBuffer<Int32>
  /// Characters that begin with its tokens but the first; 0 for music.
  package fileprivate(set) var characters = 0
  /// Steps of the grid; 0 where there is none.
  package fileprivate(set) var steps = 0
}

extension Model {
  /// The bytes of a file as a passage: of documents the whole one, with its end. `name` is what errors call it.
  package func passage(_ bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError)
    -> Passage
  {
    guard isText else {
      let tokens = try tokens(of: try readMIDI(bytes, name: name), name: name)
      var passage = Passage(tokens: tokens)
      passage.steps = encoding.music?.steps(of: UnsafeBufferPointer(tokens.elements)) ?? 0
      return passage
    }
    let encoding = try textEncoding()
    let tokens = GrowableBuffer<Int32>()
    try allocating { () throws(OutOfMemory) in
      if let end = encoding.endToken { try tokens.append(end) }
      var failure: OutOfMemory?
      encoding.encode(bytes) { token in
        if failure == nil {
          do throws(OutOfMemory) { try tokens.append(token) } catch { failure = error }
        }
      }
      if let failure { throw failure }
      if let end = encoding.endToken { try tokens.append(end) }
    }
    var passage = Passage(tokens: tokens)
    for i in 1..<max(1, tokens.count) { passage.characters += encoding.characters(in: tokens[i]) }
    return passage
  }
}
