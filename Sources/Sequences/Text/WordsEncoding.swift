import Memory

/// The words that a corpus has most often, with bytes to fall back on: a text takes a quarter of the tokens, and the
/// network need not learn to spell. No text can fail.
///
/// Tokens 0 to 255 are the 256 bytes. Tokens from 256 on are words, the most frequent first. A word is a run of ASCII
/// letters, digits, apostrophes and bytes beyond ASCII, or else one other printable byte, with the one space before
/// it if there is one. A word that is not in the encoding's list is spelled in bytes. For documents there is one more
/// token, the last, for their end.
public final class WordsEncoding: TextEncoding {
  public static let name = "words"

  /// The most words that are taken from a corpus, how often a word must be there, and the most bytes of a word.
  static let mostWords = 8192
  static let leastCount = 2
  static let longest = 64

  private let words: WordTable
  public let endToken: Int32?

  /// - `words`: each once.
  init(_ words: WordTable, documents: Bool) throws(EncodingError) {
    let most = 65_536 - 256 - 1
    guard words.count <= most else {
      throw .invalid("an encoding has \(words.count) words; the most is \(most)")
    }
    self.words = words
    endToken = documents ? Int32(256 + words.count) : nil
  }

  convenience init(documents: Bool) throws(EncodingError) {
    try self.init(
      try allocating { () throws(OutOfMemory) in try WordTable() }, documents: documents)
  }

  convenience init(properties: [String: EncodingProperty]) throws(EncodingError) {
    guard let property = properties["words"] else {
      throw .invalid("the encoding \"words\" needs its words, encoding.words, which are missing")
    }
    let text = GrowableBuffer<UInt8>()
    let words = try allocating { () throws(OutOfMemory) in
      try property.append(to: text)
      return try WordTable()
    }
    defer { withExtendedLifetime(text) {} }
    var start = 0
    for i in 0...text.count where i == text.count || text[i] == 0x0A {
      let word = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(text.elements)[start..<i])
      start = i + 1
      if word.isEmpty && text.count == 0 { break }
      guard Self.isWord(word), words.find(word) == nil else {
        throw .invalid("the encoding's words are damaged: one is no word, or there twice")
      }
      _ = try allocating { () throws(OutOfMemory) in try words.add(word) }
    }
    try self.init(words, documents: try hasDocuments(properties))
  }

  public var properties: [String: EncodingProperty] {
    let words = ["words": EncodingProperty.long(words.text)]
    return endToken == nil ? words : words.merging(documentsProperty) { $1 }
  }

  public var vocabularySize: Int { 256 + words.count + (endToken == nil ? 0 : 1) }

  public func makeFitter() throws(OutOfMemory) -> (any TextFitter)? {
    try WordsFitter(documents: endToken != nil)
  }

  public func encode(_ bytes: UnsafeRawBufferPointer, _ each: (Int32) -> Void) {
    let bytes = bytes.assumingMemoryBound(to: UInt8.self)
    var i = 0
    while i < bytes.count {
      let word = UnsafeBufferPointer(rebasing: bytes[i...].prefix(Self.length(bytes, at: i)))
      if word.count > 1, let number = words.find(word) {
        each(Int32(256 + number))
      } else {
        for byte in word { each(Int32(byte)) }
      }
      i += word.count
    }
  }

  public func byteCount(of token: Int32) -> Int {
    if token < 256 { return 1 }
    return token == endToken ? 0 : words.length(of: Int(token) - 256)
  }

  public func byte(_ i: Int, of token: Int32) -> UInt8 {
    token < 256 ? UInt8(truncatingIfNeeded: token) : words.byte(i, of: Int(token) - 256)
  }

  public func characters(in token: Int32) -> Int {
    var count = 0
    forEachByte(of: token) { count += $0 & 0xC0 == 0x80 ? 0 : 1 }
    return count
  }

  // MARK: - What a word is

  /// Bytes of the word that begins at a place, or 1 if there is none.
  static func length(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) -> Int {
    var i = start
    if bytes[i] == 0x20, i + 1 < bytes.count, bytes[i + 1] > 0x20, bytes[i + 1] != 0x7F { i += 1 }
    let end = min(bytes.count, start + longest)
    guard isInWords(bytes[i]) else { return i + 1 - start }
    while i < end, isInWords(bytes[i]) { i += 1 }
    return i - start
  }

  private static func isInWords(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x27, 0x80...: true
    default: false
    }
  }

  /// Whether these bytes are one word of at least two, in well-formed UTF-8.
  static func isWord(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count > 1, bytes.count < longest, length(bytes, at: 0) == bytes.count,
      let base = bytes.baseAddress
    else { return false }
    var i = 0
    while i < bytes.count {
      guard let (_, length) = UTF8Text.scalar(base + i, bytes.count - i) else { return false }
      i += length
    }
    return true
  }
}

