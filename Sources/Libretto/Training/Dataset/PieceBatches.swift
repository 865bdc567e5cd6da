import Memory
import Sequences

/// Music comes in pieces, and so do documents: each begins from a zero state at the beginning of a
/// sequence, and what is left of its last sequence stays empty. The pieces are shuffled for each epoch,
/// laid end to end, and shared out among the rows of the batch.
final class PieceBatches: Batches {
  let batchesPerEpoch: Int
  private let tokens: TokenStore
  private let pieces: PieceList
  /// What is to be predicted after each token; nil if it is the next one.
  private let explicitTargets: GrowableBuffer<Int32>?
  private let batch: Int
  private let sequence: Int
  private let seed: UInt64
  private let shuffles: Bool
  private let music: (any MusicEncoding)?
  /// Sequences of all pieces.
  private let sequences: Int
  /// How far each piece may be moved, in semitones; none if they are not.
  private let ranges: GrowableBuffer<Shifts>
  private let encoding: (any Encoding)?
  private let sides: BatchSides?
  /// A piece of which the facts are worked out.
  private let piece: GrowableBuffer<Int32>
  /// Puts the parts of pieces into other orders; nil if they have none, or are read as they are.
  private let orders: PieceOrders?

  private struct Shifts: BitwiseCopyable {
    var lowest = 0
    var count = 1
  }

  /// A piece in its place, its first sequence among those of the epoch, and what is done to it.
  private struct Turn: BitwiseCopyable {
    var first = 0
    var start = 0
    var end = 0
    var shift = 0
    /// Side inputs that are not told: bit K for the Kth of the encoding.
    var hidden: UInt32 = 0
    /// The label of the piece; 0 if it is not told.
    var label: Int32 = 0
    var piece = 0
    /// Chooses the order of its parts.
    var order: UInt64 = 0
  }

  private var epoch = -1
  /// All pieces, in the order of the epoch.
  private let order: GrowableBuffer<Int>
  /// The variants that the epoch has of them.
  private let turns: GrowableBuffer<Turn>

