import Memory
import Sequences

/// The texts a host gave, before they become tokens. What is in files stays there until then, unless it
/// was to be converted.
final class TextMaterial {
  /// A stretch of text.
  private struct Piece: BitwiseCopyable {
    /// Of a file, which one; -1 for text in memory.
    var file: Int32 = -1
    /// Where it begins: in its file, or among all text in memory.
    var start: Int
    var count: Int
    /// Whether it is the beginning and the end of what was added.
    var begins = true
    var ends = true
  }

  private typealias Pieces = GrowableBuffer<Piece>

  private let training = Pieces()
  private let validation = Pieces()
  /// All text in memory, one after another.
  private let texts = GrowableBuffer<UInt8>()
  private let textFiles = TextFiles()
  /// The files, in the order they came, for a checkpoint to name.
  let files = FileList()

  /// - `kind`: what to convert from; nil to take the bytes as they are. Of UTF-8 the byte order mark
  ///   is left out, and bytes that are not well-formed are kept.
  func add(file path: String, kind: TextKind? = nil, validation isValidation: Bool)
    throws(LibrettoError)
  {
    if let kind, kind != .utf8 {
      try add(convert(path, from: kind), isValidation)
    } else {
      let (number, count) = try textFiles.add(path)
      let start = try kind.map { (kind) throws(LibrettoError) in
        try textFiles.markLength(of: number, kind)
      }
      try add(Piece(file: number, start: start ?? 0, count: count - (start ?? 0)), isValidation)
    }
    try files.add(MaterialFile(path: path, validation: isValidation, kind: kind))
  }

  /// Keeps the text of a file as UTF-8.
  private func convert(_ path: String, from kind: TextKind) throws(LibrettoError) -> Piece {
    let start = texts.count
    try FileContents.read(path) { (bytes) throws(LibrettoError) in
      try kind.append(bytes, to: texts, name: path)
    }
    return Piece(start: start, count: texts.count - start)
  }

  func add(text: UnsafeRawBufferPointer, validation isValidation: Bool) throws(LibrettoError) {
    let start = texts.count
    try allocating { () throws(OutOfMemory) in
      try texts.append(contentsOf: text.assumingMemoryBound(to: UInt8.self))
    }
    try add(Piece(start: start, count: text.count), isValidation)
  }

