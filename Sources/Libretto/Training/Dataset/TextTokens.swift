import Memory
import Sequences

// How texts become tokens.

extension TextMaterial {
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
      tokensPerCharacter: Double(count) / Double(max(train.characters, 1)), hasPairs: hasPairs)
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
    let made = try allocating { () throws(OutOfMemory) in try encoding.makeFitter() }
    guard let fitter = made else { return encoding }
    for piece in pieces.elements {
      try eachBlock(of: piece) { (block) throws(LibrettoError) in
        try allocating { () throws(OutOfMemory) in try fitter.read(block) }
        return stop?.isRaised != true
      }
      if stop?.isRaised == true { return nil }
    }
    do throws(EncodingError) { return try fitter.encoding() } catch { throw LibrettoError(error) }
  }

  /// Documents lie between end tokens, of which two that follow each other share one. nil if it was
  /// stopped before its end.
  private func part(
    _ pieces: Pieces, _ encoding: any TextEncoding, until stop: StopFlag?
  ) throws(LibrettoError) -> (part: Corpus.Part, characters: Int)? {
    let end = encoding.endToken
    let store = try TokenStore(capacity: 0)
    let documents = PieceList()
    // What is predicted after each token, where not all of them count.
    let targets = hasPairs ? GrowableBuffer<Int32>() : nil
    var characters = 0
    for piece in pieces.elements {
      if let end, piece.begins, store.count == 0 || store[store.count - 1] != end {
        try store.append([end])
        try allocating { () throws(OutOfMemory) in try targets?.append(-1) }
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
      if end != nil {
        try documents.append(CollectionOfOne(start..<store.count), label: piece.label)
      }
      if let targets { try appendTargets(to: targets, from: start, store, piece) }
    }
    store.trim()
    return (
      Corpus.Part(tokens: store, pieces: end == nil ? nil : documents, targets: targets), characters
    )
  }

  /// Says what is predicted after the tokens of a document: of a pair, what follows the tab.
  private func appendTargets(
    to targets: GrowableBuffer<Int32>, from start: Int, _ store: TokenStore, _ piece: Piece
  ) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try targets.reserve(store.count - targets.count)
    }
    // The end of the document before, with which this one begins, had nothing to predict so far.
    targets.truncate(to: start)
    var counts = !piece.isPair
    for at in start..<store.count - 1 {
      if !counts { counts = at > start && store[at] == SourceWindow.tab }
      targets.appendReserved(counts ? store[at + 1] : -1)
    }
    targets.appendReserved(-1)
  }
}
