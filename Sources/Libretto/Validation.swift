import GRU

/// Measures a learner on held-out tokens, in parallel streams that each begin from a zero state.
final class Validation {
  /// A larger held-out part is measured by the first tokens of each stream's stretch, these many
  /// together.
  static let mostTokens = 262_144

  private let tokens: TokenStore
  private let streams: Int
  private let stretch: Int
  private let saved: FloatBuffer
  private let inputs: UnsafeMutablePointer<Int32>
  private let targets: UnsafeMutablePointer<Int32>

  /// nil if there are no held-out tokens to predict.
  init?(_ tokens: TokenStore, for learner: Learner) throws(LibrettoError) {
    guard tokens.count >= 2 else { return nil }
    self.tokens = tokens
    // A stretch of some length, so that what the zero state costs does not show.
    streams = max(1, min(learner.streams, tokens.count / 256))
    stretch = min(tokens.count, Self.mostTokens) / streams
    saved = try FloatBuffer.make(learner.state.count)
    let n = learner.streams * learner.window
    inputs = .allocate(capacity: n)
    targets = .allocate(capacity: n)
  }

  deinit {
    inputs.deallocate()
    targets.deallocate()
  }

  /// The mean loss in nats per token; the learner's own state is as before.
  func loss(of learner: Learner) -> Double {
    saved.copy(from: learner.state)
    learner.state.clear()
    defer { learner.state.copy(from: saved) }
    let apart = tokens.count / streams
    var sum = 0.0
    var counted = 0
    for start in stride(from: 0, to: stretch, by: learner.window) {
      for t in 0..<learner.window {
        for stream in 0..<learner.streams {
          let i = t * learner.streams + stream
          let at = stream * apart + start + t
          let known = stream < streams && start + t < stretch && at + 1 < tokens.count
          inputs[i] = known ? tokens[at] : 0
          targets[i] = known ? tokens[at + 1] : -1
          if known { counted += 1 }
        }
      }
      sum += learner.evaluate(inputs: inputs, targets: targets, steps: learner.window)
    }
    return sum / Double(max(counted, 1))
  }
}
