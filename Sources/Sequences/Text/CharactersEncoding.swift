import Memory
import Platform

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

  /// The characters beyond ASCII, in the order of their tokens, and the same as UTF-8.
  private let scalars: GrowableBuffer<UInt32>
  private let utf8: GrowableBuffer<UInt8>
  public let endToken: Int32?
  private let tokens: ScalarTable

  public func makeFitter() throws(OutOfMemory) -> (any TextFitter)? {
    try CharactersFitter(documents: endToken != nil)
  }

  public var alphabet: [Unicode.Scalar] { scalars.elements.compactMap { Unicode.Scalar($0) } }

  /// - `alphabet`: characters beyond ASCII, each once, at most 65,280 of them, or 65,279 with
  ///   documents.
  /// - `documents`: whether there is a token for the end of a document.
  public convenience init(alphabet: [Unicode.Scalar], documents: Bool = false)
    throws(EncodingError)
  {
    let scalars = GrowableBuffer<UInt32>()
    do { for scalar in alphabet { try scalars.append(scalar.value) } } catch {
      throw .outOfMemory(error)
    }
    try self.init(scalars: scalars, documents: documents)
  }

  /// The same from the code points of the alphabet.
  package init(scalars: GrowableBuffer<UInt32>, documents: Bool) throws(EncodingError) {
    let most = documents ? 65_279 : 65_280
    guard scalars.count <= most else {
      throw .invalid("an alphabet has \(scalars.count) characters; the most is \(most)")
    }
    let utf8 = GrowableBuffer<UInt8>()
    do {
      tokens = try ScalarTable()
      for (i, scalar) in scalars.elements.enumerated() {
        guard scalar >= 0x80, tokens[scalar] == 0 else {
          throw EncodingError.invalid(
            "an alphabet names U+\(String(scalar, radix: 16)) where it must not")
        }
        try tokens.set(scalar, to: UInt16(256 + i))
        let (packed, count) = UTF8Text.bytes(of: scalar)
        for byte in 0..<count {
          try utf8.append(UInt8(truncatingIfNeeded: packed >> UInt32(8 * byte)))
        }
      }
    } catch let error as EncodingError { throw error } catch let error as OutOfMemory {
      throw .outOfMemory(error)
    } catch { throw .invalid("an alphabet cannot be read") }
    self.scalars = scalars
    self.utf8 = utf8
    endToken = documents ? Int32(256 + scalars.count) : nil
  }

  convenience init(properties: [String: EncodingProperty]) throws(EncodingError) {
    guard let property = properties["alphabet"] else {
      throw .invalid(
        "the encoding \"characters\" needs its characters beyond ASCII, encoding.alphabet, which is missing"
      )
    }
    let scalars: GrowableBuffer<UInt32>
    do { scalars = try Self.scalars(of: property) } catch { throw .outOfMemory(error) }
    try self.init(scalars: scalars, documents: try hasDocuments(properties))
  }

  private static func scalars(of property: EncodingProperty) throws(OutOfMemory)
    -> GrowableBuffer<UInt32>
  {
    let utf8 = GrowableBuffer<UInt8>()
    try property.append(to: utf8)
    let scalars = GrowableBuffer<UInt32>()
    try utf8.withElements { (bytes) throws(OutOfMemory) in
      var i = 0
      while i < bytes.count, let base = bytes.baseAddress {
        // A byte that begins no character is read as ASCII, which no alphabet may have.
        let (scalar, length) =
          UTF8Text.scalar(UnsafePointer(base + i), bytes.count - i) ?? (UInt32(bytes[i] & 0x7F), 1)
        try scalars.append(scalar)
        i += length
      }
    }
    return scalars
  }

  public var properties: [String: EncodingProperty] {
    let alphabet = ["alphabet": EncodingProperty.long(utf8)]
    return endToken == nil ? alphabet : alphabet.merging(documentsProperty) { $1 }
  }

  public var vocabularySize: Int { 256 + scalars.count + (endToken == nil ? 0 : 1) }

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

  public func byteCount(of token: Int32) -> Int { bytes(of: token).count }
  public func byte(_ i: Int, of token: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: bytes(of: token).packed >> UInt32(8 * i))
  }

  /// The bytes of a token, the first in the lowest 8 bits, and how many.
  private func bytes(of token: Int32) -> (packed: UInt32, count: Int) {
    if token < 256 { return (UInt32(truncatingIfNeeded: token) & 0xFF, 1) }
    let place = Int(token) - 256
    return place < scalars.count ? UTF8Text.bytes(of: scalars[place]) : (0, 0)
  }
}

/// Fits an alphabet to a corpus.
private final class CharactersFitter: TextFitter {
  private let documents: Bool
  private let counter: CharacterCounter

  init(documents: Bool) throws(OutOfMemory) {
    self.documents = documents
    guard let counter = CharacterCounter() else {
      throw OutOfMemory(bytes: CharacterCounter.memory)
    }
    self.counter = counter
  }

  func read(_ block: UnsafeRawBufferPointer) { counter.count(block) }

  func encoding() throws(EncodingError) -> any TextEncoding {
    let alphabet = try allocating { () throws(OutOfMemory) in
      try counter.alphabet(cap: CharactersEncoding.usualCap - (documents ? 1 : 0))
    }
    return try CharactersEncoding(scalars: alphabet, documents: documents)
  }
}

/// Counts the characters of a corpus, to choose an alphabet from.
public struct CharacterCounter: ~Copyable {
  // Untouched pages of this table take no memory: it grows with the scripts a corpus uses.
  private let counts: UnsafeMutablePointer<UInt32>
  private static let size = 0x110000
  /// Bytes of the table.
  static let memory = size * MemoryLayout<UInt32>.stride

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
  public func alphabet(cap: Int = CharactersEncoding.usualCap) throws(OutOfMemory)
    -> GrowableBuffer<UInt32>
  {
    let seen = GrowableBuffer<UInt32>()
    for scalar in 0x80..<Self.size where counts[scalar] > 0 { try seen.append(UInt32(scalar)) }
    // Equals stay in their order, that of their code points.
    try seen.sort { counts[Int($0)] > counts[Int($1)] }
    seen.truncate(to: cap)
    return seen
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

  @inline(__always)
  subscript(scalar: UInt32) -> UInt16 {
    entries[Int(block[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
  }

  func set(_ scalar: UInt32, to token: UInt16) throws(OutOfMemory) {
    let high = Int(scalar >> 8)
    if block[high] == 0 {
      let number = UInt16(entries.count / 256)
      try entries.append(contentsOf: repeatElement(0, count: 256))
      block[high] = number
    }
    entries[Int(block[high]) << 8 | Int(scalar & 0xFF)] = token
  }
}
