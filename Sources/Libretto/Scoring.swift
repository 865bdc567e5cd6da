import GRU
import Sequences

extension Model {
  /// Tells how probable each token of a sequence was, read from a zero state: hands the token read,
  /// the token that came, and the latter's natural log-probability to `each`. The first token is
  /// read only.
  public func score(
    _ tokens: UnsafeBufferPointer<Int32>, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    try check(tokens)
    let scorer = try Libretto.network { () throws(NetworkError) in try SequenceScorer(network) }
    scorer.score(tokens, each: each)
  }

  /// Scores text, in memory that does not grow with its length.
  public func score(
    text: UnsafeRawBufferPointer, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    let encoding = try textEncoding()
    let scorer = try Libretto.network { () throws(NetworkError) in try SequenceScorer(network) }
    let room = 4096
    let block = UnsafeMutableBufferPointer<Int32>.allocate(capacity: room)
    defer { block.deallocate() }
    var count = 0
    encoding.encode(text) { token in
      block[count] = token
      count += 1
      if count == room {
        scorer.score(UnsafeBufferPointer(block), each: each)
        count = 0
      }
    }
    scorer.score(UnsafeBufferPointer(rebasing: block[..<count]), each: each)
  }

  /// How well the model predicts some text.
  public func evaluate(text: UnsafeRawBufferPointer) throws(LibrettoError) -> Evaluation {
    let encoding = try textEncoding()
    var result = Evaluation()
    try score(text: text) { _, token, logProbability in
      result.tokens += 1
      result.characters += encoding.characters(in: token)
      result.nats -= logProbability
    }
    return result
  }

  /// How well the model predicts the text of a file, which is mapped, not loaded.
  public func evaluate(file path: String) throws(LibrettoError) -> Evaluation {
    let file = try MappedFile(path)
    return try evaluate(text: file.bytes)
  }
}

/// How well a model predicts a sequence.
public struct Evaluation: Sendable {
  /// Tokens that were predicted: all but the first of each sequence.
  public var tokens = 0
  /// Characters that begin with one of these tokens; 0 for music.
  public var characters = 0
  /// Minus the sum of the natural log-probabilities.
  public var nats = 0.0

  public init() {}

  public var natsPerToken: Double { nats / Double(max(tokens, 1)) }

  /// nil where there are no characters.
  public var bitsPerCharacter: Double? {
    characters > 0 ? nats / 0.693147180559945309 / Double(characters) : nil
  }

  public static func += (a: inout Evaluation, b: Evaluation) {
    a.tokens += b.tokens
    a.characters += b.characters
    a.nats += b.nats
  }
}
