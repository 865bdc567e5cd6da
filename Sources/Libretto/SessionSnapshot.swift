extension Session {
  private static let magic: UInt64 = 0x314F_5454_4552  // "RETTO1"

  /// Bytes of a snapshot of this session.
  public var snapshotSize: Int {
    8 * 9 + 4 * 256 + 4 * (model.shape.stateCount + model.shape.vocabulary)
      + sequenceSize
  }

  /// Writes all that the future depends on, save the settings, the mask and the model: what was read
  /// and drawn last, the generator, the state, the logits, the grammar. `bytes` has room for
  /// `snapshotSize`. Real-time.
  public func snapshot(_ bytes: UnsafeMutableRawPointer) {
    let words: InlineArray<9, UInt64> = [
      Self.magic, model.fingerprint, random.words.0, random.words.1, random.words.2,
      random.words.3, UInt64(bitPattern: Int64(pending)), UInt64(sampler.recent.count),
      knowsNext ? 1 : 0,
    ]
    for i in 0..<9 { bytes.storeBytes(of: words[i], toByteOffset: 8 * i, as: UInt64.self) }
    for i in 0..<256 {
      bytes.storeBytes(of: sampler.recent.tokens[i], toByteOffset: 72 + 4 * i, as: Int32.self)
    }
    let floats = bytes + 72 + 1024
    floats.copyMemory(from: state.pointer, byteCount: 4 * model.shape.stateCount)
    let logits = floats + 4 * model.shape.stateCount
    logits.copyMemory(from: scratch.logits.pointer, byteCount: 4 * model.shape.vocabulary)
    let rest = logits + 4 * model.shape.vocabulary
    saveSequence(to: rest)
  }

  /// Bytes of what is known of the sequence beside the network's state.
  private var sequenceSize: Int { type(of: grammar).stateSize + (music?.stateSize ?? 0) }

  private func saveSequence(to bytes: UnsafeMutableRawPointer) {
    grammar.save(to: bytes)
    music?.save(to: bytes + type(of: grammar).stateSize)
  }

  private func restoreSequence(from bytes: UnsafeRawPointer) -> Bool {
    grammar.restore(from: bytes)
      && (music?.restore(from: bytes + type(of: grammar).stateSize) ?? true)
  }

  /// Goes back to a snapshot taken of a session over the same model. Throws, and changes nothing,
  /// if the bytes are not one. Real-time.
  public func restore(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) {
    guard bytes.count == snapshotSize, let base = bytes.baseAddress else {
      throw LibrettoError(
        .format,
        "a snapshot of this session has \(snapshotSize) bytes; these are \(bytes.count)")
    }
    func word(_ i: Int) -> UInt64 { base.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self) }
    guard word(0) == Self.magic else {
      throw LibrettoError(.format, "these bytes are not a snapshot of a session")
    }
    guard word(1) == model.fingerprint else {
      throw LibrettoError(.format, "this snapshot was taken with another model")
    }
    let token = Int64(bitPattern: word(6))
    guard let random = RandomSource(words: (word(2), word(3), word(4), word(5))),
      // A count that cannot overflow, however much is drawn from here on.
      token >= -1, token < Int64(model.shape.vocabulary), word(7) <= 1 << 62,
      word(8) <= (token < 0 ? 1 : 0)
    else { throw LibrettoError(.format, "this snapshot is damaged") }
    var recent = Sampler.Recent()
    recent.count = Int(word(7))
    for i in 0..<256 {
      let token = base.loadUnaligned(fromByteOffset: 72 + 4 * i, as: Int32.self)
      guard token >= -1, token < Int32(model.shape.vocabulary), i >= recent.count || token >= 0
      else { throw LibrettoError(.format, "this snapshot is damaged") }
      recent.tokens[i] = token
    }
    let floats = base + 72 + 1024
    for i in 0..<model.shape.stateCount + model.shape.vocabulary {
      let x = floats.loadUnaligned(fromByteOffset: 4 * i, as: Float.self)
      guard x.isFinite else { throw LibrettoError(.format, "this snapshot is damaged") }
    }
    let logits = floats + 4 * model.shape.stateCount
    // What is damaged must leave no half of itself behind.
    saveSequence(to: backup.base!)
    guard restoreSequence(from: logits + 4 * model.shape.vocabulary) else {
      _ = restoreSequence(from: backup.base!)
      throw LibrettoError(.format, "this snapshot is damaged")
    }
    UnsafeMutableRawPointer(state.pointer).copyMemory(
      from: floats, byteCount: 4 * model.shape.stateCount)
    UnsafeMutableRawPointer(scratch.logits.pointer).copyMemory(
      from: logits, byteCount: 4 * model.shape.vocabulary)
    self.random = random
    sampler.setRecent(recent)
    pending = Int32(token)
    knowsNext = word(8) == 1
    music?.grammar.forceNothing()
    music?.sounding.endAll()
  }
}
