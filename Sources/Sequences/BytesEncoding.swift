/// 256 tokens, one for each byte: reads anything.
public struct BytesEncoding: TextEncoding {
  public static let name = "bytes"

  public init() {}

  public var vocabularySize: Int { 256 }
  public var properties: [String: String] { [:] }

  public func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void) {
    for byte in bytes { each(Int32(byte)) }
  }

  public func bytes(of token: Int32) -> (packed: UInt32, count: Int) {
    (UInt32(truncatingIfNeeded: token) & 0xFF, 1)
  }
}