/// Counts the words of a corpus, to choose the most frequent.
private final class WordsFitter: TextFitter {
  private let documents: Bool
  private let words: WordTable
  private let counts = GrowableBuffer<UInt32>()
  /// Words that are counted at most: those beyond are rare in any corpus.
  private static let most = 1 << 20

  init(documents: Bool) throws(OutOfMemory) {
    self.documents = documents
    words = try WordTable()
  }

  func read(_ block: UnsafeRawBufferPointer) throws(OutOfMemory) {
    let bytes = block.assumingMemoryBound(to: UInt8.self)
    var i = 0
    while i < bytes.count {
      let length = WordsEncoding.length(bytes, at: i)
      let word = UnsafeBufferPointer(rebasing: bytes[i..<i + length])
      i += length
      guard length > 1 else { continue }
      if let number = words.find(word) {
        if counts[number] < .max { counts[number] += 1 }
      } else if words.count < Self.most, WordsEncoding.isWord(word) {
        try counts.append(1)
        _ = try words.add(word)
      }
    }
  }

  func encoding() throws(EncodingError) -> any TextEncoding {
    let (documents, words, counts) = (documents, words, counts)
    let chosen = try allocating { () throws(OutOfMemory) in
      let order = GrowableBuffer<Int>()
      for i in 0..<words.count where counts[i] >= WordsEncoding.leastCount { try order.append(i) }
      // Equals stay in the order they came in.
      try order.sort { counts[$0] > counts[$1] }
      order.truncate(to: WordsEncoding.mostWords)
      let chosen = try WordTable()
      for i in order { _ = try chosen.add(words.word(i)) }
      return chosen
    }
    return try WordsEncoding(chosen, documents: documents)
  }
}

/// Words by number and numbers by word.
final class WordTable: @unchecked Sendable {
  /// The words, a newline between two, as a model file keeps them.
  let text = GrowableBuffer<UInt8>()
  /// Where each begins.
  private let starts = GrowableBuffer<Int>()
  /// Numbers plus one by hash, 0 for none; at most half full.
  private var slots: GrowableBuffer<Int32>

  init() throws(OutOfMemory) { slots = try GrowableBuffer(repeating: 0, count: 1024) }

  var count: Int { starts.count }

  func length(of number: Int) -> Int {
    (number + 1 < starts.count ? starts[number + 1] - 1 : text.count) - starts[number]
  }

  func byte(_ i: Int, of number: Int) -> UInt8 { text[starts[number] + i] }

  func word(_ number: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      rebasing: UnsafeBufferPointer(text.elements)[starts[number]...].prefix(length(of: number)))
  }

  /// The number of a word; nil if it is not there.
  func find(_ word: UnsafeBufferPointer<UInt8>) -> Int? {
    var slot = hash(word) & (slots.count - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if self.word(number).elementsEqual(word) { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Adds a word that is not there, and gives its number.
  func add(_ word: UnsafeBufferPointer<UInt8>) throws(OutOfMemory) -> Int {
    if 2 * (count + 1) > slots.count { try grow() }
    try text.reserve(word.count + 1)
    try starts.reserve(1)
    if count > 0 { text.appendReserved(0x0A) }
    starts.appendReserved(text.count)
    for byte in word { text.appendReserved(byte) }
    place(count - 1)
    return count - 1
  }

  private func grow() throws(OutOfMemory) {
    slots = try GrowableBuffer(repeating: 0, count: 2 * slots.count)
    for number in 0..<count { place(number) }
  }

  private func place(_ number: Int) {
    var slot = hash(word(number)) & (slots.count - 1)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(number + 1)
  }

  /// FNV-1a.
  private func hash(_ word: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32) & .max
  }
}
