import Sequences

/// How tokens are read for training: in batches of sequences, each row going on where it was. Where every
/// row stands follows from the number of the step alone, so a run can go on from anywhere.
protocol Batches: AnyObject {
  var batchesPerEpoch: Int { get }

  /// Copies a step's batch: `[sequence][batch]` tokens to read and to predict, a target of -1
  /// where there is nothing to predict. Calls `reset` for each row that begins anew, from a zero
  /// state, at this step.
  ///
  /// - `sides`: takes the side values that go with the inputs, `[sequence][batch][side inputs]`; nil if the
  ///   network has none.
  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void)
}

extension Batches {
  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    reset: (Int) -> Void
  ) { fill(step: step, inputs: inputs, targets: targets, sides: nil, reset: reset) }
}

/// Text is one long stretch: each row walks its own part of it once per epoch.
///
/// Each epoch leaves some tokens out, other ones each time: the sequences are whole and begin at a
/// random place, the same in every part.
final class TextBatches: Batches {
  let batchesPerEpoch: Int
  private let tokens: TokenStore
  let batch: Int
  let sequence: Int
  private let seed: UInt64
  /// Tokens that one row predicts if it walks to the end of its part.
  private let stretch: Int
  /// Places an epoch can begin at.
  private let beginnings: Int
  private let sides: BatchSides?

  init(
    _ tokens: TokenStore, batch: Int, sequence: Int, seed: UInt64, sides: BatchSides? = nil
  ) {
    self.sides = sides
    self.tokens = tokens
    self.batch = batch
    self.sequence = sequence
    self.seed = seed
    stretch = (tokens.count - 1) / batch
    batchesPerEpoch = Self.epoch(tokens: tokens.count, batch: batch, sequence: sequence)
    beginnings =
      max(0, stretch - batchesPerEpoch * sequence) + (tokens.count - 1) % batch + 1
  }

  /// The batches of an epoch. Where it costs little, one is given up so that epochs differ more.
  static func epoch(tokens: Int, batch: Int, sequence: Int) -> Int {
    let whole = max(1, (tokens - 1) / batch / sequence)
    return whole >= 8 ? whole - 1 : whole
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides values: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void
  ) {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: batchesPerEpoch)
    for row in 0..<batch where place == 0 || beginsAnew(epoch, place, row) { reset(row) }
    var random = RandomSource(seed: seed &+ UInt64(epoch))
    let beginning = Int(random.next() % UInt64(beginnings))
    let start = beginning + place * sequence
    for row in 0..<batch {
      for t in 0..<sequence {
        let at = row * stretch + start + t
        let i = t * batch + row
        inputs[i] = at < tokens.count ? tokens[at] : 0
        targets[i] = at + 1 < tokens.count ? tokens[at + 1] : -1
      }
      guard let sides, let values else { continue }
      let first = lastForgetting(epoch, place, row)
      sides.fill(
        values, row: row, sequence: sequence, at: row * stretch + start,
        passage: epoch * batchesPerEpoch + first,
        tokens: row * stretch + beginning + first * sequence..<tokens.count,
        facts: { SideFacts() }, hidesMemory: hidesMemory(epoch, place, row)
      ) { tokens[$0] }
    }
  }

  // What a session meets at its beginning is learned only if training meets it too, also in an epoch without end:
  // now and then a row begins anew, from a zero state, and now and then with an empty memory as well. (The winner of
  // Melis, Kočiský and Blunsom 2020 drops the carried state likewise.)

  /// Whether a row begins from a zero state at a place: one sequence of 64 does.
  private func beginsAnew(_ epoch: Int, _ place: Int, _ row: Int) -> Bool {
    forgets(epoch, place, row) || chance(1, epoch, place, row) >> 58 == 0
  }

  /// Whether it forgets what it read, too: one of 256 does.
  private func forgets(_ epoch: Int, _ place: Int, _ row: Int) -> Bool {
    chance(2, epoch, place, row) >> 56 == 0
  }

  /// The last place, from the beginning of the epoch to this one, where a row forgot what it read.
  private func lastForgetting(_ epoch: Int, _ place: Int, _ row: Int) -> Int {
    var place = place
    while place > 0 && !forgets(epoch, place, row) { place -= 1 }
    return place
  }

  /// 64 bits that follow from the seed and a place in training.
  private func chance(_ what: UInt64, _ epoch: Int, _ place: Int, _ row: Int) -> UInt64 {
    var random = RandomSource(
      seed: seed &+ what << 56 ^ UInt64(epoch) << 40 ^ UInt64(place) << 16 ^ UInt64(row))
    return random.next()
  }

  /// Whether the memory tells nothing of a sequence: of some that follow each other, by chance, so that a session
  /// may do without it.
  private func hidesMemory(_ epoch: Int, _ place: Int, _ row: Int) -> Bool {
    chance(0, epoch, place / 8, row) >> 61 == 0
  }
}
