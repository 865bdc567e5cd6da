import GRU
import Memory
import Sequences

/// Looks for the likeliest continuations of a sequence, within the grammar: of several unfinished ones it keeps, token by
/// token, the `width` likeliest (beam search). With a width of 1 it takes the likeliest token each time.
///
/// One thread at a time may use it. It may be used again and again, also for other sessions over the same model.
public final class BeamSearch {
  /// The largest width.
  public static let mostWidth = 100

  public let width: Int
  private let model: Model
  /// The unfinished continuations, and those that follow them.
  private var sessions, next: [Session]
  private let scores: GrowableBuffer<Float>
  /// All tokens of all continuations, each with the place of the one before it, -1 for none.
  private let nodes = GrowableBuffer<Node>()

  private struct Node: BitwiseCopyable {
    let before: Int
    let token: Int32
  }

  /// A continuation, the likeliest first.
  public struct Result {
    /// Its tokens, the end token among them if it has ended.
    public let tokens: GrowableBuffer<Int32>
    /// The sum of the natural log-probabilities of its tokens under the model.
    public let logProbability: Double
    /// Whether it has ended.
    public let isComplete: Bool
  }

  /// - `width`: from 1 to `mostWidth`.
  public init(_ model: Model, width: Int) throws(LibrettoError) {
    guard width >= 1, width <= Self.mostWidth else {
      throw LibrettoError(
        .argument, "the width of the beam is \(width); expected 1 to \(Self.mostWidth)")
    }
    self.model = model
    self.width = width
    func make() throws(LibrettoError) -> [Session] {
      var made: [Session] = []
      for _ in 0..<width { made.append(try Session(model)) }
      try made[0].reserve(width)
      return made
    }
    sessions = try make()
    next = try make()
    scores = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer(repeating: 0, count: model.shape.paddedVocabulary)
    }
  }

  /// Whether it can go on with the sequence of a session.
  public func isFor(_ session: Session) -> Bool { session.model === model }

  /// A continuation by its last token.
  private struct Path {
    var node = -1
    var logProbability = 0.0
  }

  /// The `width` likeliest continuations of the sequence of a session, which stays as it is.
  ///
  /// - `longest`: tokens at most.
  public func continuations(of session: Session, longest: Int) throws(LibrettoError) -> [Result] {
    guard session.model === model else {
      throw LibrettoError(.argument, "the session has another model than the search")
    }
    sessions[0].copy(session)
    nodes.truncate(to: 0)
    var live = [Path()]
    var ended: [Path] = []
    for _ in 0..<max(longest, 0) {
      try Session.readOn(sessions, count: live.count)
      var chosen: [Path] = []
      for (parent, token, logProbability) in candidates(live) {
        let node = nodes.count
        try allocating { () throws(OutOfMemory) in
          try nodes.append(Node(before: live[parent].node, token: token))
        }
        if token == model.endToken {
          ended.append(Path(node: node, logProbability: logProbability))
        } else {
          next[chosen.count].copy(sessions[parent])
          next[chosen.count].take(token, .drawn)
          chosen.append(Path(node: node, logProbability: logProbability))
        }
      }
      live = chosen
      swap(&sessions, &next)
      ended.sort { $0.logProbability > $1.logProbability }
      ended.removeLast(max(0, ended.count - width))
      // What goes on only becomes less likely.
      guard let best = live.first,
        ended.count < width || best.logProbability > ended[width - 1].logProbability
      else { break }
    }
    var results: [Result] = []
    for path in ended { results.append(try result(path, isComplete: true)) }
    for path in live where results.count < width {
      results.append(try result(path, isComplete: false))
    }
    return results
  }

  private func result(_ path: Path, isComplete: Bool) throws(LibrettoError) -> Result {
    let tokens = GrowableBuffer<Int32>()
    var node = path.node
    try allocating { () throws(OutOfMemory) in
      while node >= 0 {
        try tokens.append(nodes[node].token)
        node = nodes[node].before
      }
    }
    var elements = tokens.elements
    elements.reverse()
    return Result(
      tokens: tokens, logProbability: path.logProbability, isComplete: isComplete)
  }

  /// The `width` likeliest tokens to follow any of the unfinished continuations, the likeliest first.
  private func candidates(_ live: [Path]) -> [(parent: Int, token: Int32, Double)] {
    var best: [(parent: Int, token: Int32, Double)] = []
    let scores = scores.base!
    for (parent, path) in live.enumerated() {
      sessions[parent].allowedLogProbabilities(scores)
      for token in 0..<model.shape.vocabulary where scores[token] > -.infinity {
        let sum = path.logProbability + Double(scores[token])
        if best.count == width && !(sum > best[width - 1].2) { continue }
        let place = best.firstIndex { sum > $0.2 } ?? best.count
        best.insert((parent, Int32(token), sum), at: place)
        if best.count > width { best.removeLast() }
      }
    }
    return best
  }
}

extension Session {
  /// Takes over the sequence of another session over the same model, and what shapes it: grammar, label, memory and
  /// constraints.
  func copy(_ other: Session) {
    state.copy(from: other.state)
    scratch.logits.copy(from: other.scratch.logits)
    other.saveSequence(to: UnsafeMutableRawPointer(other.backup.base!))
    _ = restoreSequence(from: UnsafeRawPointer(other.backup.base!))
    (pending, knowsNext, usesGrammar) = (other.pending, other.knowsNext, other.usesGrammar)
    sampler.setRecent(other.sampler.recent)
    sideValues?.label = other.sideValues?.label ?? 0
    sideValues?.memoryStrength = other.memoryStrength
    if let labelBlend, let from = other.labelBlend { labelBlend.copy(from) }
    if let music, let from = other.music {
      music.reader.grammar.constraints = from.reader.grammar.constraints
      if let parts = from.reader.grammar.parts { music.reader.grammar.parts?.copy(parts) }
    }
  }

  /// The natural log-probabilities of all tokens to come next, minus infinity where the grammar allows none. `result`
  /// has room for the padded vocabulary.
  func allowedLogProbabilities(_ result: UnsafeMutablePointer<Float>) {
    logProbabilities(result)
    if usesGrammar { grammar.forbid(result) }
  }
}
