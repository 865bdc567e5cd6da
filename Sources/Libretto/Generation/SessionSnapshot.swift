import Sequences

/// Snapshots: all that the future of a session depends on, save the settings, the mask and the model.
///
/// The bytes are the same on every machine, and later versions read them: whatever changes here, or in what
/// grammars, players and listeners save, is a new version, and this one is still read. Numbers are
/// little-endian, floats are those of IEEE 754:
///
///      0  8 bytes "RETTOSNP"
///      8  4 bytes: the version, 1
///     12  4 bytes: how many bytes there are in all, a multiple of 8
///     16  8 bytes: the fingerprint of the model, or of the one it is an adaptation of
///     24  4 words of 8 bytes: the random generator
///     56  4 bytes: the token drawn or fed last that the network has not read, -1 for none
///     60  4 bytes: 1 if the logits are those of what comes next, else 0; plus 256 times the bytes of the last token
///         that `nextText` has not given yet
///     64  8 bytes: how many tokens were drawn and fed
///     72  256 tokens of 4 bytes: the last of them, token n at place n modulo 256, -1 for none
///   1096  the state, `hidden` floats per layer, then `vocabulary` logits, 0 unless they are as above
///         what the grammar saves; of music what the player and the listener save, 8 bytes with how far
///         the host's time is ahead, and 8 with 1 if something heard is not read yet, else 0
///         of music with side inputs 13 words: how long C to B have sounded in the present piece; then 256 times the
///         key that they tell, plus the notes to hear before it is looked for again
///         of models with a memory what it saves, then of models of pairs what `SourceWindow` saves
///         of models of numbers what `SeriesReader` saves
///         zeros, to a multiple of 8
///         8 bytes: the checksum, which is `Hash` over all words of 8 bytes before it
///
/// In every version the first 16 bytes and the checksum are where they are here.
extension Session {
  private static let magic: UInt64 = 0x504E_534F_5454_4552  // "RETTOSNP"
  private static let version: UInt32 = 1
  private static let recentStart = 72
  private static let floatStart = recentStart + 4 * 256

  /// Bytes of a snapshot of this session.
  public var snapshotSize: Int { (sequenceStart + sequenceSize + 7) / 8 * 8 + 8 }

  private var sequenceStart: Int {
    let shape = model.shape
    return Self.floatStart + 4 * (shape.layers * shape.hidden + shape.vocabulary)
  }

  /// Bytes of what is known of the sequence beside the network's state.
  private var sequenceSize: Int { sidesStart + (sideValues?.stateSize ?? 0) }
  private var sidesStart: Int { music?.stateSize ?? type(of: grammar).stateSize }

  /// Writes a snapshot; `bytes` has room for `snapshotSize`. Real-time.
  public func snapshot(_ bytes: UnsafeMutableRawPointer) {
    let size = snapshotSize
    // The zeros at the end; what lies before them is written over it.
    bytes.setWord(size / 8 - 2, 0)
    bytes.setWord(0, Self.magic)
    bytes.setHalfWord(2, Self.version)
    bytes.setHalfWord(3, UInt32(size))
    bytes.setWord(2, model.origin)
    bytes.setWord(3, random.words.0)
    bytes.setWord(4, random.words.1)
    bytes.setWord(5, random.words.2)
    bytes.setWord(6, random.words.3)
    bytes.setHalfWord(14, UInt32(bitPattern: pending))
    bytes.setHalfWord(15, (knowsNext ? 1 : 0) | UInt32(unspoken) << 8)
    bytes.setWord(8, UInt64(sampler.recent.count))
    for i in 0..<256 {
      let token = UInt32(bitPattern: sampler.recent.tokens[i])
      (bytes + Self.recentStart).setHalfWord(i, token)
    }
    var floats = bytes + Self.floatStart
    eachLayer { state, count in
      for i in 0..<count { floats.setHalfWord(i, state[i].bitPattern) }
      floats += 4 * count
    }
    let logits = scratch.logits.pointer
    for i in 0..<model.shape.vocabulary {
      floats.setHalfWord(i, knowsNext ? logits[i].bitPattern : 0)
    }
    saveSequence(to: bytes + sequenceStart)
    bytes.setWord(size / 8 - 1, Self.checksum(bytes, size))
  }

