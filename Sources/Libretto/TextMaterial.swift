import Sequences

/// The texts a host gave, before and after they became tokens. Files are mapped, not loaded, and
/// let go of once they are tokens.
struct TextMaterial {
  /// A stretch of bytes and what keeps them alive.
  private struct Piece {
    let bytes: UnsafeRawBufferPointer
    let owner: AnyObject
    /// Whether it is the beginning and the end of what was added.
    var begins = true
    var ends = true
  }

  private var training: [Piece] = []
  private var validation: [Piece] = []
  /// The files, in the order they came, for a checkpoint to name.
  private(set) var files: [MaterialFile] = []

  /// - `kind`: what to convert from; nil to take the bytes as they are. Of UTF-8 the byte order mark
  ///   is left out, and bytes that are not well-formed are kept.
  mutating func add(file path: String, kind: TextKind?, validation held: Bool)
    throws(LibrettoError)
  {
    let file = try MappedFile(path)
    if let kind, kind != .utf8 {
      let converted = try TextBytes(converting: file.bytes, from: kind, name: path)
      add(Piece(bytes: converted.bytes, owner: converted), held)
    } else {
      let start = kind?.markLength(file.bytes) ?? 0
      add(Piece(bytes: UnsafeRawBufferPointer(rebasing: file.bytes[start...]), owner: file), held)
    }
    files.append(MaterialFile(path: path, validation: held, kind: kind))
  }

  mutating func add(text: UnsafeRawBufferPointer, validation held: Bool) throws(LibrettoError) {
    let copy = try TextBytes(text)
    add(Piece(bytes: copy.bytes, owner: copy), held)
  }

  private mutating func add(_ piece: Piece, _ held: Bool) {
    if held { validation.append(piece) } else { training.append(piece) }
  }

  /// Moves the last part of the training material, by bytes, to the validation material.
  private mutating func holdOut(_ fraction: Double) {
    let total = training.reduce(0) { $0 + $1.bytes.count }
    var wanted = Int(Double(total) * fraction)
    var held: [Piece] = []
    while wanted > 0, let last = training.popLast() {
      if last.bytes.count <= wanted {
        held.insert(last, at: 0)
        wanted -= last.bytes.count
      } else {
        var cut = last.bytes.count - wanted
        // Not in the middle of a character.
        while cut < last.bytes.count && last.bytes[cut] & 0xC0 == 0x80 { cut += 1 }
        let slice = { UnsafeRawBufferPointer(rebasing: last.bytes[$0]) }
        training.append(
          Piece(bytes: slice(0..<cut), owner: last.owner, begins: last.begins, ends: false))
        held.insert(
          Piece(
            bytes: slice(cut..<last.bytes.count), owner: last.owner, begins: false, ends: last.ends),
          at: 0)
        wanted = 0
      }
    }
    validation = held + validation
  }

  /// The same with whole documents, spread evenly; where they are too few for that, the end of the
  /// last ones.
  private mutating func holdOutDocuments(_ fraction: Double) {
    let isHeld = spread(fraction, over: training.map(\.bytes.count))
    guard isHeld.contains(true), isHeld.contains(false) else { return holdOut(fraction) }
    validation = zip(training, isHeld).filter(\.1).map(\.0)
    training = zip(training, isHeld).filter { !$0.1 }.map(\.0)
  }

  /// Makes tokens of everything.
  ///
  /// - `encoding`: nil to build one by `name` from the training part, for documents or for one text.
  /// - `fraction`: how much to hold out if there is no validation material.
  mutating func tokenize(
    _ encoding: (any TextEncoding)?, name: String, documents: Bool = false, fraction: Double
  ) throws(LibrettoError) -> Corpus {
    let documents = encoding.map { $0.endToken != nil } ?? documents
    if documents {
      training.removeAll { $0.bytes.isEmpty }
      validation.removeAll { $0.bytes.isEmpty }
    }
    if validation.isEmpty {
      if documents { holdOutDocuments(fraction) } else { holdOut(fraction) }
    }
    let encoding = if let encoding { encoding } else { try makeEncoding(name, documents) }
    var characters = 0
    let train = try part(training, encoding, &characters)
    var held = 0
    let valid = try part(validation, encoding, &held)
    let count = train.tokens.count
    guard count >= 2 else {
      throw LibrettoError(
        .corpus,
        "the training material has \(count) tokens; at least 2 are needed, and some thousands to learn from"
      )
    }
    return Corpus(
      encoding: encoding, training: train, validation: valid,
      tokensPerCharacter: Double(count) / Double(max(characters, 1)))
  }

  private func makeEncoding(_ name: String, _ documents: Bool) throws(LibrettoError)
    -> any TextEncoding
  {
    guard name == CharactersEncoding.name else {
      guard name == BytesEncoding.name else { throw LibrettoError(EncodingError.unknown(name)) }
      return BytesEncoding(documents: documents)
    }
    guard let counter = CharacterCounter() else {
      throw LibrettoError(.memory, "there is no memory to count the corpus' characters")
    }
    for piece in training { counter.count(piece.bytes) }
    do throws(EncodingError) {
      return try CharactersEncoding(
        alphabet: counter.alphabet(cap: CharactersEncoding.usualCap - (documents ? 1 : 0)),
        documents: documents)
    } catch { throw LibrettoError(error) }
  }

  /// Documents lie between end tokens, of which two that follow each other share one.
  private func part(_ pieces: [Piece], _ encoding: any TextEncoding, _ characters: inout Int)
    throws(LibrettoError) -> Corpus.Part
  {
    let end = encoding.endToken
    var count = end == nil ? 0 : 2 * pieces.count
    for piece in pieces { encoding.encode(piece.bytes) { _ in count += 1 } }
    let store = try TokenStore(capacity: count)
    var documents: [[Range<Int>]] = []
    for piece in pieces {
      if let end, piece.begins, store.count == 0 || store[store.count - 1] != end {
        store.append(end)
      }
      let start = piece.begins && end != nil ? store.count - 1 : store.count
      encoding.encode(piece.bytes) { token in
        store.append(token)
        characters += encoding.characters(in: token)
      }
      if let end, piece.ends { store.append(end) }
      if end != nil { documents.append([start..<store.count]) }
    }
    return Corpus.Part(tokens: store, pieces: end == nil ? nil : documents)
  }
}

/// Which of several texts to hold out: spread evenly, and together about a share of all their bytes.
func spread(_ fraction: Double, over sizes: [Int]) -> [Bool] {
  // Held is the text at which what is owed is nearest to its size, as where errors are diffused.
  var owed = 0.0
  return sizes.map { size in
    owed += fraction * Double(size)
    guard fraction > 0, owed >= Double(size) / 2 else { return false }
    owed -= Double(size)
    return true
  }
}
