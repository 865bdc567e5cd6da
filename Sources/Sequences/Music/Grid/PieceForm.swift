import Memory

/// The phrases of a piece on a grid: four bars each, counted from its end, and what is left over before the
/// first of them belongs to that one.
///
/// From it come variants in which the phrases follow one another in other ways. A model that learns from
/// them as well does not learn that one phrase alone may follow another, and learns when to come to an end
/// from the bars still to go.
public final class PieceForm {
  private let grid: Grid
  private let piece: GrowableBuffer<Int32>
  private let bars = GrowableBuffer<Int>()
  private let pitches: ClosedRange<Int>
  private let key: Int32
  private static let bars = 4

  private var timeSignature: Int32 { piece[1] }
  private var phrases: Int { (bars.count - 1) / Self.bars }

  /// nil for pieces of fewer than two phrases, those whose time signature changes, and those that do not end
  /// with a bar.
  public init?(_ piece: GrowableBuffer<Int32>, _ encoding: some GridEncoding) throws(OutOfMemory) {
    grid = encoding.grid
    self.piece = piece
    pitches = encoding.transpositions(of: piece.elements)
    key = encoding.sideFacts(of: UnsafeBufferPointer(piece.elements)).key
    guard piece.count > 3, case .timeSignature = grid.meaning(piece[1]),
      piece[piece.count - 1] == Grid.end
    else { return nil }
    try bars.append(2)
    for i in 2..<piece.count - 1 {
      switch grid.meaning(piece[i]) {
      case .timeSignature: return nil
      case .step(0): try bars.append(i + 1)
      default: break
      }
    }
    guard bars[bars.count - 1] == piece.count - 1, phrases >= 2 else { return nil }
  }

  private func phrase(_ number: Int) -> Range<Int> {
    let first = bars.count - 1 - Self.bars * phrases
    let start = number == 0 ? 0 : first + Self.bars * number
    return bars[start]..<bars[first + Self.bars * (number + 1)]
  }

  /// Semitones by which this piece is in the key of another; nil if it cannot end it: it has another time
  /// signature or mode, or would leave the range.
  private func shift(toEnd other: PieceForm) -> Int? {
    guard timeSignature == other.timeSignature, (key > 12) == (other.key > 12),
      (key == 0) == (other.key == 0)
    else { return nil }
    let apart = key == 0 ? 0 : (Int(other.key - key) + 18) % 12 - 6
    return pitches.contains(apart) ? apart : nil
  }

  /// The piece as long as it was or shorter: it begins as it did, goes on, turns back or skips at the ends of
  /// phrases, and ends with its last phrase, or with that of the other piece, moved to its key.
  ///
  /// - `random`: a number below its argument, by chance.
  public func variant(endingLike other: PieceForm, random: (Int) -> Int) throws(OutOfMemory)
    -> GrowableBuffer<Int32>
  {
    let length = phrases / 2 + 1 + random(phrases - phrases / 2)
    let result = try GrowableBuffer<Int32>(capacity: piece.count)
    for token in piece.elements[..<bars[0]] { try result.append(token) }
    var sounding = PitchSet()
    var number = 0
    for place in 0..<length - 1 {
      if place > 0 {
        number =
          number + 1 < phrases - 1 && random(10) < 7 ? number + 1 : random(max(1, phrases - 1))
      }
      try append(phrase(number), shift: 0, to: result, &sounding)
    }
    if let shift = other.shift(toEnd: self) {
      try other.append(other.phrase(other.phrases - 1), shift: shift, to: result, &sounding)
    } else {
      try append(phrase(phrases - 1), shift: 0, to: result, &sounding)
    }
    try result.append(Grid.end)
    return result
  }

  /// - `sounding`: the notes of the step before; a note that went on from elsewhere begins.
  private func append(
    _ range: Range<Int>, shift: Int, to result: GrowableBuffer<Int32>, _ sounding: inout PitchSet
  ) throws(OutOfMemory) {
    var now = PitchSet()
    for i in range {
      var token = grid.transposed(piece[i], by: shift)
      switch grid.meaning(token) {
      case .new(let pitch): now[pitch] = true
      case .held(let pitch):
        now[pitch] = true
        if !sounding[pitch] { token = grid.firstNew + Int32(pitch) }
      case .step: (sounding, now) = (now, PitchSet())
      case .start, .end, .timeSignature: break
      }
      try result.append(token)
    }
  }
}
