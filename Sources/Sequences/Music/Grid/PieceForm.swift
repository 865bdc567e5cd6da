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
  private let facts: SideFacts
  private var key: Int32 { facts.key }
  private static let bars = 4
  /// The longest variant. Shorter ones have more ends for as many tokens.
  private static let mostPhrases = 2

  private var timeSignature: Int32 { piece[1] }
  private var phrases: Int { (bars.count - 1) / Self.bars }

  /// nil for pieces of fewer than two phrases, those whose time signature changes, and those that do not end
  /// with a bar.
  public init?(_ piece: GrowableBuffer<Int32>, _ encoding: some GridEncoding) throws(OutOfMemory) {
    grid = encoding.grid
    self.piece = piece
    pitches = encoding.transpositions(of: piece.elements)
    facts = encoding.sideFacts(of: UnsafeBufferPointer(piece.elements))
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

  /// The tokens of some bars of a phrase.
  private func phrase(_ number: Int, bars part: Range<Int>) -> Range<Int> {
    let first = bars.count - 1 - Self.bars * (phrases - number)
    let start = number == 0 && part.lowerBound == 0 ? 0 : first + part.lowerBound
    return bars[start]..<bars[first + part.upperBound]
  }

  /// Semitones by which this piece is in the key of another; nil if it cannot join it: it has another time
  /// signature or mode, or would leave the range.
  private func shift(toJoin other: PieceForm) -> Int? {
    guard timeSignature == other.timeSignature, (key > 12) == (other.key > 12),
      (key == 0) == (other.key == 0)
    else { return nil }
    let apart = key == 0 ? 0 : (Int(other.key - key) + 18) % 12 - 6
    return pitches.contains(apart) ? apart : nil
  }

  /// A piece that begins as this one, is as long or shorter, and has an end.
  ///
  /// Of two variants one keeps to the phrases of this piece: it goes on, turns back or skips at the end of each.
  /// The other goes on after one, two or four bars with those that any piece of the collection has at that
  /// place of a phrase, moved to the key. Either ends with the last one, two or four bars of any piece that ends
  /// on the tonic of its key.
  ///
  /// - `random`: a number below its argument, by chance.
  public func variant(among pieces: ObjectList<PieceForm>, random: (Int) -> Int)
    throws(OutOfMemory) -> GrowableBuffer<Int32>
  {
    let length = 1 + min(random(Self.mostPhrases), random(phrases))
    let isOwn = random(2) == 0
    let ending = [1, 1, 2, Self.bars][random(4)]
    let result = try GrowableBuffer<Int32>(capacity: piece.count)
    for token in piece.elements[..<bars[0]] { try result.append(token) }
    var sounding = PitchSet()
    var number = 0
    for place in 0..<length {
      let end = place + 1 < length ? Self.bars : Self.bars - ending
      var bar = 0
      while bar < end {
        let next = min(end, isOwn ? Self.bars : bar + [1, 2, Self.bars][random(3)])
        let isFirst = place == 0 && bar == 0
        let (source, shift) = isOwn || isFirst ? (self, 0) : partner(among: pieces, random)
        let from = isOwn || isFirst ? number : random(source.phrases)
        try source.append(
          source.phrase(from, bars: bar..<next), shift: shift, to: result, &sounding)
        bar = next
      }
      number = number + 1 < phrases && random(10) < 7 ? number + 1 : random(phrases)
    }
    let (last, shift) = partner(among: pieces, random) { $0.facts.endsOnTonic }
    try last.append(
      last.phrase(last.phrases - 1, bars: Self.bars - ending..<Self.bars), shift: shift,
      to: result, &sounding)
    try result.append(Grid.end)
    return result
  }

  /// A piece whose bars can stand in this one, and the semitones by which they then move.
  private func partner(
    among pieces: ObjectList<PieceForm>, _ random: (Int) -> Int,
    where isWanted: (PieceForm) -> Bool = { _ in true }
  ) -> (PieceForm, Int) {
    for _ in 0..<32 {
      let other = pieces[random(pieces.count)]
      if isWanted(other), let shift = other.shift(toJoin: self) { return (other, shift) }
    }
    return (self, 0)
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