  private func add(_ piece: Piece, _ isValidation: Bool) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try (isValidation ? validation : training).append(piece)
    }
  }

  /// What to train on, and what to validate with if there is no material for it: the last part of the
  /// training material, by bytes, or whole documents.
  private func split(_ fraction: Double, documents: Bool) throws(LibrettoError)
    -> (training: Pieces, validation: Pieces)
  {
    let (training, validation) =
      documents ? (try filled(training), try filled(validation)) : (training, validation)
    guard validation.count == 0 else { return (training, validation) }
    if documents, let parts = try spread(fraction, over: training) { return parts }
    let total = training.elements.reduce(0) { $0 + $1.count }
    // The bytes that are left to train on.
    var left = total - Int(Double(total) * fraction)
    let parts = (training: Pieces(), validation: Pieces())
    for piece in training.elements {
      if left >= piece.count {
        try append(piece, to: parts.training)
      } else if left <= 0 {
        try append(piece, to: parts.validation)
      } else {
        var (first, rest) = (piece, piece)
        first.count = try boundary(of: piece, from: left)
        (rest.start, rest.count) = (piece.start + first.count, piece.count - first.count)
        (first.ends, rest.begins) = (false, false)
        try append(first, to: parts.training)
        try append(rest, to: parts.validation)
      }
      left -= piece.count
    }
    return parts
  }

  private func append(_ piece: Piece, to pieces: Pieces) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in try pieces.append(piece) }
  }

  /// The pieces that have any text.
  private func filled(_ pieces: Pieces) throws(LibrettoError) -> Pieces {
    let result = Pieces()
    for piece in pieces.elements where piece.count > 0 { try append(piece, to: result) }
    return result
  }

  /// Documents to train on and documents for validation; nil where they are too few for that.
  private func spread(_ fraction: Double, over documents: Pieces) throws(LibrettoError)
    -> (training: Pieces, validation: Pieces)?
  {
    let parts = (training: Pieces(), validation: Pieces())
    var spread = Spread(fraction)
    for document in documents.elements {
      let isHeld = spread.takes(document.count)
      try append(document, to: isHeld ? parts.validation : parts.training)
    }
    return parts.training.count > 0 && parts.validation.count > 0 ? parts : nil
  }

  /// The first place from `at` on that is not in the middle of a character.
  private func boundary(of piece: Piece, from at: Int) throws(LibrettoError) -> Int {
    var place = at
    let rest = Piece(file: piece.file, start: piece.start + at, count: piece.count - at)
    try eachBlock(of: rest) { block in
      for byte in block {
        if byte & 0xC0 != 0x80 { return false }
        place += 1
      }
      return true
    }
    return place
  }

  /// Makes tokens of everything; nil if it was stopped before its end.
  ///
  /// - `encoding`: nil to build one by `name` from the training part, for documents or for one text.
  /// - `fraction`: how much to keep for validation if there is no material for it.
  func tokenize(
    _ encoding: (any TextEncoding)?, name: String, documents: Bool = false, fraction: Double,
    until stop: StopFlag? = nil
  ) throws(LibrettoError) -> Corpus? {
    let documents = encoding.map { $0.endToken != nil } ?? documents
    let (training, validation) = try split(fraction, documents: documents)
    var encoding = encoding
    if encoding == nil {
      encoding = try makeEncoding(name, documents, for: training, until: stop)
    }
    guard let encoding, let train = try part(training, encoding, until: stop),
      let valid = try part(validation, encoding, until: stop)
    else { return nil }
    let count = train.part.tokens.count
    guard count >= 2 else {
      throw LibrettoError(
        .corpus,
        "the training material has \(count) tokens; at least 2 are needed, and some thousands to learn from"
      )
    }
    return Corpus(
      encoding: encoding, training: train.part, validation: valid.part,
      tokensPerCharacter: Double(count) / Double(max(train.characters, 1)))
  }

  /// nil if it was stopped before its end.
  private func makeEncoding(
    _ name: String, _ documents: Bool, for pieces: Pieces, until stop: StopFlag?
  ) throws(LibrettoError) -> (any TextEncoding)? {
    var settings = EncodingSettings()
    settings.documents = documents
    let encoding: any TextEncoding
    do throws(EncodingError) { encoding = try Encodings.text(name, settings) } catch {
      throw LibrettoError(error)
    }
    guard encoding.alphabetLimit > 0 else { return encoding }
    guard let counter = CharacterCounter() else {
      throw LibrettoError(.memory, "there is no memory to count the corpus' characters")
    }
    for piece in pieces.elements {
      try eachBlock(of: piece) { block in
        counter.count(block)
        return stop?.isRaised != true
      }
      if stop?.isRaised == true { return nil }
    }
    let alphabet: GrowableBuffer<UInt32>
    do throws(OutOfMemory) { alphabet = try counter.alphabet(cap: encoding.alphabetLimit) } catch {
      throw LibrettoError(error)
    }
    do throws(EncodingError) {
      return try encoding.fitted(to: alphabet)
    } catch { throw LibrettoError(error) }
  }

  /// Documents lie between end tokens, of which two that follow each other share one. nil if it was
  /// stopped before its end.
  private func part(
    _ pieces: Pieces, _ encoding: any TextEncoding, until stop: StopFlag?
  ) throws(LibrettoError) -> (part: Corpus.Part, characters: Int)? {
    let end = encoding.endToken
    let store = try TokenStore(capacity: 0)
    let documents = PieceList()
    var characters = 0
    for piece in pieces.elements {
      if let end, piece.begins, store.count == 0 || store[store.count - 1] != end {
        try store.append([end])
      }
      let start = piece.begins && end != nil ? store.count - 1 : store.count
      try eachBlock(of: piece) { (block) throws(LibrettoError) in
        // There are no more tokens than bytes.
        try store.reserve(block.count)
        encoding.encode(block) { token in
          store.append(token)
          characters += encoding.characters(in: token)
        }
        return stop?.isRaised != true
      }
      if stop?.isRaised == true { return nil }
      if let end, piece.ends { try store.append([end]) }
      if end != nil { try documents.append(CollectionOfOne(start..<store.count)) }
    }
    store.trim()
    return (Corpus.Part(tokens: store, pieces: end == nil ? nil : documents), characters)
  }

  /// Hands on a piece in blocks of whole characters, as far as it has any, until the body says no.
  private func eachBlock(
    of piece: Piece, _ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Bool
  ) throws(LibrettoError) {
    if piece.file >= 0 {
      try textFiles.eachBlock(
        of: piece.file, piece.start..<piece.start + piece.count, body)
    } else {
      var rest = UnsafeRawBufferPointer(texts.elements)[
        piece.start..<piece.start + piece.count]
      while !rest.isEmpty {
        let block = UnsafeRawBufferPointer(rebasing: rest.prefix(TextFiles.blockSize))
        let count = block.count < rest.count ? UTF8Text.wholeCharacters(block) : block.count
        guard try body(UnsafeRawBufferPointer(rebasing: block[..<count])) else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}

/// Chooses which of several texts are for validation: spread evenly, and together about a share of all their
/// bytes.
struct Spread {
  private let fraction: Double
  // Held is the text at which what is owed is nearest to its size, as where errors are diffused.
  private var owed = 0.0

  init(_ fraction: Double) { self.fraction = fraction }

  /// Whether the next text, of so many bytes, is for validation.
  mutating func takes(_ size: Int) -> Bool {
    owed += fraction * Double(size)
    guard fraction > 0, owed >= Double(size) / 2 else { return false }
    owed -= Double(size)
    return true
  }
}
