import Memory

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Unicode characters, with bytes to fall back on: no text can fail, and the alphabet stays small.
///
/// Tokens 0 to 255 are the 256 bytes, and so all of ASCII. Tokens from 256 on are the characters
/// beyond ASCII that the corpus held, the most frequent first, up to a cap. Every other character is
/// spelled in the bytes of its UTF-8, and a byte that is no part of one stands for itself. For
/// documents there is one more token, the last, for their end.
public final class CharactersEncoding: TextEncoding {
  public static let name = "characters"

  /// The most characters beyond ASCII that an alphabet holds unless told otherwise.
  public static let usualCap = 3840

  /// The characters beyond ASCII, in the order of their tokens.
  public let alphabet: [Unicode.Scalar]
  public let endToken: Int32?
  private let tokens: ScalarTable

  /// - `alphabet`: characters beyond ASCII, each once, at most 65,280 of them, or 65,279 with
  ///   documents.
  /// - `documents`: whether there is a token for the end of a document.
  public init(alphabet: [Unicode.Scalar], documents: Bool = false) throws(EncodingError) {
    let most = documents ? 65_279 : 65_280
    guard alphabet.count <= most else {
      throw .invalid("an alphabet has \(alphabet.count) characters; the most is \(most)")
    }
    do { tokens = try ScalarTable() } catch { throw .outOfMemory(error) }
    for (i, scalar) in alphabet.enumerated() {
      guard scalar.value >= 0x80, tokens[scalar.value] == 0 else {
        throw .invalid("an alphabet names U+\(String(scalar.value, radix: 16)) where it must not")
      }
      do { try tokens.set(scalar.value, UInt16(256 + i)) } catch { throw .outOfMemory(error) }
    }
    self.alphabet = alphabet
    endToken = documents ? Int32(256 + alphabet.count) : nil
  }

  convenience init(properties: [String: String]) throws(EncodingError) {
    guard let text = properties["alphabet"] else {
      throw .invalid(
        "the encoding \"characters\" needs its characters beyond ASCII, encoding.alphabet, which is missing"
      )
    }
    try self.init(
      alphabet: Array(text.unicodeScalars), documents: try hasDocuments(properties))
  }

  public var properties: [String: String] {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: alphabet)
    let alphabet = ["alphabet": String(text)]
    return endToken == nil ? alphabet : alphabet.merging(documentsProperty) { $1 }
  }

  public var vocabularySize: Int { 256 + alphabet.count + (endToken == nil ? 0 : 1) }

  public func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var i = 0
    while i < bytes.count {
      if base[i] >= 0x80, let (scalar, length) = UTF8Text.scalar(base + i, bytes.count - i) {
        let token = tokens[scalar]
        if token != 0 {
          each(Int32(token))
        } else {
          for j in i..<i + length { each(Int32(base[j])) }
        }
        i += length
      } else {
        each(Int32(base[i]))
        i += 1
      }
    }
  }

  public func bytes(of token: Int32) -> (packed: UInt32, count: Int) {
    if token < 256 { return (UInt32(truncatingIfNeeded: token) & 0xFF, 1) }
    let place = Int(token) - 256
    return place < alphabet.count ? UTF8Text.bytes(of: alphabet[place].value) : (0, 0)
  }
}

/// Counts the characters of a corpus, to choose an alphabet from.
public struct CharacterCounter: ~Copyable {
  // Untouched pages of this table take no memory: it grows with the scripts a corpus uses.
  private let counts: UnsafeMutablePointer<UInt32>
  private static let size = 0x110000

  /// nil if there is no memory for the table.
  public init?() {
    guard let memory = calloc(Self.size, MemoryLayout<UInt32>.stride) else { return nil }
    counts = memory.bindMemory(to: UInt32.self, capacity: Self.size)
  }

  deinit { free(counts) }

  public func count(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var i = 0
    while i < bytes.count {
      if base[i] >= 0x80, let (scalar, length) = UTF8Text.scalar(base + i, bytes.count - i) {
        if counts[Int(scalar)] < .max { counts[Int(scalar)] += 1 }
        i += length
      } else {
        i += 1
      }
    }
  }

  /// The characters seen, the most frequent first (of equals the lower code point), at most `cap`.
  public func alphabet(cap: Int = CharactersEncoding.usualCap) -> [Unicode.Scalar] {
    var seen: [(scalar: UInt32, count: UInt32)] = []
    for scalar in 0x80..<Self.size where counts[scalar] > 0 {
      seen.append((UInt32(scalar), counts[scalar]))
    }
    seen.sort { $0.count != $1.count ? $0.count > $1.count : $0.scalar < $1.scalar }
    return seen.prefix(cap).compactMap { Unicode.Scalar($0.scalar) }
  }
}

/// From code points to tokens, in constant time; 0 where there is none. Blocks of 256 code points,
/// and only those that hold something.
private final class ScalarTable: @unchecked Sendable {
  private let block: GrowableBuffer<UInt16>
  private let entries: GrowableBuffer<UInt16>

  init() throws(OutOfMemory) {
    block = try GrowableBuffer(repeating: 0, count: 0x1100)
    entries = try GrowableBuffer(repeating: 0, count: 256)
  }

  subscript(scalar: UInt32) -> UInt16 {
    entries[Int(block[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
  }

  func set(_ scalar: UInt32, _ token: UInt16) throws(OutOfMemory) {
    let high = Int(scalar >> 8)
    if block[high] == 0 {
      let number = UInt16(entries.count / 256)
      try entries.append(contentsOf: repeatElement(0, count: 256))
      block[high] = number
    }
    entries[Int(block[high]) << 8 | Int(scalar & 0xFF)] = token
  }
}
