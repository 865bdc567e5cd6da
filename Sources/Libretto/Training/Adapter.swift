import GRU
import Memory
import Sequences

/// A copy of a model that goes on learning from what it reads. A stretch of tokens is predicted first and learned
/// from afterwards, so its losses are those of tokens not seen before (dynamic evaluation: Krause et al. 2018).
///
/// Each stretch is one step of Adam at a constant rate, after the weights were pulled back a little towards those
/// of the model: they stay near it however long the adapter reads. The same tokens give the same weights.
/// One thread at a time may use an adapter; `model` may be handed to any.
public final class Adapter {
  /// How it learns.
  public struct Settings: Equatable, Sendable {
    /// The learning rate, above 0, to 1.
    public var rate = 1e-3
    /// Before each step each weight moves back towards that of the model by this part of its distance, from 0 to 1.
    public var pull = 2e-3
    /// Tokens of a stretch, from 1 to 4096.
    public var stretch = 16

    public init() {}

    func validate() throws(LibrettoError) {
      guard rate > 0, rate <= 1 else {
        throw LibrettoError(.argument, "the learning rate is \(rate); it must be above 0, to 1")
      }
      guard pull >= 0, pull <= 1 else {
        throw LibrettoError(.argument, "the pull is \(pull); it must be from 0 to 1")
      }
      guard stretch >= 1, stretch <= 4096 else {
        throw LibrettoError(.argument, "the stretch is \(stretch); it must be from 1 to 4096")
      }
    }
  }

  /// What it began from.
  public let original: Model
  public let settings: Settings
  /// The losses of the tokens that were learned from, each as it was before.
  public private(set) var evaluation = Evaluation()

  private let learner: Learner
  private let origin: FloatBuffer
  private let reader: SideReader?
  private let inputs, targets, sides, lastSides: GrowableBuffer<Int32>
  private var count = 0
  /// The token that was read last; nil at the beginning of a sequence.
  private var last: Int32?

  public init(_ model: Model, _ settings: Settings = Settings()) throws(LibrettoError) {
    try settings.validate()
    original = model
    self.settings = settings
    let shape = model.shape
    learner = try network { () throws(NetworkError) in
      try Learner(shape, batch: 1, sequence: settings.stretch)
    }
    origin = try model.parameters()
    learner.parameters.copy(from: origin)
    learner.parametersChanged()
    reader = try SideReader(model.sides, model.encoding)
    let told = shape.sides.count
    (inputs, targets, sides, lastSides) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: settings.stretch),
        try GrowableBuffer(repeating: -1, count: settings.stretch),
        try GrowableBuffer(repeating: 0, count: settings.stretch * told),
        try GrowableBuffer(repeating: 0, count: told)
      )
    }
    begin()
  }

  /// Begins a new sequence, from a zero state; what was read of the one before is learned from.
  public func begin() { begin(SideFacts()) }

  func begin(_ facts: SideFacts) {
    finishStretch()
    learner.resetState(of: 0)
    last = nil
    reader?.begin(facts)
  }

  /// Reads tokens, each below the vocabulary's size; one of -1 begins a new sequence.
  ///
  /// - `learns`: for each whether it is predicted and learned from, 1, or is only what others follow, 0; nil for 1.
  public func read(
    _ tokens: UnsafeBufferPointer<Int32>, learns: UnsafeBufferPointer<UInt8>? = nil
  ) throws(LibrettoError) {
    let vocabulary = original.shape.vocabulary
    for (i, token) in tokens.enumerated() where token < Journal.cut || token >= vocabulary {
      throw LibrettoError(
        .argument,
        "token \(i) is \(token); expected one from 0 to \(vocabulary - 1), or -1 for the beginning of a sequence"
      )
    }
    for (i, token) in tokens.enumerated() {
      if token == Journal.cut { begin() } else { read(token, learns: (learns?[i] ?? 1) != 0) }
    }
  }

  private func read(_ token: Int32, learns: Bool) {
    let encoding = original.encoding
    if last != nil, encoding.kind == .music, token == encoding.startToken { begin() }
    take(token, learns: learns)
    // The end of a document is predicted, and then begins the next.
    if encoding.kind != .music, token == encoding.endToken {
      begin()
      take(token, learns: learns)
    }
  }

  private func take(_ token: Int32, learns: Bool) {
    let told = original.shape.sides.count
    if let last {
      inputs[count] = last
      targets[count] = learns ? token : -1
      for side in 0..<told { sides[count * told + side] = lastSides[side] }
      count += 1
    }
    last = token
    if let values = lastSides.base { reader?.advance(token, into: values) }
    if count == settings.stretch { finishStretch() }
  }

  /// Learns from what was read since the last stretch was full. Afterwards a sequence can only begin.
  private func finishStretch() {
    guard count > 0 else { return }
    let learned = (0..<count).count { targets[$0] >= 0 }
    for i in count..<settings.stretch {
      (inputs[i], targets[i]) = (0, -1)
      for side in 0..<original.shape.sides.count {
        sides[i * original.shape.sides.count + side] = 0
      }
    }
    count = 0
    let loss = learner.gradients(
      inputs: inputs.base.unsafelyUnwrapped, targets: targets.base.unsafelyUnwrapped,
      sides: sides.base.map { UnsafePointer($0) })
    guard learned > 0, loss.isFinite else { return }
    evaluation.tokens += learned
    evaluation.nats += loss * Double(learned)
    let (own, first) = (learner.parameters.pointer, origin.pointer)
    let pull = Float(settings.pull)
    for i in 0..<learner.layout.count { own[i] += pull * (first[i] - own[i]) }
    _ = learner.update(rate: settings.rate, clip: 1)
  }

  /// Forgets all it has learned: its weights are those of the model again.
  public func reset() {
    count = 0
    begin()
    learner.parameters.copy(from: origin)
    learner.firstMoment.clear()
    learner.secondMoment.clear()
    learner.updates = 0
    learner.parametersChanged()
    evaluation = Evaluation()
  }

  /// A model with the weights as they are now, in the precision of the one it began from.
  public func model() throws(LibrettoError) -> Model {
    let (shape, parameters) = (original.shape, learner.parameters)
    let made = try network { () throws(NetworkError) in
      try Network(shape, parameters: parameters, precision: original.precision)
    }
    return Model(
      network: made, encoding: original.encoding, sides: original.sides, facts: original.facts,
      adapting: original)
  }
}

extension Adapter {
  /// How well the model predicts a passage, which is learned from meanwhile.
  package func evaluate(_ passage: Passage) throws(LibrettoError) -> Evaluation {
    let before = evaluation
    let tokens = UnsafeBufferPointer(passage.tokens.elements)
    defer { withExtendedLifetime(passage.tokens) {} }
    begin(original.encoding.sideFacts(of: tokens))
    try read(tokens)
    finishStretch()
    var result = Evaluation()
    result.characters = passage.characters
    result.steps = passage.steps
    result.tokens = evaluation.tokens - before.tokens
    result.nats = evaluation.nats - before.nats
    return result
  }
}
