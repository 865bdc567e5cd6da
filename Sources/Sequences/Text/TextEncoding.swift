import Memory

/// An encoding of text: of any bytes at all, in fact, though what is sampled is UTF-8.
public protocol TextEncoding: Encoding {
  /// Hands on the tokens of some bytes in order. Never fails.
  func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void)

  /// How many bytes a token stands for; 0 for the end of a document.
  func byteCount(of token: Int32) -> Int
  /// One of them, from 0 on.
  func byte(_ i: Int, of token: Int32) -> UInt8

  /// How many characters begin with this token: bits per character are counted by this.
  func characters(in token: Int32) -> Int

  /// What reads some material and gives the encoding with tokens for what is frequent there; nil if it takes no note of
  /// the material, so that any bytes are as good as text.
  func makeFitter() throws(OutOfMemory) -> (any TextFitter)?
}

/// Reads material to fit an encoding of text to it.
public protocol TextFitter: AnyObject {
  /// Takes note of a block of whole characters.
  func read(_ block: UnsafeRawBufferPointer) throws(OutOfMemory)
  /// The encoding for what was read.
  func encoding() throws(EncodingError) -> any TextEncoding
}

extension TextEncoding {
  public static var kind: EncodingKind { .text }
  public var text: (any TextEncoding)? { self }
  public func makeFitter() throws(OutOfMemory) -> (any TextFitter)? { nil }

  /// Hands on the bytes of a token in order.
  @inline(__always)
  public func forEachByte(of token: Int32, _ body: (UInt8) -> Void) {
    for i in 0..<byteCount(of: token) { body(byte(i, of: token)) }
  }

  /// A byte begins a character unless it is a continuation byte of UTF-8.
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
