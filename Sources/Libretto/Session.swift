import GRU
import Sequences

/// One sequence in the making: a hidden state, a random generator and a sampler over a shared model.
///
/// One thread at a time may use a session. After `init`, and unless a call throws, none of the calls
/// marked real-time allocates, locks or makes a system call, and how long they take depends on the
/// model and the settings alone, and on whether a token follows one of the same session: the first one,
/// or the first after a reset, a restore or a draw together with others takes up to twice as long.
public final class Session {
  public let model: Model
  /// Takes effect at the next draw.
  public private(set) var settings = SamplerSettings()
  /// Whether the encoding's grammar keeps the sequence well-formed.
  public var usesGrammar = true
  /// Asked before each draw, if there is one: it sets to 0 the entries of tokens that must not come
  /// next. It runs on the caller's thread and must not call the session. A C function, because
  /// keeping a Swift closure would count references.
  public typealias Mask =
    @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, Int) -> Void
  private var mask: Mask?
  private var maskUser: UnsafeMutableRawPointer?

  private let state: FloatBuffer
  private let scratch: Network.Scratch
  private let allowed: UnsafeMutableBufferPointer<UInt8>
  private let weights: FloatBuffer
  /// Room for `sequenceSize`, for a restoring that fails half-way.
  private let backup: UnsafeMutableRawPointer
  private let grammar: any Grammar
  /// What there is besides if the model is of music.
  let music: Music?
  private var sampler: Sampler
  private var random: RandomSource
  /// The token that was drawn or fed last and that the network has not read yet; -1 for none.
  private var pending: Int32 = -1
  /// Whether `scratch.logits` tell what follows all that was read; they never do with one pending.
  private var knowsNext = false
  /// Set while a list of sessions is looked through for one that is in it twice.
  private var isListed = false
  /// Grows when `next(_:)` is called with more sessions than before; kept by the first of them.
  private var batch: Batch?

  public init(_ model: Model, seed: UInt64 = 0, settings: SamplerSettings = SamplerSettings())
    throws(LibrettoError)
  {
    try settings.validate()
    self.model = model
    self.settings = settings
    let shape = model.shape
    state = try FloatBuffer.make(shape.stateCount)
    weights = try FloatBuffer.make(shape.paddedVocabulary)
    scratch = try Libretto.network { () throws(NetworkError) in
      try Network.Scratch(model.network, rows: 1)
    }
    if let encoding = model.encoding as? any MusicEncoding {
      let grammar = encoding.makeMusicGrammar()
      self.grammar = grammar
      music = Music(encoding, grammar)
    } else {
      grammar = model.encoding.makeGrammar()
      music = nil
    }
    allowed = .allocate(capacity: shape.vocabulary)
    backup = .allocate(
      byteCount: type(of: grammar).stateSize + (music?.stateSize ?? 0), alignment: 8)
    sampler = try Sampler(
      kernels: model.network.kernels, vocabulary: shape.vocabulary, padded: shape.paddedVocabulary)
    random = RandomSource(seed: seed)
  }

  deinit {
    allowed.deallocate()
    backup.deallocate()
  }

  /// Back to a zero state with nothing read; the settings stay. Real-time.
  public func reset(seed: UInt64) {
    state.clear()
    grammar.reset()
    music?.reset()
    sampler.forget()
    random = RandomSource(seed: seed)
    pending = -1
    knowsNext = false
  }

  /// Changes settings, from the next draw on; throws, and changes nothing, if one is out of range.
  /// Real-time.
  public func set(_ settings: SamplerSettings) throws(LibrettoError) {
    try settings.validate()
    self.settings = settings
  }

  /// Sets the mask, which is handed `user`, or takes it away. Real-time.
  public func setMask(_ mask: Mask?, _ user: UnsafeMutableRawPointer?) {
    self.mask = mask
    maskUser = user
  }

  /// Reads tokens as if they had been drawn. Real-time, in a time proportional to their number.
  public func feed(_ tokens: UnsafeBufferPointer<Int32>) throws(LibrettoError) {
    try model.check(tokens)
    for token in tokens { take(token) }
  }

  /// Reads text. Real-time, in a time proportional to its length.
  public func feed(text: UnsafeRawBufferPointer) throws(LibrettoError) {
    let encoding = try model.textEncoding()
    encoding.encode(text) { take($0) }
  }

  /// The next token and its natural log-probability under the model, before the sampler's settings
  /// and the grammar came in. Real-time.
  ///
  /// A session that was fed nothing first reads the encoding's start token.
  public func next() throws(LibrettoError) -> (token: Int32, logProbability: Float) {
    let next = try drawNext()
    music?.skipEvents()
    return next
  }

  func drawNext() throws(LibrettoError) -> (token: Int32, logProbability: Float) {
    prepare()
    return try draw(scratch.logits.pointer)
  }

  /// The natural log-probabilities of all tokens to come next, before the sampler's settings and
  /// the grammar come in. `result` has room for the vocabulary. Real-time.
  public func logProbabilities(_ result: UnsafeMutablePointer<Float>) {
    prepare()
    let logits = scratch.logits.pointer
    let total = normalizer(logits)
    for i in 0..<model.shape.vocabulary { result[i] = logits[i] - total }
  }

  /// Whether the sequence could end here: no character is half written.
  public var isComplete: Bool { grammar.isComplete }

  // MARK: -

  /// Takes note of a token that was fed; the network reads the one before it.
  private func take(_ token: Int32) {
    hear(token)
    music?.listener.follow(token)
  }

  /// The same for a token the listener made, which knows of it.
  func hear(_ token: Int32) {
    // Text that is fed first is the beginning of a document.
    if pending < 0 && !knowsNext && token != model.documentEnd { pending = model.documentEnd }
    if pending >= 0 { read(wantLogits: false) }
    pending = token
    knowsNext = false
    grammar.advance(token)
    music?.player.take(token, heard: true)
    note(token)
  }

  /// Keeps a token in mind for the repetition penalty, which does not look back beyond a document.
  private func note(_ token: Int32) {
    if token == model.documentEnd { sampler.forget() } else { sampler.note(token) }
  }

  /// Makes sure that `scratch.logits` tell what comes next.
  private func prepare() {
    finishHearing()
    if knowsNext { return }
    if pending < 0 { begin() }
    read(wantLogits: true)
  }

  /// A sequence that was fed nothing begins with the encoding's start token.
  private func begin() {
    let token = min(model.encoding.startToken, Int32(model.shape.vocabulary - 1))
    pending = token
    guard let music else { return }
    grammar.advance(token)
    music.player.take(token, heard: true)
    music.listener.follow(token)
  }

  /// What follows the end of a document knows nothing of it.
  private func forgetDocument() {
    if pending == model.documentEnd { state.clear() }
  }

  private func read(wantLogits: Bool) {
    forgetDocument()
    var state = state.pointer
    var token = pending
    model.network.step(
      rows: 1, tokens: &token, states: &state, wantLogits: wantLogits, scratch)
    pending = -1
    knowsNext = wantLogits
  }

  private func draw(_ logits: UnsafeMutablePointer<Float>) throws(LibrettoError)
    -> (token: Int32, logProbability: Float)
  {
    let vocabulary = model.shape.vocabulary
    let padded = model.shape.paddedVocabulary
    let total = normalizer(logits)
    let weights = weights.pointer
    weights.update(from: logits, count: padded)
    if usesGrammar { grammar.forbid(weights) }
    if let mask {
      for i in 0..<vocabulary { allowed[i] = weights[i] > -.infinity ? 1 : 0 }
      mask(maskUser, allowed.baseAddress, vocabulary)
      for i in 0..<vocabulary where allowed[i] == 0 { weights[i] = -.infinity }
    }
    guard let token = sampler.draw(weights, settings, &random) else {
      throw LibrettoError(
        .exhausted,
        "none of the tokens that could come next is allowed; let the mask allow at least one")
    }
    let logProbability = logits[Int(token)] - total
    pending = token
    knowsNext = false
    grammar.advance(token)
    if let music {
      music.player.take(token, heard: false)
      music.listener.follow(token)
    }
    note(token)
    return (token, logProbability)
  }

  /// The logarithm of the sum of exp over all logits, with what pads them put out of the way.
  private func normalizer(_ logits: UnsafeMutablePointer<Float>) -> Float {
    for i in model.shape.vocabulary..<model.shape.paddedVocabulary { logits[i] = -.infinity }
    return model.network.kernels.expNormalized(
      model.shape.paddedVocabulary, 1, logits, weights.pointer)
  }
}

