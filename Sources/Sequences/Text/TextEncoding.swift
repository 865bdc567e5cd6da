import Memory

/// An encoding of text: of any bytes at all, in fact, though what is sampled is UTF-8.
public protocol TextEncoding: Encoding {
  /// Hands on the tokens of some bytes in order. Never fails.
  func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void)

  /// The bytes a token stands for, the first in the lowest 8 bits, and how many: 1 to 4, or 0 for
  /// the end of a document.
  func bytes(of token: Int32) -> (packed: UInt32, count: Int)

  /// The most characters that get tokens of their own, the most frequent of the material; 0 if it takes
  /// no note of the material.
  var alphabetLimit: Int { get }
  /// The encoding with tokens for these characters.
  func fitted(to alphabet: GrowableBuffer<UInt32>) throws(EncodingError) -> any TextEncoding
}

extension TextEncoding {
  public static var kind: EncodingKind { .text }
  public var text: (any TextEncoding)? { self }
  public var alphabetLimit: Int { 0 }
  public func fitted(to alphabet: GrowableBuffer<UInt32>) throws(EncodingError)
    -> any TextEncoding
  { self }

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