  /// Goes back to a snapshot taken of a session over the same model. Throws, and changes nothing,
  /// if the bytes are not one. Real-time.
  public func restore(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) {
    let base = try checked(bytes)
    let pending = Int32(bitPattern: base.halfWord(14))
    let count = base.word(8)
    let vocabulary = Int32(model.shape.vocabulary)
    guard
      let random = RandomSource(words: (base.word(3), base.word(4), base.word(5), base.word(6))),
      // A count that cannot overflow, however much is drawn from here on.
      pending >= -1, pending < vocabulary, count <= 1 << 62,
      base.halfWord(15) & 0xFF <= (pending < 0 ? 1 : 0)
    else { throw damaged }
    let unspoken = Int(base.halfWord(15) >> 8)
    var recent = Sampler.Recent()
    recent.count = Int(count)
    for i in 0..<256 {
      let token = Int32(bitPattern: (base + Self.recentStart).halfWord(i))
      guard token >= -1, token < vocabulary, i >= recent.count || token >= 0 else { throw damaged }
      recent.tokens[i] = token
    }
    let spoken = recent.count > 0 ? recent.tokens[(recent.count - 1) % 256] : -1
    guard unspoken == 0 || spoken >= 0 && unspoken < model.encoding.text?.byteCount(of: spoken) ?? 0
    else { throw damaged }
    var floats = base + Self.floatStart
    for i in 0..<(sequenceStart - Self.floatStart) / 4
    where !Float(bitPattern: floats.halfWord(i)).isFinite { throw damaged }
    // What is damaged must leave no half of itself behind.
    let backup = UnsafeMutableRawPointer(backup.base!)
    saveSequence(to: backup)
    guard restoreSequence(from: base + sequenceStart) else {
      _ = restoreSequence(from: backup)
      throw damaged
    }
    eachLayer { state, count in
      for i in 0..<count { state[i] = Float(bitPattern: floats.halfWord(i)) }
      floats += 4 * count
    }
    let logits = scratch.logits.pointer
    for i in 0..<Int(vocabulary) { logits[i] = Float(bitPattern: floats.halfWord(i)) }
    self.random = random
    sampler.setRecent(recent)
    self.pending = pending
    knowsNext = base.halfWord(15) & 1 == 1
    (self.spoken, self.unspoken) = (spoken, unspoken)
    journal.cut()
    music?.reader.grammar.clearForcedNotes()
    music?.sounding.endAll()
  }

  private var damaged: LibrettoError { LibrettoError(.format, "this snapshot is damaged") }

  /// The bytes, if they are a snapshot as it was written, of this version and of this model.
  private func checked(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) -> UnsafeRawPointer {
    guard let base = bytes.baseAddress, bytes.count >= 32, base.word(0) == Self.magic else {
      throw LibrettoError(.format, "these bytes are not a snapshot of a session")
    }
    guard Int(base.halfWord(3)) == bytes.count, bytes.count % 8 == 0 else {
      throw LibrettoError(
        .format,
        "a snapshot of \(Int(base.halfWord(3))) bytes was expected; these are \(bytes.count)")
    }
    guard base.word(bytes.count / 8 - 1) == Self.checksum(base, bytes.count) else { throw damaged }
    guard base.halfWord(2) == Self.version else {
      throw LibrettoError(
        .unsupported,
        "this snapshot is of version \(base.halfWord(2)); this library reads version \(Self.version)"
      )
    }
    guard base.word(2) == model.origin else {
      throw LibrettoError(.format, "this snapshot was taken with another model")
    }
    guard bytes.count == snapshotSize else { throw damaged }
    return base
  }

  /// Of all words but the last.
  private static func checksum(_ bytes: UnsafeRawPointer, _ size: Int) -> UInt64 {
    var hash = Hash()
    for i in 0..<size / 8 - 1 { hash.add(bytes.word(i)) }
    return hash.value
  }

  /// The numbers of the state that mean something; what pads a layer is always 0.
  private func eachLayer(_ body: (UnsafeMutablePointer<Float>, Int) -> Void) {
    let shape = model.shape
    for layer in 0..<shape.layers {
      body(state.pointer + layer * shape.paddedHidden, shape.hidden)
    }
  }

  func saveSequence(to bytes: UnsafeMutableRawPointer) {
    if let music { music.save(to: bytes) } else { grammar.save(to: bytes) }
    sideValues?.save(to: bytes + sidesStart)
  }

  func restoreSequence(from bytes: UnsafeRawPointer) -> Bool {
    (music?.restore(from: bytes) ?? grammar.restore(from: bytes))
      && (sideValues?.restore(from: bytes + sidesStart) ?? true)
  }
}
