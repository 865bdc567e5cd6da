import Memory

/// What the tokens of a model mean: how a file becomes tokens and tokens become a file again, and
/// which token may follow which.
///
/// The network knows numbers from 0 up to `vocabularySize` and nothing else. A new encoding is one
/// file that conforms to this, and a line in `Encodings`.
///
/// A class: to copy a reference of this type takes no type metadata, which the runtime would have to
/// build at the first copy, on whatever thread that is.
public protocol Encoding: AnyObject, Sendable {
  /// The name users choose it by and model files record.
  static var name: String { get }

  static var kind: EncodingKind { get }
  /// This encoding, if it is one of text; else nil.
  var text: (any TextEncoding)? { get }
  /// This encoding, if it is one of music; else nil.
  var music: (any MusicEncoding)? { get }
  /// This encoding, if it is that of numbers; else nil.
  var series: SeriesEncoding? { get }

  var vocabularySize: Int { get }

  /// Tokens that stand for numbers in rising order: a network begins with like ones for neighbours.
  var orderedTokens: Range<Int> { get }

  /// What a session reads first if it was given nothing to begin with.
  var startToken: Int32 { get }

  /// What ends a piece or a document; nil for text that is one long stretch.
  var endToken: Int32? { get }

  /// What a model file must keep, beside the name, to build this encoding again.
  var properties: [String: EncodingProperty] { get }

  /// The side inputs of this encoding's own, whose values its `makeSideCursor` works out.
  var ownSideInputs: [SideInput] { get }
  /// What a piece that is learned from tells of itself.
  func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts
  /// The facts of the piece so many semitones higher.
  func transposed(_ facts: SideFacts, by semitones: Int) -> SideFacts
  /// nil if it has no side inputs of its own.
  func makeSideCursor() throws(OutOfMemory) -> (any SideCursor)?
  /// Whether these values of `ownSideInputs` tell how the piece ends, and its end is near. There the memory tells
  /// nothing: most pieces end as a passage before did, so a network that had the memory would not learn what the
  /// values mean.
  func tellsEnding(_ values: UnsafePointer<Int32>) -> Bool

  /// Whether a bar of music begins after this token.
  func beginsBar(_ token: Int32) -> Bool

  /// A grammar in its starting state, for one session.
  func makeGrammar() throws(OutOfMemory) -> any Grammar
}

extension Encoding {
  public var name: String { Self.name }
  public var kind: EncodingKind { Self.kind }
  /// The tokens that a host names, of an encoding that gives them no meaning; 0 for others.
  public var hostVocabulary: Int { kind == .tokens ? vocabularySize - 1 : 0 }
  public var text: (any TextEncoding)? { nil }
  public var music: (any MusicEncoding)? { nil }
  public var series: SeriesEncoding? { nil }
  public var orderedTokens: Range<Int> { 0..<0 }
  public var ownSideInputs: [SideInput] { [] }
  /// The side inputs of the memory; none of numbers, which hardly ever come again exactly.
  public var memorySideInputs: [SideInput] {
    kind == .series
      ? []
      : SequenceMemory.sideInputs(vocabulary: vocabularySize, hasBars: memoryReach.hasBars)
  }
  /// The side inputs of pairs: see `SourceWindow`; none of encodings without documents of text.
  ///
  /// - `isAligned`: whether the model has a `PairAlignment`.
  public func pairSideInputs(isAligned: Bool) -> [SideInput] {
    kind == .text && endToken != nil
      ? SourceWindow.sideInputs(vocabulary: vocabularySize, isAligned: isAligned) : []
  }
  /// The side inputs that models of this encoding may have: its own, that for the label, those of pairs, then those of
  /// the memory.
  public func sideInputs(_ labels: Labels = Labels(), isAligned: Bool = false) -> [SideInput] {
    ownSideInputs + labels.sideInputs + pairSideInputs(isAligned: isAligned) + memorySideInputs
  }
  public var memoryReach: SequenceMemory.Reach {
    kind != .music ? .text : music?.hasBars == true ? .grid : .performance
  }
  /// Whether a piece begins with this token, of which the memory forgets what was before.
  public func beginsPiece(_ token: Int32) -> Bool {
    kind == .music && token == startToken || token == endToken
  }
  public func beginsBar(_ token: Int32) -> Bool { false }
  public func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts { SideFacts() }
  public func transposed(_ facts: SideFacts, by semitones: Int) -> SideFacts { facts }
  public func makeSideCursor() throws(OutOfMemory) -> (any SideCursor)? { nil }
  public func tellsEnding(_ values: UnsafePointer<Int32>) -> Bool { false }
}

/// What the tokens of an encoding are.
public enum EncodingKind: Int32, Sendable {
  /// Text: the calls for text work.
  case text = 0
  /// Music: the calls for events and MIDI files work.
  case music = 1
  /// Numbers whose meaning only the host knows.
  case tokens = 2
  /// Numbers at regular times: the calls for values work.
  case series = 3
}

public enum EncodingError: Error, Equatable {
  /// A name that is none of `Encodings.names`.
  case unknown(String)
  /// Properties that no encoding of that name can have; the sentence says which.
  case invalid(String)
  /// A piece of too many tokens: so many.
  case tooLong(Int)
  /// There is no memory for what the encoding needs.
  case outOfMemory(OutOfMemory)
}

/// Runs something that allocates and turns its error into one of encodings.
func allocating<Value>(_ body: () throws(OutOfMemory) -> Value) throws(EncodingError) -> Value {
  do { return try body() } catch { throw .outOfMemory(error) }
}
