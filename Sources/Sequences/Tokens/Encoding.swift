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

  var vocabularySize: Int { get }

  /// What a session reads first if it was given nothing to begin with.
  var startToken: Int32 { get }

  /// What ends a piece or a document; nil for text that is one long stretch.
  var endToken: Int32? { get }

  /// What a model file must keep, beside the name, to build this encoding again.
  var properties: [String: EncodingProperty] { get }

  /// The side inputs that models of this encoding may have.
  var sideInputs: [SideInput] { get }
  /// What a piece that is learned from tells of itself.
  func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts
  /// The facts of the piece so many semitones higher.
  func transposed(_ facts: SideFacts, by semitones: Int) -> SideFacts
  /// nil if there are no side inputs.
  func makeSideCursor() -> (any SideCursor)?

  /// A grammar in its starting state, for one session.
  func makeGrammar() throws(OutOfMemory) -> any Grammar
}

extension Encoding {
  public var name: String { Self.name }
  public var sideInputs: [SideInput] { [] }
  public func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts { SideFacts() }
  public func transposed(_ facts: SideFacts, by semitones: Int) -> SideFacts { facts }
  public func makeSideCursor() -> (any SideCursor)? { nil }
}

/// Keeps a sequence well-formed while it is sampled: it follows the tokens and forbids those that
/// cannot come next. There is always one that can.
///
/// None of its calls allocates, locks or takes a time that depends on the tokens.
public protocol Grammar: AnyObject {
  /// Back to the beginning of a sequence.
  func reset()

  /// Takes note of a token, drawn or fed. A token that is not allowed here is taken all the same,
  /// as the start of something new: what a host feeds is its own affair.
  func advance(_ token: Int32)

  /// Sets the logits of all tokens that cannot come next to minus infinity.
  func forbid(_ logits: UnsafeMutablePointer<Float>)

  /// Whether the sequence could end here and be whole.
  var isComplete: Bool { get }

  /// The state in `stateSize` bytes, for a session's snapshot.
  static var stateSize: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  /// Takes a saved state; gives false, and changes nothing, if the bytes cannot be one.
  func restore(from bytes: UnsafeRawPointer) -> Bool
}

/// An encoding of text: of any bytes at all, in fact, though what is sampled is UTF-8.
public protocol TextEncoding: Encoding {
  /// Hands on the tokens of some bytes in order. Never fails.
  func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void)

  /// The bytes a token stands for, the first in the lowest 8 bits, and how many: 1 to 4, or 0 for
  /// the end of a document.
  func bytes(of token: Int32) -> (packed: UInt32, count: Int)
}

extension TextEncoding {
  /// How many characters begin with this token: bits per character are counted by this. A byte
  /// begins one unless it is a continuation byte of UTF-8.
  public func characters(in token: Int32) -> Int {
    (token >= 0x80 && token < 0xC0) || token == endToken ? 0 : 1
  }

  /// A document begins after the end of another; a long text with a line.
  public var startToken: Int32 { endToken ?? 0x0A }

  public func makeGrammar() -> any Grammar { UTF8Grammar(vocabulary: vocabularySize) }
}

/// The property that text encodings with an end token have.
let documentsProperty: [String: EncodingProperty] = ["documents": "1"]

func hasDocuments(_ properties: [String: EncodingProperty]) throws(EncodingError) -> Bool {
  switch properties["documents"] {
  case nil: return false
  case "1": return true
  case let value?:
    throw .invalid(
      "the encoding's property \"documents\" is \"\(value.string ?? "long")\"; expected 1, or none")
  }
}

/// The encodings there are.
public enum Encodings {
  public static let names = [
    BytesEncoding.name, CharactersEncoding.name, MelodyEncoding.name, PolyphonyEncoding.name,
    DrumsEncoding.name, PerformanceEncoding.name,
  ]

  /// Whether the name is that of an encoding of music.
  public static func isMusic(_ name: String) -> Bool {
    names.contains(name) && name != BytesEncoding.name && name != CharactersEncoding.name
  }

  /// An encoding of music by name, on a grid of so many steps where it has one.
  public static func music(_ name: String, stepsPerQuarter: Int) throws(EncodingError)
    -> any MusicEncoding
  {
    switch name {
    case MelodyEncoding.name: return try MelodyEncoding(stepsPerQuarter: stepsPerQuarter)
    case PolyphonyEncoding.name: return try PolyphonyEncoding(stepsPerQuarter: stepsPerQuarter)
    case DrumsEncoding.name: return try DrumsEncoding(stepsPerQuarter: stepsPerQuarter)
    case PerformanceEncoding.name: return PerformanceEncoding()
    default: throw .unknown(name)
    }
  }

  /// Builds an encoding again from what a model file kept of it.
  public static func make(name: String, properties: [String: EncodingProperty])
    throws(EncodingError)
    -> any Encoding
  {
    switch name {
    case BytesEncoding.name: return try BytesEncoding(properties: properties)
    case CharactersEncoding.name: return try CharactersEncoding(properties: properties)
    case PerformanceEncoding.name: return PerformanceEncoding(properties: properties)
    case _ where isMusic(name):
      let steps = try stepsPerQuarter(properties)
      let encoding = try music(name, stepsPerQuarter: steps)
      guard let grid = encoding as? any GridEncoding else { return encoding }
      return grid.with(try TimeSignatureTable(properties: properties, stepsPerQuarter: steps))
    default: throw .unknown(name)
    }
  }
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
