import Memory
import Sequences

/// The pieces that the rows of a batch are in, with their parts in other orders.
final class PieceOrders {
  private let longest: Int
  private let tokens, room: GrowableBuffer<Int32>
  /// The piece of each row, by its place in the epoch; -1 for none.
  private let places: GrowableBuffer<Int>

  /// - `longest`: no piece has more tokens.
  init(rows: Int, longest: Int) throws(LibrettoError) {
    self.longest = longest
    (tokens, room, places) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: rows * longest),
        try GrowableBuffer(repeating: 0, count: longest),
        try GrowableBuffer(repeating: -1, count: rows)
      )
    }
  }

  /// At the beginning of an epoch, whose pieces stand elsewhere.
  func forget() { for row in 0..<places.count { places[row] = -1 } }

  /// The tokens of the piece that a row is in.
  ///
  /// - `token`: gives them as they are.
  func piece(
    row: Int, place: Int, count: Int, chance: UInt64, _ music: any MusicEncoding,
    _ token: (Int) -> Int32
  ) -> UnsafePointer<Int32>? {
    guard let base = tokens.base, let room = room.base else { return nil }
    let piece = base + row * longest
    if places[row] != place {
      for i in 0..<count { piece[i] = token(i) }
      music.reorder(
        UnsafeMutableBufferPointer(start: piece, count: count), chance: chance, room: room)
      places[row] = place
    }
    return UnsafePointer(piece)
  }
}
