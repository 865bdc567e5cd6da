import GRU
import Memory
import Sequences

/// Measures a learner on held-out tokens, in parallel streams that each begin from a zero state.
final class Validation {
  /// A larger held-out part is measured by about so many tokens of it, the first of each stream's.
  static let mostTokens = 262_144

  private let windows: any Windows
  private let steps: Int
  private let saved: FloatBuffer
  private let inputs, targets, sides: GrowableBuffer<Int32>

  /// nil if there are no held-out tokens to predict.
  init?(
    _ part: Corpus.Part, _ sides: Sides = Sides(), of encoding: any Encoding = BytesEncoding(),
    for learner: Learner
  )
    throws(LibrettoError)
  {
    guard part.tokens.count >= 2 else { return nil }
    let most = max(1, Self.mostTokens / (learner.streams * learner.window))
    if let pieces = part.pieces {
      windows = try PieceWindows(
        part.tokens, pieces, targets: part.targets, streams: learner.streams,
        window: learner.window, seed: 0,
        shuffles: false, music: nil, sides: sides, encoding: encoding)
      steps = min(most, windows.windowsPerEpoch)
    } else {
      windows = HeldText(part.tokens, streams: learner.streams, window: learner.window)
      steps = min(most, windows.windowsPerEpoch)
    }
    saved = try FloatBuffer.make(learner.state.count)
    let n = learner.streams * learner.window
    let told = sides.inputs.count
    (inputs, targets, self.sides) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: n), try GrowableBuffer(repeating: -1, count: n),
        try GrowableBuffer(repeating: 0, count: n * told)
      )
    }
  }

  /// The mean loss in nats per token; the learner's own state is as before. nil if it was stopped before
  /// its end.
  func loss(of learner: Learner, until stop: StopFlag? = nil) -> Double? {
    saved.copy(from: learner.state)
    defer { learner.state.copy(from: saved) }
    var sum = 0.0
    var counted = 0
    let inputs = inputs.base.unsafelyUnwrapped
    let targets = targets.base.unsafelyUnwrapped
    for step in 0..<steps {
      if stop?.isRaised == true { return nil }
      windows.fill(step: step, inputs: inputs, targets: targets, sides: sides.base) {
        learner.resetState(of: $0)
      }
      for i in 0..<learner.streams * learner.window where targets[i] >= 0 { counted += 1 }
      sum += learner.evaluate(
        inputs: inputs, targets: targets, sides: sides.base.map { UnsafePointer($0) },
        steps: learner.window)
    }
    return sum / Double(max(counted, 1))
  }
}

/// Held-out text: every token but the first is predicted once, from the start of each stream's part
/// on; where there is little text there are fewer streams, so that what the zero state costs does
/// not show.
private final class HeldText: Windows {
  let windowsPerEpoch: Int
  private let tokens: TokenStore
  private let streams, used, window, stretch: Int

  init(_ tokens: TokenStore, streams: Int, window: Int) {
    self.tokens = tokens
    self.streams = streams
    self.window = window
    used = max(1, min(streams, tokens.count / 256))
    stretch = tokens.count / used
    windowsPerEpoch = (stretch + window - 1) / window
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void
  ) {
    for stream in 0..<streams {
      if step == 0 { reset(stream) }
      for t in 0..<window {
        let within = step * window + t
        let at = stream * stretch + within
        let known = stream < used && within < stretch && at + 1 < tokens.count
        inputs[t * streams + stream] = known ? tokens[at] : 0
        targets[t * streams + stream] = known ? tokens[at + 1] : -1
      }
    }
  }
}
