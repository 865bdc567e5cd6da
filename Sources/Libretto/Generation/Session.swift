import GRU
import Memory
import Sequences

/// One sequence in the making: a hidden state, a random generator and a sampler over a shared model.
///
/// One thread at a time may use a session. After `init` none of the calls
/// marked real-time allocates, locks or makes a system call, and how long they take depends on the
/// model and the settings alone, and on whether a token follows one of the same session: the first one,
/// or the first after a reset, a restore or a draw together with others takes up to twice as long.
public final class Session {
  public private(set) var model: Model
  /// What the random generator began from, at the creation or the last reset.
  public private(set) var seed: UInt64
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

  let state: FloatBuffer
  let scratch: Network.Scratch
  private let allowed: GrowableBuffer<UInt8>
  let weights: FloatBuffer
  /// Room for `sequenceSize`, for a restoring that fails half-way.
  let backup: GrowableBuffer<UInt8>
  let grammar: any Grammar
  /// The values that go with the token the network reads; nil if the model has no side inputs.
  let sideValues: SideValues?
  /// The mixture of labels it is told, if the model has labels.
  let labelBlend: LabelBlend?
  /// What there is besides if the model is of music.
  let music: Music?
  var sampler: Sampler
  var random: RandomSource
  /// What it read, for an adapter.
  public let journal: Journal
  /// The token that was drawn or fed last and that the network has not read yet; -1 for none.
  var pending: Int32 = -1
  /// Whether `scratch.logits` tell what follows all that was read; they never do with one pending.
  var knowsNext = false
  /// Set while a list of sessions is looked through for one that is in it twice.
  var isListed = false
  /// The token that `nextText` drew last, and how many of its bytes were not given yet.
  var spoken: Int32 = -1
  var unspoken = 0
  /// Grows when `next(_:)` is called with more sessions than before; kept by the first of them.
  var batch: Batch?

  public init(_ model: Model, seed: UInt64 = 0, settings: SamplerSettings = SamplerSettings())
    throws(LibrettoError)
  {
    try settings.validate()
    self.model = model
    self.seed = seed
    self.settings = settings
    let shape = model.shape
    state = try FloatBuffer.make(shape.stateCount)
    weights = try FloatBuffer.make(shape.paddedVocabulary)
    scratch = try Libretto.network { () throws(NetworkError) in
      try Network.Scratch(model.network, rows: 1)
    }
    do throws(OutOfMemory) {
      if let encoding = model.encoding.music {
        let reader = try encoding.makeReader()
        grammar = reader.grammar
        music = Music(encoding, reader)
      } else {
        grammar = try model.encoding.makeGrammar()
        music = nil
      }
      sideValues =
        model.sides.inputs.isEmpty
        ? nil
        : try SideValues(
          model.sides, model.encoding, barRounds: model.barRounds)
      labelBlend =
        model.labels.isEmpty || sideValues == nil
        ? nil : try LabelBlend(model.network, labels: model.labels.count)
      allowed = try GrowableBuffer(capacity: shape.vocabulary)
      journal = try Journal()
      let size =
        (music?.stateSize ?? type(of: grammar).stateSize)
        + (sideValues?.stateSize ?? 0)
      // Never without any room: an encoding may have no state.
      backup = try GrowableBuffer(capacity: max(1, size))
    } catch { throw LibrettoError(error) }
    sampler = try Sampler(
      kernels: model.network.kernels, vocabulary: shape.vocabulary, padded: shape.paddedVocabulary)
    random = RandomSource(seed: seed)
  }

