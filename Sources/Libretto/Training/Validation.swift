import GRU
import Memory
import Sequences

/// Measures a learner on the validation tokens, in a batch whose rows each begin from a zero state.
final class Validation {
  /// A larger validation part is measured by about so many tokens of it, the first of each row's.
  static let mostTokens = 262_144

  private let batches: any Batches
  private let steps: Int
  private let saved: FloatBuffer
  private let inputs, targets, sides: GrowableBuffer<Int32>

  /// nil if there are no validation tokens to predict.
  init?(
    _ part: Corpus.Part, _ sides: Sides = Sides(), of encoding: any Encoding = BytesEncoding(),
    for learner: Learner
  )
    throws(LibrettoError)
  {
    guard part.tokens.count >= 2 else { return nil }
    let most = max(1, Self.mostTokens / (learner.batch * learner.sequence))
    if let pieces = part.pieces {
      batches = try PieceBatches(
        part.tokens, pieces, targets: part.targets, batch: learner.batch,
        sequence: learner.sequence, seed: 0,
        shuffles: false, music: nil, sides: sides, encoding: encoding)
      steps = min(most, batches.batchesPerEpoch)
    } else {
      batches = ValidationText(
        part.tokens, batch: learner.batch, sequence: learner.sequence,
        sides: try BatchSides(
          batch: learner.batch, sides, encoding,
          longest: ValidationText.stretch(of: part.tokens, batch: learner.batch)))
      steps = min(most, batches.batchesPerEpoch)
    }
    saved = try FloatBuffer.make(learner.state.count)
    let n = learner.batch * learner.sequence
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
      batches.fill(step: step, inputs: inputs, targets: targets, sides: sides.base) {
        learner.resetState(of: $0)
      }
      for i in 0..<learner.batch * learner.sequence where targets[i] >= 0 { counted += 1 }
      sum += learner.evaluate(
        inputs: inputs, targets: targets, sides: sides.base.map { UnsafePointer($0) },
        steps: learner.sequence)
    }
    return sum / Double(max(counted, 1))
  }
}

/// Text for validation: every token but the first is predicted once, from the start of each row's part
/// on; where there is little text there are fewer rows, so that what the zero state costs does
/// not show.
private final class ValidationText: Batches {
  let batchesPerEpoch: Int
  private let tokens: TokenStore
  private let batch, used, sequence, stretch: Int

  private let sides: BatchSides?

  private static func rows(of tokens: TokenStore, batch: Int) -> Int {
    max(1, min(batch, tokens.count / 256))
  }

  /// Tokens that one row reads.
  static func stretch(of tokens: TokenStore, batch: Int) -> Int {
    tokens.count / rows(of: tokens, batch: batch)
  }

  init(_ tokens: TokenStore, batch: Int, sequence: Int, sides: BatchSides?) {
    self.tokens = tokens
    self.sides = sides
    self.batch = batch
    self.sequence = sequence
    used = Self.rows(of: tokens, batch: batch)
    stretch = Self.stretch(of: tokens, batch: batch)
    batchesPerEpoch = (stretch + sequence - 1) / sequence
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides values: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void
  ) {
    if step == 0 { sides?.forget() }
    for row in 0..<batch {
      if step == 0 { reset(row) }
      for t in 0..<sequence {
        let within = step * sequence + t
        let at = row * stretch + within
        let known = row < used && within < stretch && at + 1 < tokens.count
        inputs[t * batch + row] = known ? tokens[at] : 0
        targets[t * batch + row] = known ? tokens[at + 1] : -1
      }
      guard let sides, let values else { continue }
      let beginning = min(row * stretch, tokens.count)
      sides.fill(
        values, row: row, sequence: sequence, at: row * stretch + step * sequence, passage: 0,
        tokens: beginning..<min(beginning + stretch, tokens.count), facts: { SideFacts() }
      ) { tokens[$0] }
    }
  }
}
