import Memory
import Sequences

/// The side values of pieces, as the rows of a batch read them.
final class PieceSides {
  private let encoding: any Encoding
  /// Side inputs of the network.
  private let count: Int
  private let batch: Int
  /// A piece of which the facts are worked out.
  private let piece: GrowableBuffer<Int32>
  private let readers: ObjectList<SideReader>
  /// The place in the order of the epoch, and the next token, that each row's reader stands at.
  private let stands: GrowableBuffer<Stand>

  private struct Stand: BitwiseCopyable {
    var turn = -1
    var next = 0
  }

  /// A piece in its place of an epoch, and what is done to it.
  struct Piece {
    let turn: Int
    let tokens: Range<Int>
    let shift: Int
    let hidden: UInt32
  }

  /// nil if the network has no side inputs.
  init?(
    _ pieces: PieceList, batch: Int, _ sides: Sides,
    _ encoding: any Encoding
  ) throws(LibrettoError) {
    guard !sides.inputs.isEmpty else { return nil }
    self.encoding = encoding
    self.batch = batch
    count = sides.inputs.count
    let readers = ObjectList<SideReader>()
    for _ in 0..<batch {
      guard let reader = try SideReader(sides, encoding) else { return nil }
      try allocating { () throws(OutOfMemory) in try readers.append(reader) }
    }
    self.readers = readers
    (piece, stands) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(capacity: pieces.longest),
        try GrowableBuffer(repeating: Stand(), count: batch)
      )
    }
  }

  /// Which side inputs a piece does not tell, by chance: each with a probability of a quarter, so that a
  /// session may leave any of them untold.
  func hide(_ random: UInt64) -> UInt32 {
    var hidden: UInt32 = 0
    for side in 0..<min(encoding.sideInputs.count, 32) where random >> UInt64(2 * side) & 3 == 0 {
      hidden |= 1 << UInt32(side)
    }
    return hidden
  }

  /// At the beginning of an epoch, which has another order.
  func forget() { for i in 0..<stands.count { stands[i] = Stand() } }

  /// Writes the values of a row's sequence from the token `at` on; `token` gives the piece's tokens as they
  /// are read.
  func fill(
    _ values: UnsafeMutablePointer<Int32>, row: Int, sequence: Int, at start: Int, _ piece: Piece,
    token: (Int) -> Int32
  ) {
    let reader = readers[row]
    if stands[row].turn != piece.turn || stands[row].next != start {
      self.piece.truncate(to: 0)
      for at in piece.tokens { self.piece.appendReserved(token(at)) }
      var facts = encoding.sideFacts(of: UnsafeBufferPointer(self.piece.elements))
      facts.hidden = piece.hidden
      reader.begin(facts)
      // A row may begin in the middle of a piece, as may a run that is resumed.
      for at in piece.tokens.lowerBound..<min(start, piece.tokens.upperBound) {
        reader.skip(token(at))
      }
    }
    for t in 0..<sequence {
      let values = values + (t * batch + row) * count
      if start + t < piece.tokens.upperBound {
        reader.advance(token(start + t), into: values)
      } else {
        for side in 0..<count { values[side] = 0 }
      }
    }
    stands[row] = Stand(turn: piece.turn, next: start + sequence)
  }

  /// Nothing is told of a row that has no piece.
  func leaveOut(_ row: Int, _ sequence: Int, _ values: UnsafeMutablePointer<Int32>) {
    for t in 0..<sequence {
      for side in 0..<count { values[(t * batch + row) * count + side] = 0 }
    }
  }
}
