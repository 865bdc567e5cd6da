/// 256 tokens, one for each byte: reads anything. For documents there is one more, their end.
public final class BytesEncoding: TextEncoding {
  public static let name = "bytes"

  public let endToken: Int32?

  /// - `documents`: whether there is a token for the end of a document.
  public init(documents: Bool = false) { endToken = documents ? 256 : nil }

  convenience init(properties: [String: EncodingProperty]) throws(EncodingError) {
    self.init(documents: try hasDocuments(properties))
  }

  public var vocabularySize: Int { endToken == nil ? 256 : 257 }
  public var properties: [String: EncodingProperty] { endToken == nil ? [:] : documentsProperty }

  public func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void) {
    for byte in bytes { each(Int32(byte)) }
  }

  public func bytes(of token: Int32) -> (packed: UInt32, count: Int) {
    token < 256 ? (UInt32(truncatingIfNeeded: token) & 0xFF, 1) : (0, 0)
  }
}