// MARK: - Many at once

extension Session {
  /// What a step of many sessions at once needs.
  private final class Batch {
    let scratch: Network.Scratch
    /// Not retained: counting references of many sessions costs more than drawing their tokens.
    let sessions: UnsafeMutablePointer<Unmanaged<Session>>
    let tokens: UnsafeMutablePointer<Int32>
    let states: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

    init(_ network: Network, rows: Int) throws(LibrettoError) {
      scratch = try Libretto.network { () throws(NetworkError) in
        try Network.Scratch(network, rows: rows)
      }
      sessions = .allocate(capacity: rows)
      tokens = .allocate(capacity: rows)
      states = .allocate(capacity: rows)
    }

    deinit {
      sessions.deallocate()
      tokens.deallocate()
      states.deallocate()
    }
  }

  /// The next token of each of several sessions over one model, which reads its weights once for
  /// all of them. Each gets what `next()` would have given it, up to rounding.
  ///
  /// Allocates only when there are more sessions than in any earlier call with the same first one;
  /// real-time otherwise. No session may be in the list twice. Where a session's mask allows nothing
  /// its token is -1, the others still get theirs, and the call throws.
  public static func next(
    count: Int, session: (Int) -> Session, result: (Int, Int32, Float) -> Void
  ) throws(LibrettoError) {
    guard count > 0 else { return }
    let first = session(0)
    let model = first.model
    if (first.batch?.scratch.rows ?? 0) < count {
      first.batch = try Batch(model.network, rows: count)
    }
    let batch = first.batch!
    let sessions = batch.sessions
    for i in 0..<count { sessions[i] = .passUnretained(session(i)) }
    try check(sessions, count, model)
    var rows = 0
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef {
        $0.finishHearing()
        if $0.knowsNext { return }
        if $0.pending < 0 { $0.begin() }
        $0.forgetDocument()
        batch.tokens[rows] = $0.pending
        batch.states[rows] = $0.state.pointer
        rows += 1
      }
    }
    if rows > 0 {
      model.network.step(
        rows: rows, tokens: batch.tokens, states: batch.states, wantLogits: true, batch.scratch)
    }
    let padded = model.shape.paddedVocabulary
    var row = 0
    var failure: LibrettoError?
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef { session in
        let logits = session.scratch.logits.pointer
        if !session.knowsNext {
          logits.update(from: batch.scratch.logits.pointer + row * padded, count: padded)
          session.pending = -1
          session.knowsNext = true
          row += 1
        }
        do throws(LibrettoError) {
          let (token, logProbability) = try session.draw(logits)
          session.music?.skipEvents()
          result(i, token, logProbability)
        } catch {
          failure = failure ?? LibrettoError(error.kind, "session \(i): \(error.message)")
          result(i, -1, 0)
        }
      }
    }
    if let failure { throw failure }
  }

  /// Throws if a session has another model, or is in the list twice.
  private static func check(
    _ sessions: UnsafePointer<Unmanaged<Session>>, _ count: Int, _ model: Model
  ) throws(LibrettoError) {
    var other: Int?
    var twice: Int?
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef {
        if $0.model !== model { other = other ?? i }
        if $0.isListed { twice = twice ?? i }
        $0.isListed = true
      }
    }
    for i in 0..<count { sessions[i]._withUnsafeGuaranteedRef { $0.isListed = false } }
    if let other {
      throw LibrettoError(.argument, "session \(other) has another model than session 0")
    }
    guard let twice else { return }
    let before = (0..<twice).first {
      sessions[$0].toOpaque() == sessions[twice].toOpaque()
    }
    throw LibrettoError(.argument, "sessions \(before ?? 0) and \(twice) are the same one")
  }
}

// MARK: - Text

extension Session {
  /// The most bytes `nextText` gives at a time.
  public static let longestText = 4

  /// The next character: its bytes, 1 to 4 of them, go to `buffer`, which has room for that many.
  /// Takes as many tokens as the character has. 0 bytes are the end of a document: what comes next
  /// begins a new one. Real-time.
  ///
  /// With the grammar it is one whole character of UTF-8; without, it is one token's bytes. If a
  /// draw is not possible in the middle of a character, what was drawn of it stays read.
  public func nextText(_ buffer: UnsafeMutablePointer<UInt8>) throws(LibrettoError) -> Int {
    let encoding = try model.textEncoding()
    var length = 0
    repeat {
      let (packed, count) = encoding.bytes(of: try next().token)
      for i in 0..<count where length < Self.longestText {
        buffer[length] = UInt8(truncatingIfNeeded: packed >> UInt32(8 * i))
        length += 1
      }
    } while usesGrammar && !grammar.isComplete && length < Self.longestText
    return length
  }
}

// MARK: - Snapshots

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
    saveSequence(to: backup)
    guard restoreSequence(from: logits + 4 * model.shape.vocabulary) else {
      _ = restoreSequence(from: backup)
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