  /// Back to a zero state with nothing read; the settings stay. Real-time.
  public func reset(seed: UInt64) {
    state.clear()
    if let music { music.reset() } else { grammar.reset() }
    sideValues?.reset()
    sampler.forget()
    journal.cut()
    random = RandomSource(seed: seed)
    self.seed = seed
    unspoken = 0
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

  /// Goes on with another model: this one, or another adaptation of the model it is one of. What it was about to
  /// say next it says with the new weights. Real-time, if somebody else holds the old model.
  public func set(model: Model) throws(LibrettoError) {
    guard model.origin == self.model.origin, model.shape == self.model.shape,
      model.precision == self.model.precision
    else {
      throw LibrettoError(
        .argument,
        "the model is not an adaptation of the one this session has; make it with an adapter of that model"
      )
    }
    self.model = model
    if let side = model.labelSide { labelBlend?.update(model.network, side: side) }
  }

  /// Reads tokens as if they had been drawn. Real-time, in a time proportional to their number.
  public func feed(_ tokens: UnsafeBufferPointer<Int32>) throws(LibrettoError) {
    try model.check(tokens)
    for token in tokens { read(token, .fed) }
  }

  /// Reads text. Real-time, in a time proportional to its length.
  public func feed(text: UnsafeRawBufferPointer) throws(LibrettoError) {
    let encoding = try model.textEncoding()
    encoding.encode(text) { read($0, .fed) }
  }

  /// The next token and its natural log-probability under the model, before the sampler's settings
  /// and the grammar came in. Real-time.
  ///
  /// A session that was fed nothing first reads the encoding's start token.
  public func next() throws(LibrettoError) -> (token: Int32, logProbability: Float) {
    unspoken = 0
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
  func read(_ token: Int32, _ source: MusicReader.Source) {
    unspoken = 0
    // Text that is fed first is the beginning of a document.
    if pending < 0 && !knowsNext && token != model.documentEnd && model.documentEnd >= 0 {
      pending = model.documentEnd
      sideValues?.follow(pending)
      journal.note(pending, isFed: true)
    }
    if pending >= 0 { read(wantLogits: false) }
    take(token, source)
    journal.note(token, isFed: true)
  }

  /// Moves what is known of the sequence on by a token, which the network reads later.
  func take(_ token: Int32, _ source: MusicReader.Source) {
    pending = token
    knowsNext = false
    if let music { music.reader.take(token, source) } else { grammar.advance(token) }
    sideValues?.follow(token)
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
  func begin() {
    let token = min(model.encoding.startToken, Int32(model.shape.vocabulary - 1))
    pending = token
    if let music { music.reader.take(token, .fed) }
    sideValues?.follow(token)
    journal.note(token, isFed: true)
  }

  /// What follows the end of a document knows nothing of it.
  func forgetDocument() {
    if pending == model.documentEnd { state.clear() }
  }

  private func read(wantLogits: Bool) {
    forgetDocument()
    var state = state.pointer
    var token = pending
    var added = labelBlend?.added
    model.network.step(
      rows: 1, tokens: &token, sides: writeSides(), added: &added, states: &state,
      wantLogits: wantLogits, scratch)
    pending = -1
    knowsNext = wantLogits
  }

  /// The side values of the place that was reached, which go with the token that led there.
  func writeSides() -> UnsafePointer<Int32>? {
    sideValues.map { $0.write(music?.reader.grammar) }
  }

  /// Whether the model has a memory: see `memoryStrength`.
  public var hasMemory: Bool { sideValues?.hasMemory ?? false }

  /// How much the session repeats what it has read. 1 is as much as the model's material does. Below 1 the match
  /// is told as so many times as long, and at 0 the model is told nothing. Above 1, to 100, the odds of the
  /// token that is expected are so many times as high. Takes effect at the next draw. Real-time.
  public var memoryStrength: Float { sideValues?.memoryStrength ?? 0 }

  public func set(memoryStrength strength: Float) throws(LibrettoError) {
    guard let sideValues, sideValues.hasMemory else {
      throw LibrettoError(
        .unsupported, "this model has no memory; train it anew, or with a version that gives it one"
      )
    }
    guard strength >= 0, strength <= Self.mostMemoryStrength else {
      throw LibrettoError(
        .argument,
        "the strength of the memory is \(strength); expected 0 to \(Int(Self.mostMemoryStrength))")
    }
    sideValues.memoryStrength = strength
  }

  private static let mostMemoryStrength: Float = 100

  /// The one way for a draw to fail.
  static let nothingIsAllowed: StaticString =
    "none of the tokens that could come next is allowed; let the mask allow at least one"

  func draw(_ logits: UnsafeMutablePointer<Float>) throws(LibrettoError)
    -> (token: Int32, logProbability: Float)
  {
    let vocabulary = model.shape.vocabulary
    let padded = model.shape.paddedVocabulary
    let total = normalizer(logits)
    let weights = weights.pointer
    weights.update(from: logits, count: padded)
    sideValues?.weigh(weights, music?.reader.grammar)
    if usesGrammar { grammar.forbid(weights) }
    if let mask {
      let allowed = allowed.base!
      for i in 0..<vocabulary { allowed[i] = weights[i] > -.infinity ? 1 : 0 }
      mask(maskUser, allowed, vocabulary)
      for i in 0..<vocabulary where allowed[i] == 0 { weights[i] = -.infinity }
    }
    guard let token = sampler.draw(weights, settings, &random) else {
      throw LibrettoError(.exhausted, "\(Self.nothingIsAllowed)")
    }
    let logProbability = logits[Int(token)] - total
    take(token, .drawn)
    journal.note(token, isFed: false)
    return (token, logProbability)
  }

  /// The logarithm of the sum of exp over all logits, with what pads them put out of the way.
  private func normalizer(_ logits: UnsafeMutablePointer<Float>) -> Float {
    for i in model.shape.vocabulary..<model.shape.paddedVocabulary { logits[i] = -.infinity }
    return model.network.kernels.expNormalized(
      model.shape.paddedVocabulary, 1, logits, weights.pointer)
  }
}

// MARK: - Text

extension Session {
  /// The most bytes `nextText` gives at a time.
  public static let longestText = 4

  /// The next character: its bytes, 1 to 4 of them, go to `buffer`, which has room for that many.
  /// Takes as many tokens as the character has, or none if the last token drawn has more characters. 0 bytes are the end
  /// of a document: what comes next begins a new one. Real-time.
  ///
  /// With the grammar it is one whole character of UTF-8; without, it may be a part of one. If a
  /// draw is not possible in the middle of a character, what was drawn of it stays read.
  public func nextText(_ buffer: UnsafeMutablePointer<UInt8>) throws(LibrettoError) -> Int {
    let encoding = try model.textEncoding()
    var length = 0
    repeat {
      if unspoken == 0 {
        spoken = try next().token
        unspoken = encoding.byteCount(of: spoken)
      }
      let count = encoding.byteCount(of: spoken)
      while unspoken > 0 && length < Self.longestText {
        let byte = encoding.byte(count - unspoken, of: spoken)
        // The next character of the token is for the next call.
        if length > 0 && byte & 0xC0 != 0x80 && unspoken < count { break }
        buffer[length] = byte
        length += 1
        unspoken -= 1
      }
    } while usesGrammar && unspoken == 0 && !grammar.isComplete && length < Self.longestText
    return length
  }
}
