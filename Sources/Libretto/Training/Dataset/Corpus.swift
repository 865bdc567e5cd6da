import Memory
import Sequences

/// What a trainer learns from and is tested on, as tokens.
struct Corpus {
  let encoding: any Encoding
  let training: Part
  let validation: Part
  /// 0 for music, which has no characters.
  let tokensPerCharacter: Double
  /// The labels that pieces may have.
  var labels = Labels()
  /// Whether pieces are pairs, of which the second half alone is predicted.
  var hasPairs = false
  /// How the encoding was chosen, if it was left to the material.
  var choice: EncodingChoice?
  /// What a person should know of its files.
  var remarks = ObjectList<MaterialRemark>()

  /// Tokens, and where pieces lie among them.
  struct Part {
    let tokens: TokenStore
    /// nil for text that is one long stretch.
    let pieces: PieceList?
    /// What is to be predicted after each token, -1 for what does not count; nil if it is the next token.
    var targets: GrowableBuffer<Int32>?

    /// Tokens that are no copies, where pieces overlap.
    var distinct: Int?

    /// Tokens, of pieces without their variants.
    var count: Int {
      if let distinct { return distinct }
      return pieces.map { (pieces) in
        (0..<pieces.count).reduce(0) { $0 + pieces.tokens(of: $1).count }
      }
        ?? tokens.count
    }
  }

  /// Tells this material from any other; nil if it was stopped before its end.
  func fingerprint(until stop: StopFlag?) -> UInt64? {
    var hash = Hash()
    guard training.tokens.add(to: &hash, until: stop),
      validation.tokens.add(to: &hash, until: stop)
    else { return nil }
    for part in [training, validation] {
      for target in part.targets?.elements ?? .init(start: nil, count: 0) {
        hash.add(UInt64(bitPattern: Int64(target)))
      }
      guard let pieces = part.pieces else { continue }
      if !labels.isEmpty {
        for piece in 0..<pieces.count { hash.add(UInt64(pieces.label(of: piece))) }
      }
      if encoding.kind == .series {
        for piece in 0..<pieces.count {
          hash.add(UInt64(pieces.series(of: piece).column))
          hash.add(pieces.series(of: piece).origin?.bitPattern ?? 0)
        }
      }
    }
    for byte in labels.text.utf8 { hash.add(UInt64(byte)) }
    return hash.value
  }

  /// Batches of the training part that an epoch has.
  func batchesPerEpoch(batch: Int, sequence: Int) -> Int {
    training.pieces.map { PieceBatches.epoch($0, batch: batch, sequence: sequence) }
      ?? TextBatches.epoch(tokens: training.tokens.count, batch: batch, sequence: sequence)
  }

  /// How often bars come round in one go, at most, in all but a twentieth of the pieces; nil where there are none, or
  /// no memory to look.
  var barRounds: Int? {
    guard encoding.memoryReach.hasBars, let pieces = training.pieces,
      let memory = try? SequenceMemory(encoding.memoryReach)
    else { return nil }
    // Many pieces of a large collection tell as much as all.
    let looked = min(pieces.count, 2000)
    var counts = [Int](repeating: 0, count: 65)
    for piece in 0..<looked {
      memory.reset()
      var most = 0
      for at in pieces.tokens(of: piece * pieces.count / looked) {
        memory.advance(training.tokens[at], beginsBar: encoding.beginsBar(training.tokens[at]))
        most = max(most, memory.barRounds)
      }
      counts[min(most, 64)] += 1
    }
    var beyond = looked / 20
    for rounds in counts.indices.reversed() {
      beyond -= counts[rounds]
      if beyond < 0 { return max(1, rounds) }
    }
    return 1
  }

  /// Whether other keys and tempi are likely to help.
  var gainsFromVariants: Bool {
    encoding.kind == .music && MusicMaterial.gains(training.pieces?.count ?? .max)
  }

  /// The time steps of a sequence where nobody names them: `usual`, or fewer if of documents, each of which begins a
  /// sequence, these would fill less than four fifths. Of pairs so many that all but one in fifty are whole, at most 256:
  /// the answer is learned by what it says of its source.
  func sequence(usual: Int) -> Int {
    guard encoding.kind != .music, let documents = training.pieces else { return usual }
    // A window of a series whole, so that what is forecast learns from what it looks back at.
    if encoding.kind == .series { return min(256, max(8, documents.longest - 1)) }
    if hasPairs {
      var counts = [Int](repeating: 0, count: 65)
      for piece in 0..<documents.count {
        counts[min(64, (documents.tokens(of: piece).count + 2) / 4)] += 1
      }
      var longer = documents.count / 50
      for quarter in counts.indices.reversed() {
        longer -= counts[quarter]
        if longer < 0 { return max(8, 4 * quarter) }
      }
    }
    let predicted = (0..<documents.count).reduce(0) { $0 + documents.tokens(of: $1).count - 1 }
    var best = (sequence: usual, places: Int.max)
    for sequence in stride(from: usual, through: 8, by: -4) {
      let places = sequence * documents.sequences(sequence)
      if places < best.places { best = (sequence, places) }
      if 4 * places <= 5 * predicted { break }
    }
    return best.sequence
  }

  /// How the targets of the pairs to train on go along with their sources; nil if there are no pairs.
  func alignment() throws(LibrettoError) -> PairAlignment? {
    guard hasPairs, let pieces = training.pieces, !encoding.pairSideInputs(isAligned: true).isEmpty
    else { return nil }
    let tokens = training.tokens
    return try allocating { () throws(OutOfMemory) in
      var fit = PairAlignmentFit(vocabulary: encoding.vocabularySize)
      // As many as the fit reads, from all over the material: half of a pair is its source.
      let half = training.count / max(1, 2 * pieces.count)
      let work = pieces.count * PairAlignmentFit.work(source: half, target: half)
      for piece in stride(
        from: 0, to: pieces.count, by: 1 + work / PairAlignmentFit.mostWork)
      {
        let all = pieces.tokens(of: piece)
        // Without the end tokens it lies between.
        let text = all.dropFirst().dropLast()
        guard let tab = text.first(where: { tokens[$0] == SourceWindow.tab }) else { continue }
        try fit.add(source: text.startIndex..<tab, target: tab + 1..<text.endIndex) { tokens[$0] }
      }
      return try fit.fitted()
    }
  }

  /// How the training part is read.
  func batches(batch: Int, sequence: Int, seed: UInt64, augment: Bool, sides: Sides)
    throws(LibrettoError) -> any Batches
  {
    guard let pieces = training.pieces else {
      return TextBatches(
        training.tokens, batch: batch, sequence: sequence, seed: seed,
        sides: try BatchSides(
          batch: batch, sides, encoding, longest: training.tokens.count / batch + 1))
    }
    return try PieceBatches(
      training.tokens, pieces, targets: training.targets, batch: batch, sequence: sequence,
      seed: seed, shuffles: true,
      music: augment ? encoding.music : nil, sides: sides, encoding: encoding)
  }
}
