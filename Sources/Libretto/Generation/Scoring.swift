import GRU
import Memory
import Sequences

extension Model {
  /// Tells how probable each token of a sequence was, read from a zero state: hands the token read,
  /// the token that came, and the latter's natural log-probability to `each`. The first token is
  /// read only. What follows the end of a document is read from a zero state again.
  ///
  /// - `memory`: whether the model's memory is used, if it has one.
  public func score(
    _ tokens: UnsafeBufferPointer<Int32>, memory: Bool = true,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    try check(tokens)
    let scorer = try PassageScorer(self, memory: memory)
    var start = 0
    func piece(to end: Int) -> UnsafeBufferPointer<Int32> {
      UnsafeBufferPointer(rebasing: tokens[start..<end])
    }
    for i in 1..<max(1, tokens.count) where tokens[i] == documentEnd {
      scorer.begin(piece(to: i + 1))
      scorer.score(piece(to: i + 1), each: each)
      start = i
    }
    scorer.begin(piece(to: tokens.count))
    guard encoding.kind == .music else {
      return scorer.score(piece(to: tokens.count), each: each)
    }
    // Pieces of music follow each other in one sequence, and each tells what is known of it.
    for i in 0..<tokens.count {
      guard i == 0 || encoding.beginsPiece(tokens[i]) && tokens[i] != endToken else { continue }
      var end = i + 1
      while end < tokens.count && tokens[end] != encoding.startToken { end += 1 }
      let piece = UnsafeBufferPointer(rebasing: tokens[i..<end])
      scorer.tell(piece)
      scorer.score(piece, each: each)
    }
  }

  /// Scores text, in memory that does not grow with its length. For a model of documents it is a
  /// whole one: its first token is predicted too, and so is its end.
  public func score(
    text: UnsafeRawBufferPointer, memory: Bool = true,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    let encoding = try textEncoding()
    let scorer = try PassageScorer(self, memory: memory)
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
    file path: String, memory: Bool = true,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) throws(LibrettoError) {
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      if isText { return try score(text: bytes, memory: memory, each: each) }
      let tokens = try tokens(of: try readMIDI(bytes, name: path), name: path)
      defer { withExtendedLifetime(tokens) {} }
      try score(UnsafeBufferPointer(tokens.elements), memory: memory, each: each)
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
  ///
  /// - `memory`: whether the model's memory is used, if it has one; likewise below.
  public func evaluate(text: UnsafeRawBufferPointer, memory: Bool = true) throws(LibrettoError)
    -> Evaluation
  {
    let encoding = try textEncoding()
    var result = Evaluation()
    try score(text: text, memory: memory) { _, token, logProbability in
      result.tokens += 1
      result.characters += encoding.characters(in: token)
      result.nats -= logProbability
    }
    return result
  }

  /// How well the model predicts a MIDI file that is in memory.
  package func evaluate(midi bytes: UnsafeRawBufferPointer, name: String, memory: Bool = true)
    throws(LibrettoError) -> Evaluation
  {
    try evaluate(piece: try readMIDI(bytes, name: name), name: name, memory: memory)
  }

  /// How well the model predicts a file, text or MIDI as the model is.
  public func evaluate(file path: String, memory: Bool = true) throws(LibrettoError) -> Evaluation {
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      isText
        ? try evaluate(text: bytes, memory: memory)
        : try evaluate(midi: bytes, name: path, memory: memory)
    }
  }

  /// How well the model predicts a piece: all its tokens but `START`, which is read first, over its
  /// steps. So the first step is scored too, given that a piece begins, and with it the time signature, and so
  /// is the end; what every step costs beside its notes is to say that it is over. `name` is what
  /// errors call the piece.
  public func evaluate(piece file: MIDIFile, name: String, memory: Bool = true)
    throws(LibrettoError) -> Evaluation
  {
    let tokens = try tokens(of: file, name: name)
    defer { withExtendedLifetime(tokens) {} }
    let all = UnsafeBufferPointer(tokens.elements)
    var result = Evaluation()
    result.steps = encoding.music?.steps(of: all) ?? 0
    try score(all, memory: memory) { _, _, logProbability in
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

extension Model {
  /// What a piece that is scored tells of itself.
  ///
  /// - `memory`: whether the memory tells what it expects.
  func facts(of piece: UnsafeBufferPointer<Int32>, memory: Bool) -> SideFacts {
    var facts = encoding.sideFacts(of: piece)
    // Of a piece that is cut off nobody knows how long it is.
    if piece.last != endToken { facts.bars = 0 }
    if !memory { facts.hideMemory(of: encoding) }
    return facts
  }
}

/// Scores passages, each from a zero state, and tells the network the side values of their tokens.
private final class PassageScorer {
  private let model: Model
  private let scorer: SequenceScorer
  private let reader: SideReader?
  private let memory: Bool

  init(_ model: Model, memory: Bool) throws(LibrettoError) {
    self.model = model
    self.memory = memory
    scorer = try network { () throws(NetworkError) in try SequenceScorer(model.network) }
    reader = try SideReader(model.sides, model.encoding)
    tell(UnsafeBufferPointer(start: nil, count: 0))
  }

  /// A new passage, of which the first piece is given.
  func begin(_ piece: UnsafeBufferPointer<Int32>) {
    scorer.restart()
    tell(piece)
  }

  /// Takes what a piece tells of itself.
  func tell(_ piece: UnsafeBufferPointer<Int32>) {
    reader?.begin(model.facts(of: piece, memory: memory))
  }

  func score(
    _ tokens: UnsafeBufferPointer<Int32>,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) {
    scorer.score(
      tokens, sides: { token, values in self.reader?.advance(token, into: values) }, each: each)
  }
}
