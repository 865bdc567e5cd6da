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

  public func byteCount(of token: Int32) -> Int { token < 256 ? 1 : 0 }
  public func byte(_ i: Int, of token: Int32) -> UInt8 { UInt8(truncatingIfNeeded: token) }
}