  /// - `music`: given if pieces are to be transposed, by up to half an octave each way.
  /// - `sides`: the side inputs of the network.
  init(
    _ tokens: TokenStore, _ pieces: PieceList, targets: GrowableBuffer<Int32>? = nil, batch: Int,
    sequence: Int, seed: UInt64,
    shuffles: Bool, music: (any MusicEncoding)?, sides: Sides = Sides(),
    encoding: (any Encoding)? = nil
  ) throws(LibrettoError) {
    self.sides = try encoding.flatMap { (encoding) throws(LibrettoError) in
      try BatchSides(batch: batch, sides, encoding, longest: pieces.longest)
    }
    self.encoding = encoding
    self.tokens = tokens
    self.pieces = pieces
    explicitTargets = targets
    self.batch = batch
    self.sequence = sequence
    self.seed = seed
    self.shuffles = shuffles
    self.music = music
    sequences = pieces.sequences(sequence)
    batchesPerEpoch = Self.epoch(pieces, batch: batch, sequence: sequence)
    let reorders = shuffles && encoding?.music?.hasOrders == true
    orders = try reorders ? PieceOrders(rows: batch, longest: pieces.longest) : nil
    let longest = self.sides == nil ? 0 : pieces.longest
    (order, turns, ranges, piece) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: pieces.count),
        try GrowableBuffer(capacity: pieces.mostVariants(sequence)),
        try GrowableBuffer(repeating: Shifts(), count: music == nil ? 0 : pieces.count),
        try GrowableBuffer(capacity: longest)
      )
    }
    guard let music else { return }
    for piece in 0..<pieces.count {
      let range = music.transpositions(of: pieces.tokens(of: piece).lazy.map { tokens[$0] })
        .clamped(to: -6...5)
      ranges[piece] = Shifts(lowest: range.lowerBound, count: range.count)
    }
  }

  /// The batches of an epoch.
  static func epoch(_ pieces: PieceList, batch: Int, sequence: Int) -> Int {
    max(1, (pieces.sequences(sequence) + batch - 1) / batch)
  }

  private func begin(_ epoch: Int) {
    self.epoch = epoch
    var random = RandomSource(seed: seed &+ UInt64(epoch))
    for i in 0..<order.count { order[i] = i }
    if shuffles {
      for i in stride(from: order.count - 1, to: 0, by: -1) {
        order.elements.swapAt(i, Int(random.next() % UInt64(i + 1)))
      }
    }
    turns.truncate(to: 0)
    var next = 0
    for piece in order.elements {
      let end = next + pieces.sequences(of: piece, sequence: sequence)
      var variant = shuffles ? Int(random.next() % UInt64(pieces.variants(of: piece))) : 0
      while true {
        next += append(piece, variant, at: next, &random)
        // What is left of its sequences takes shorter variants, if there are any.
        let fitting =
          shuffles ? pieces.variants(of: piece, within: end - next, sequence: sequence) : 0
        guard fitting > 0 else { break }
        variant = pieces.variant(
          Int(random.next() % UInt64(fitting)), of: piece, within: end - next, sequence: sequence)
      }
      next = end
    }
    sides?.forget()
    orders?.forget()
  }

  /// Puts a variant in its place of the epoch, and returns its sequences.
  private func append(
    _ piece: Int, _ variant: Int, at first: Int, _ random: inout RandomSource
  ) -> Int {
    let shifts = ranges.isEmpty ? Shifts() : ranges[piece]
    let range = pieces.tokens(of: piece, variant: variant)
    var turn = Turn(first: first, start: range.lowerBound, end: range.upperBound)
    turn.shift = shifts.lowest + Int(random.next() % UInt64(shifts.count))
    // After all other draws of the piece, so that runs without side inputs draw what they always did.
    turn.label = pieces.label(of: piece)
    turn.piece = piece
    if sides != nil, shuffles {
      let chance = random.next()
      turn.hidden = hide(chance)
      if chance >> 58 & 7 == 0 { turn.label = 0 }
    }
    if orders != nil { turn.order = random.next() }
    turns.appendReserved(turn)
    return PieceList.sequences(of: range, sequence: sequence)
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides values: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void
  ) {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: batchesPerEpoch)
    if epoch != self.epoch { begin(epoch) }
    for row in 0..<batch {
      let number = row * batchesPerEpoch + place
      guard number < sequences else {
        for t in 0..<sequence {
          inputs[t * batch + row] = 0
          targets[t * batch + row] = -1
        }
        if let values { sides?.leaveOut(row, sequence, values) }
        continue
      }
      let place = index(of: number)
      let turn = turns[place]
      let within = number - turn.first
      if within == 0 || number == row * batchesPerEpoch { reset(row) }
      let start = turn.start + within * sequence
      let ordered = reordered(turn, place, row: row)
      func token(_ at: Int) -> Int32 {
        ordered.map { $0[at - turn.start] } ?? self.token(at, turn.shift)
      }
      for t in 0..<sequence {
        let at = start + t
        let i = t * batch + row
        inputs[i] = at < turn.end ? token(at) : 0
        targets[i] =
          at + 1 >= turn.end ? -1 : explicitTargets.map { $0[at] } ?? token(at + 1)
      }
      guard let sides, let values else { continue }
      sides.fill(
        values, row: row, sequence: sequence, at: start, passage: place,
        tokens: turn.start..<turn.end, facts: { facts(of: turn) }, token: token)
    }
  }

  /// The tokens of a piece with its parts in the order of its turn; nil if they have none.
  private func reordered(_ turn: Turn, _ place: Int, row: Int) -> UnsafePointer<Int32>? {
    guard let orders, let music = encoding?.music else { return nil }
    return orders.piece(
      row: row, place: place, count: turn.end - turn.start, chance: turn.order, music
    ) { token(turn.start + $0, turn.shift) }
  }

  /// Which side inputs a piece does not tell, by chance, so that a session may leave any of them untold: those of
  /// the encoding's own each with a probability of a quarter, the memory with one of an eighth (as is the label, by
  /// other bits).
  private func hide(_ random: UInt64) -> UInt32 {
    guard let encoding else { return 0 }
    var facts = SideFacts()
    for (side, input) in encoding.ownSideInputs.prefix(29).enumerated()
    where input.mayHide && random >> UInt64(2 * side) & 3 == 0 {
      facts.hidden |= 1 << UInt32(side)
    }
    if random >> 61 == 0 { facts.hideMemory(of: encoding) }
    return facts.hidden
  }

  private func facts(of turn: Turn) -> SideFacts {
    piece.truncate(to: 0)
    for at in turn.start..<turn.end { piece.appendReserved(token(at, turn.shift)) }
    var facts =
      encoding?.sideFacts(of: UnsafeBufferPointer(piece.elements)) ?? SideFacts()
    facts.hidden = turn.hidden
    facts.label = turn.label
    facts.series = pieces.series(of: turn.piece)
    return facts
  }

  @inline(__always)
  private func token(_ at: Int, _ shift: Int) -> Int32 {
    guard shift != 0, let music else { return tokens[at] }
    return music.transposed(tokens[at], by: shift)
  }

  /// The piece a sequence is of: the last one that begins at or before it.
  private func index(of sequence: Int) -> Int {
    var low = 0
    var high = turns.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if turns[middle].first <= sequence { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
