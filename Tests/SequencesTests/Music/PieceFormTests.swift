import Memory
import TestSupport
import Testing

@testable import Sequences

/// Variants of the forms of pieces.
@Suite struct PieceFormTests {
  private let encoding = try! MelodyEncoding(stepsPerQuarter: 2)

  /// So many bars of 2/4, of which the last is the tonic of the major key of `tonic`.
  private func piece(bars: Int, tonic: Int) throws -> GrowableBuffer<Int32> {
    let grid = encoding.grid
    let tokens = GrowableBuffer<Int32>()
    try tokens.append(Grid.start)
    try tokens.append(Grid.firstTimeSignature + Int32(grid.timeSignature(TimeSignature(2, 4))!))
    let scale = [0, 4, 7, 9, 11, 7, 5, 2]
    for bar in 0..<bars {
      for step in 0..<4 {
        let isLast = bar + 1 == bars
        let pitch = tonic + (isLast ? 0 : scale[(3 * bar + step + tonic) % 8])
        try tokens.append((isLast && step > 0 ? grid.firstHeld : grid.firstNew) + Int32(pitch))
        try tokens.append(grid.firstStep + Int32((step + 1) % 4))
      }
    }
    try tokens.append(Grid.end)
    return tokens
  }

  @Test func variantsArePiecesThatEndOnTheTonic() throws {
    let forms = ObjectList<PieceForm>()
    for (bars, tonic) in [(8, 60), (13, 62), (16, 67), (32, 55)] {
      try forms.append(try #require(try PieceForm(try piece(bars: bars, tonic: tonic), encoding)))
    }
    var random = SplitMix(1)
    for number in 0..<200 {
      let variant = try forms[number % forms.count].variant(among: forms) {
        Int(random.next() % UInt64($0))
      }
      // The grammar allows each token where it comes.
      let grammar = try encoding.makeMusicGrammar()
      var logits = [Float](repeating: 0, count: encoding.vocabularySize)
      for (place, token) in variant.elements.enumerated() {
        if place > 0 {
          for i in 0..<logits.count { logits[i] = 0 }
          grammar.forbid(&logits)
          #expect(logits[Int(token)] == 0, "token \(token) at \(place) of variant \(number)")
        }
        grammar.advance(token)
      }
      let facts = encoding.sideFacts(of: UnsafeBufferPointer(variant.elements))
      // Two phrases at most, and what is left over before the first.
      #expect((4...11).contains(facts.bars))
      #expect(variant[0] == Grid.start && variant[variant.count - 1] == Grid.end)
      let pitches = variant.elements.compactMap { encoding.pitch(of: $0) }
      let tonics = [60, 62, 67, 55].map { $0 % 12 }
      #expect(pitches.last! % 12 == tonics[number % forms.count])
    }
  }

  @Test func piecesWithoutPhrasesHaveNone() throws {
    #expect(try PieceForm(try piece(bars: 7, tonic: 60), encoding) == nil)
    let cutOff = try piece(bars: 8, tonic: 60)
    cutOff.truncate(to: cutOff.count - 3)
    try cutOff.append(Grid.end)
    #expect(try PieceForm(cutOff, encoding) == nil)
    #expect(try PerformanceEncoding().form(of: cutOff) == nil)
  }
}
