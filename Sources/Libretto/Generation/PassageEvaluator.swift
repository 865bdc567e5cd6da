import Memory
import Sequences

/// Measures how well a model predicts many passages, each read from a zero state: several at a time, which is several
/// times as fast as one after another.
package final class PassageEvaluator {
  /// Passages that are read at a time.
  package static let rows = PassageBatch.rows
  /// Of all passages that were read to their ends.
  package private(set) var evaluation = Evaluation()

  private let model: Model
  private let memory: Bool
  private let batch: PassageBatch
  /// What the rows of the batch read, which must stay until then.
  private var passages: InlineArray<16, GrowableBuffer<Int32>?> = .init(repeating: nil)

  /// - `memory`: whether the model's memory is used, if it has one.
  package init(_ model: Model, memory: Bool = true) throws(LibrettoError) {
    self.model = model
    self.memory = memory
    batch = try PassageBatch(model)
  }

  /// Adds a passage, whose first token is read only; it may be measured at once or later. `passage` is kept until then.
  package func add(_ passage: Passage) {
    evaluation.characters += passage.characters
    evaluation.steps += passage.steps
    guard passage.tokens.count > 1 else { return }
    while batch.freeRow == nil { readOn() }
    guard let row = batch.freeRow else { return }
    passages[row] = passage.tokens
    let tokens = UnsafeBufferPointer(passage.tokens.elements)
    batch.begin(tokens, in: row, model.facts(of: tokens, memory: memory))
  }

  /// Measures what was added and is not measured yet.
  package func finish() {
    while batch.isBusy { readOn() }
  }

  private func readOn() {
    let (tokens, nats) = batch.readOn()
    evaluation.tokens += tokens
    evaluation.nats += nats
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
