import GRU
import Memory
import Sequences

extension Model {
  /// Tells how probable each token of a sequence was, read from a zero state: hands the token read,
  /// the token that came, and the latter's natural log-probability to `each`. The first token is
  /// read only. What follows the end of a document is read from a zero state again.
  public func score(
    _ tokens: UnsafeBufferPointer<Int32>, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    try check(tokens)
    let scorer = try Libretto.network { () throws(NetworkError) in try SequenceScorer(network) }
    if let reader = try SideReader(sides, encoding) {
      return score(tokens, scorer, reader, each: each)
    }
    var start = 0
    for i in 1..<max(1, tokens.count) where tokens[i] == documentEnd {
      scorer.score(UnsafeBufferPointer(rebasing: tokens[start...i]), each: each)
      scorer.restart()
      start = i
    }
    scorer.score(UnsafeBufferPointer(rebasing: tokens[start...]), each: each)
  }

  /// Pieces of which the network is told what is known of each.
  private func score(
    _ tokens: UnsafeBufferPointer<Int32>, _ scorer: SequenceScorer, _ reader: SideReader,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) {
    var next = 0
    scorer.score(
      tokens,
      sides: { token, values in
        if next == 0 || token == self.encoding.startToken {
          var end = next + 1
          while end < tokens.count && tokens[end] != self.encoding.startToken { end += 1 }
          var facts = self.encoding.sideFacts(
            of: UnsafeBufferPointer(rebasing: tokens[next..<end]))
          // Of a piece that is cut off nobody knows how long it is.
          if tokens[end - 1] != self.endToken { facts.bars = 0 }
          reader.begin(facts)
        }
        reader.advance(token, into: values)
        next += 1
      }, each: each)
  }

  /// Scores text, in memory that does not grow with its length. For a model of documents it is a
  /// whole one: its first token is predicted too, and so is its end.
  public func score(
    text: UnsafeRawBufferPointer, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    let encoding = try textEncoding()
    let scorer = try Libretto.network { () throws(NetworkError) in try SequenceScorer(network) }
    let room = 4096
    let buffer = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<Int32>(repeating: 0, count: room)
    }
    let block = buffer.elements
    defer { withExtendedLifetime(buffer) {} }
    var count = 0
    func take(_ token: Int32) {
      block[count] = token
      count += 1
      if count == room {
        scorer.score(UnsafeBufferPointer(block), each: each)
        count = 0
      }
    }
    if let end = encoding.endToken { take(end) }
    encoding.encode(text, take)
    if let end = encoding.endToken { take(end) }
    scorer.score(UnsafeBufferPointer(rebasing: block[..<count]), each: each)
  }

  /// Scores a file, text or MIDI as the model is.
  public func score(
    file path: String, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      if isText { return try score(text: bytes, each: each) }
      let tokens = try tokens(of: try readMIDI(bytes, name: path), name: path)
      defer { withExtendedLifetime(tokens) {} }
      try score(UnsafeBufferPointer(tokens.elements), each: each)
    }
  }

  /// The tokens of a piece; `name` is what errors call it.
  package func tokens(of file: MIDIFile, name: String) throws(LibrettoError)
    -> GrowableBuffer<Int32>
  {
    guard let encoding = encoding.music else {
      throw LibrettoError(.unsupported, "this is a model of \(encoding.name), not of music")
    }
    guard let tokens = try encoding.tokens(of: file, name: name) else {
      throw LibrettoError(
        .empty, "\(name) has no notes that the encoding \(encoding.name) can represent")
    }
    return tokens
  }

  /// The same as an array, for a piece that is small.
  public func encode(_ file: MIDIFile, name: String) throws(LibrettoError) -> [Int32] {
    Array(try tokens(of: file, name: name))
  }

  /// The piece of some tokens of a model of music.
  public func decode(_ tokens: some Sequence<Int32>, tempo: Double) throws(LibrettoError)
    -> MIDIFile
  {
    guard let encoding = encoding.music else {
      throw LibrettoError(.unsupported, "this is a model of \(encoding.name), not of music")
    }
    return try allocating { () throws(OutOfMemory) in try encoding.decoded(tokens, tempo: tempo) }
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

  /// How well the model predicts a MIDI file that is in memory.
  package func evaluate(midi bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError)
    -> Evaluation
  {
    try evaluate(piece: try readMIDI(bytes, name: name), name: name)
  }

  /// How well the model predicts a file, text or MIDI as the model is.
  public func evaluate(file path: String) throws(LibrettoError) -> Evaluation {
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      isText
        ? try evaluate(text: bytes)
        : try evaluate(piece: try readMIDI(bytes, name: path), name: path)
    }
  }

  /// How well the model predicts a piece: all its tokens but `START`, which is read first, over its
  /// steps. So the first step is scored too, given that a piece begins, and with it the time signature, and so
  /// is the end; what every step costs beside its notes is to say that it is over. `name` is what
  /// errors call the piece.
  public func evaluate(piece file: MIDIFile, name: String) throws(LibrettoError) -> Evaluation {
    let tokens = try tokens(of: file, name: name)
    defer { withExtendedLifetime(tokens) {} }
    let all = UnsafeBufferPointer(tokens.elements)
    var result = Evaluation()
    result.steps = encoding.music?.steps(of: all) ?? 0
    try score(all) { _, _, logProbability in
      result.tokens += 1
      result.nats -= logProbability
    }
    return result
  }
}

/// How well a model predicts a sequence.
public struct Evaluation: Sendable {
  /// Tokens that were predicted: all but the first of each sequence.
  public var tokens = 0
  /// Characters that begin with one of these tokens; 0 for music.
  public var characters = 0
  /// Steps of the grid; 0 where there is none.
  public var steps = 0
  /// Minus the sum of the natural log-probabilities.
  public var nats = 0.0

  public init() {}

  public var natsPerToken: Double { nats / Double(max(tokens, 1)) }

  /// nil where there are no characters.
  public var bitsPerCharacter: Double? {
    characters > 0 ? nats / 0.693147180559945309 / Double(characters) : nil
  }

  /// The exact joint negative log-likelihood of a time step, which the literature on piano rolls
  /// reports; nil where there is no grid.
  public var natsPerStep: Double? { steps > 0 ? nats / Double(steps) : nil }

  public static func += (a: inout Evaluation, b: Evaluation) {
    a.tokens += b.tokens
    a.characters += b.characters
    a.steps += b.steps
    a.nats += b.nats
  }
}
