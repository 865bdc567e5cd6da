import Memory

/// How the targets of pairs go along with their sources: a hidden Markov model (Vogel, Ney & Tillmann 1996) whose state is
/// a place in the source. With each token of the target it goes on by 0 to 4 places, and there emits the token. It is
/// fitted to the pairs of a model (`PairAlignmentFit`), and tells `SourceWindow` which part of the source comes next.
public final class PairAlignment: @unchecked Sendable {
  /// Tokens of the source, and of the target, that have probabilities of their own; 0 stands for all others.
  static let mostKinds = 256
  static let mostJump = 4
  /// Probabilities are kept in thousandths; the least is that of what was never seen together.
  static let parts = 1000
  private static let least: Float = 0.0003

  /// The kind of each token in a source and in a target.
  private let sourceKinds, targetKinds: GrowableBuffer<UInt8>
  private var targetCount = 1
  /// The probability of a kind of target at a kind of source: `[source kinds][target kinds]`.
  private let emissions: GrowableBuffer<Float>
  private var jumps = InlineArray<5, Float>(repeating: 0)
  /// What it was made of, and how a model file has it: the thousandths of the jumps, then for each token of a source the
  /// thousandths of the tokens of the target, such as `120,800,60,20,0;97:65=700,66=300;98:67=1000`.
  public let text: GrowableBuffer<UInt8>

  /// nil if the text is none that `text` can be.
  public init?(text: GrowableBuffer<UInt8>, vocabulary: Int) throws(OutOfMemory) {
    self.text = text
    sourceKinds = try GrowableBuffer(repeating: 0, count: vocabulary)
    targetKinds = try GrowableBuffer(repeating: 0, count: vocabulary)
    emissions = try GrowableBuffer(capacity: 0)
    // The kinds first: the table's size depends on how many there are.
    let bytes = UnsafeBufferPointer(text.elements)
    defer { withExtendedLifetime(text) {} }
    var sourceCount = 1
    var targets = 1
    var isKnown = true
    var reader = Reader(bytes)
    let isText: Void? = Self.read(
      &reader, vocabulary, jump: { jumps[$0] = max(Self.least, Float($1) / Float(Self.parts)) },
      source: {
        if sourceKinds[$0] == 0 && sourceCount < Self.mostKinds {
          sourceKinds[$0] = UInt8(sourceCount)
          sourceCount += 1
        } else {
          isKnown = false
        }
      },
      target: { token, _ in
        if targetKinds[token] == 0 && targets < Self.mostKinds {
          targetKinds[token] = UInt8(targets)
          targets += 1
        }
      })
    guard isText != nil, isKnown else { return nil }
    targetCount = targets
    for _ in 0..<sourceCount * targets { try emissions.append(Self.least) }
    reader = Reader(bytes)
    var row = 0
    _ = Self.read(
      &reader, vocabulary, jump: { _, _ in }, source: { row = Int(sourceKinds[$0]) * targets },
      target: { token, share in
        let kind = Int(targetKinds[token])
        if kind > 0 { emissions[row + kind] = max(Self.least, Float(share) / Float(Self.parts)) }
      })
  }

  /// Goes on by a token of the target.
  ///
  /// - `weights`: how likely the target has come to each place of the source, the likeliest being 1. Before the first
  ///   token of the target they do not matter.
  /// - Returns: the likeliest place; -1 if there is no source.
  func advance(
    _ weights: UnsafeMutablePointer<Float>, _ source: UnsafePointer<Int32>, count: Int,
    token: Int32, isFirst: Bool
  ) -> Int {
    let kind = Int(targetKinds[Int(token)])
    var most: Float = 0
    var best = -1
    for place in stride(from: count - 1, through: 0, by: -1) {
      var weight: Float = 0
      if isFirst {
        // It begins one place before the first.
        weight = place < Self.mostJump ? jumps[place + 1] : 0
      } else {
        for jump in 0...min(Self.mostJump, place) { weight += weights[place - jump] * jumps[jump] }
      }
      weight *= emissions[Int(sourceKinds[Int(source[place])]) * targetCount + kind]
      weights[place] = weight
      if weight >= most { (most, best) = (weight, place) }
    }
    // Below that the scale would not be finite: only a state that no sequence leads to has such weights.
    if most > 1e-30 {
      let scale = 1 / most
      for place in 0..<count { weights[place] *= scale }
    }
    return best
  }

  /// Reads the text; nil if it is none.
  private static func read(
    _ reader: inout Reader, _ vocabulary: Int, jump: (Int, Int) -> Void, source: (Int) -> Void,
    target: (Int, Int) -> Void
  ) -> Void? {
    for i in 0...mostJump {
      guard let share = reader.number(to: parts), i == mostJump || reader.take(",") else {
        return nil
      }
      jump(i, share)
    }
    while !reader.isAtEnd {
      guard reader.take(";"), let token = reader.number(to: vocabulary - 1), reader.take(":") else {
        return nil
      }
      source(token)
      repeat {
        guard let token = reader.number(to: vocabulary - 1), reader.take("="),
          let share = reader.number(to: parts)
        else { return nil }
        target(token, share)
      } while reader.take(",")
    }
    return ()
  }

  private struct Reader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
      at += 1
      return true
    }

    /// nil if there is no number, or one above `most`.
    mutating func number(to most: Int) -> Int? {
      var value: Int?
      while at < bytes.count, case let digit = Int(bytes[at]) - 48, (0...9).contains(digit) {
        value = (value ?? 0) * 10 + digit
        guard value! <= most else { return nil }
        at += 1
      }
      return value
    }
  }
}
