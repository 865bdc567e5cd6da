import Memory
import Sequences

/// Sequences of a host's own numbers, as they are added: each a piece between two end tokens.
final class TokenMaterial {
  private let encoding: any Encoding
  private let end: Int32
  private let training, validation: Part

  private final class Part {
    let tokens: TokenStore
    let pieces = PieceList()
    /// Made for the first piece that names its targets.
    var targets: GrowableBuffer<Int32>?

    init() throws(LibrettoError) { tokens = try TokenStore(capacity: 0) }
  }

  /// - `encoding`: one with an end token.
  init(_ encoding: any Encoding) throws(LibrettoError) {
    self.encoding = encoding
    end = encoding.endToken ?? 0
    training = try Part()
    validation = try Part()
  }

  var isEmpty: Bool { training.pieces.count == 0 && validation.pieces.count == 0 }

  /// - `targets`: as many as there are tokens; nil for the tokens that follow.
  func add(
    _ tokens: UnsafeBufferPointer<Int32>, targets: UnsafeBufferPointer<Int32>?, label: Int32,
    validation: Bool
  ) throws(LibrettoError) {
    let limit = end
    func check(_ what: StaticString, _ numbers: UnsafeBufferPointer<Int32>, from least: Int32)
      throws(LibrettoError)
    {
      for (i, number) in numbers.enumerated() where number < least || number >= limit {
        throw LibrettoError(
          .argument, "\(what) \(i) is \(number); expected \(least) to \(limit - 1)")
      }
    }
    try check("token", tokens, from: 0)
    if let targets { try check("target", targets, from: -1) }
    let part = validation ? self.validation : training
    let start = part.tokens.count
    // All room first: an error adds nothing.
    try part.tokens.reserve(tokens.count + 2)
    if targets != nil && part.targets == nil {
      part.targets = try allocating { () throws(OutOfMemory) in
        let all = try GrowableBuffer<Int32>(capacity: start + tokens.count + 2)
        for at in 0..<start { all.appendReserved(at + 1 < start ? part.tokens[at + 1] : -1) }
        return all
      }
    }
    if let all = part.targets {
      try allocating { () throws(OutOfMemory) in try all.reserve(tokens.count + 2) }
    }
    try part.pieces.append(CollectionOfOne(start..<start + tokens.count + 2), label: label)
    part.tokens.append(end)
    for token in tokens { part.tokens.append(token) }
    part.tokens.append(end)
    guard let all = part.targets else { return }
    if let targets {
      all.appendReserved(-1)
      for target in targets { all.appendReserved(target) }
    } else {
      for token in tokens { all.appendReserved(token) }
      all.appendReserved(end)
    }
    all.appendReserved(-1)
  }

  /// - `fraction`: how many of the pieces are for validation, spread evenly, if no others are.
  func corpus(fraction: Double) throws(LibrettoError) -> Corpus {
    guard training.pieces.count > 0 else {
      throw LibrettoError(.corpus, "there is nothing to learn from; add tokens for training")
    }
    var (train, valid) = (training.pieces, validation.pieces)
    var validTokens = validation.tokens
    var validTargets = validation.targets
    let count = Int(Double(train.count) * fraction)
    if valid.count == 0 && count > 0 {
      let all = train
      (train, valid) = (PieceList(), PieceList())
      for piece in 0..<all.count {
        // One of each `all.count / count`.
        let isForValidation = (piece + 1) * count / all.count > piece * count / all.count
        try (isForValidation ? valid : train).append(
          CollectionOfOne(all.tokens(of: piece)), label: all.label(of: piece))
      }
      (validTokens, validTargets) = (training.tokens, training.targets)
    }
    return Corpus(
      encoding: encoding,
      training: Corpus.Part(tokens: training.tokens, pieces: train, targets: training.targets),
      validation: Corpus.Part(tokens: validTokens, pieces: valid, targets: validTargets),
      tokensPerCharacter: 0)
  }
}
