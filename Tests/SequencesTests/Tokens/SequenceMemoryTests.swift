import TestSupport
import Testing

@testable import Sequences

private let reach = SequenceMemory.Reach.performance

@Suite struct SequenceMemoryTests {
  /// The same by its definition: looks through everything that was read.
  private struct Definition {
    var tokens: [Int32] = []
    var source = 0
    var length = 0
    let contexts = (0..<3).map { reach.contexts[$0] }

    var expected: Int32? {
      length > 0 && length < 4 * (tokens.count - source) ? tokens[source] : nil
    }

    mutating func advance(_ token: Int32) {
      if length > 0, tokens[source] == token {
        (source, length) = (source + 1, length + 1)
      } else {
        length = 0
      }
      tokens.append(token)
      // The latest place after each context, the longest context first; one that is not longer than the match
      // changes nothing.
      for context in contexts where context > length && tokens.count > context {
        let end = tokens.count
        let first = max(context, end - reach.capacity + 1)
        let found = stride(from: end - 1, through: first, by: -1).first { place in
          place - context > end - reach.capacity
            && (1...context).allSatisfy { tokens[place - $0] == tokens[end - $0] }
        }
        guard let found else { continue }
        var same = 0
        while same < 32 && found - same > max(0, end - reach.capacity + 1)
          && tokens[found - 1 - same] == tokens[end - 1 - same]
        {
          same += 1
        }
        (source, length) = (found, same)
        break
      }
    }
  }

  /// Tokens that often return: phrases of a few that come again, changed now and then.
  private func material(
    _ count: Int, kinds: Int32, _ random: inout SplitMix
  )
    -> [Int32]
  {
    var tokens: [Int32] = []
    while tokens.count < count {
      if tokens.count > 40, Int.random(in: 0..<3, using: &random) > 0 {
        let length = Int.random(in: 3...40, using: &random)
        let start = Int.random(in: max(0, tokens.count - 600)..<(tokens.count - 40), using: &random)
        tokens += tokens[start..<start + length]
      } else {
        for _ in 0..<7 { tokens.append(Int32.random(in: 0..<kinds, using: &random)) }
      }
    }
    return Array(tokens.prefix(count))
  }

  /// It expects what followed the latest passage of the longest context that ends as the sequence does, but where
  /// another context has taken that one's slot.
  @Test(arguments: [(Int32(300), 1200), (20, 1200), (3, 400)])
  func itIsAsDefined(_ kinds: Int32, _ count: Int) throws {
    var random = SplitMix(UInt64(kinds))
    let memory = try SequenceMemory(reach)
    for _ in 0..<2 {
      var definition = Definition()
      memory.reset()
      var (told, others) = (0, 0)
      for token in material(count, kinds: kinds, &random) {
        definition.advance(token)
        memory.advance(token)
        others += memory.expected == definition.expected ? 0 : 1
        told += memory.expected == nil ? 0 : 1
      }
      #expect(told > count / 3 && others <= count / 100, "\(told), \(others)")
    }
  }

  /// It looks back over so many tokens and no more, and what is left behind does no harm.
  @Test func itForgetsWhatIsTooOld() throws {
    let memory = try SequenceMemory(reach)
    var random = SplitMix(5)
    let theme: [Int32] = (0..<30).map { _ in Int32.random(in: 0..<200, using: &random) }
    func expected(after gap: Int) -> Int32? {
      memory.reset()
      theme.forEach { memory.advance($0) }
      for i in 0..<gap { memory.advance(Int32(300 + i % 60_000)) }
      theme.prefix(12).forEach { memory.advance($0) }
      return memory.expected
    }
    #expect(expected(after: 100) == theme[12])
    #expect(expected(after: reach.capacity - 60) == theme[12])
    #expect(expected(after: reach.capacity) == nil)
    #expect(expected(after: 3 * reach.capacity) == nil)
  }

  @Test func aPieceKnowsNothingOfTheOneBefore() throws {
    let memory = try SequenceMemory(reach)
    let theme: [Int32] = Array(0..<40)
    (theme + theme).forEach { memory.advance($0) }
    #expect(memory.expected == 0)
    memory.reset()
    #expect(memory.expected == nil)
    theme.prefix(20).forEach { memory.advance($0) }
    #expect(memory.expected == nil)
  }

  /// A strength below 1 multiplies the length that is told, and 0 tells nothing.
  @Test func theStrengthIsThatOfTheLength() throws {
    let memory = try SequenceMemory(reach)
    let theme: [Int32] = Array(0..<40)
    for _ in 0..<4 { theme.forEach { memory.advance($0) } }
    theme.prefix(9).forEach { memory.advance($0) }
    func told(_ strength: Float) -> [Int32] {
      var values: [Int32] = [-1, -1, -1]
      memory.write(into: &values, strength: strength)
      return values
    }
    #expect(told(0) == [0, 0, 0])
    #expect(told(0.001) == [0, 0, 0])
    #expect(told(1)[1] == 10)
    let lengths = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 100].map { told($0)[2] }
    #expect(lengths == lengths.sorted() && Set(lengths).count > 5)
    let inputs = SequenceMemory.sideInputs(vocabulary: 40, hasBars: false)
    #expect(inputs.map(\.count) == [5, 41, Int(lengths.last!) + 1])
  }

  /// A memory from its bytes goes on as the one they were taken of, wherever that stands.
  @Test(arguments: [0, 3, 100, reach.capacity + 77, 3 * reach.capacity - 1])
  func itIsSavedAndRestored(_ count: Int) throws {
    var random = SplitMix(UInt64(count))
    let all = material(count + 400, kinds: 90, &random)
    let memory = try SequenceMemory(reach)
    all.prefix(count).forEach { memory.advance($0) }
    var bytes = [UInt8](repeating: 7, count: memory.stateSize)
    bytes.withUnsafeMutableBytes { memory.save(to: $0.baseAddress!) }
    let other = try SequenceMemory(reach)
    material(500, kinds: 90, &random).forEach { other.advance($0) }
    #expect(bytes.withUnsafeBytes { other.restore(from: $0.baseAddress!, vocabulary: 90) })
    var again = [UInt8](repeating: 9, count: memory.stateSize)
    again.withUnsafeMutableBytes { other.save(to: $0.baseAddress!) }
    #expect(again == bytes)
    for (i, token) in all.dropFirst(count).enumerated() {
      memory.advance(token)
      other.advance(token)
      #expect(memory.expected == other.expected, "place \(i)")
    }
  }

  @Test func bytesThatCannotBeOneAreRefused() throws {
    let memory = try SequenceMemory(reach)
    (Array(0..<40) + Array(0..<9)).forEach { memory.advance($0) }
    var bytes = [UInt8](repeating: 0, count: memory.stateSize)
    bytes.withUnsafeMutableBytes { memory.save(to: $0.baseAddress!) }
    func restores(_ change: (UnsafeMutableRawPointer) -> Void) throws -> Bool {
      var bytes = bytes
      bytes.withUnsafeMutableBytes { change($0.baseAddress!) }
      let other = try SequenceMemory(reach)
      return bytes.withUnsafeBytes { other.restore(from: $0.baseAddress!, vocabulary: 40) }
    }
    #expect(try restores { _ in })
    for (word, value) in [
      (0, UInt64(reach.capacity) + 1), (0, 20), (0, .max), (1, .max), (1, 0), (2, 0),
      (2, 49), (2, .max), (3, 1), (4, 50), (5, 1),
    ] {
      #expect(try !restores { $0.setWord(word, value) }, "word \(word): \(value)")
    }
    #expect(try !restores { $0.storeBytes(of: 40, toByteOffset: 8 * 13, as: UInt16.self) })
    #expect(try !restores { $0.storeBytes(of: 1, toByteOffset: 8 * 13 + 2 * 49, as: UInt16.self) })
  }

  /// Of a passage that comes round again and again nothing is expected after some rounds: four, or three of bars.
  @Test func whatComesRoundForEverIsNotExpected() throws {
    for (reach, most) in [(SequenceMemory.Reach.performance, 4), (.grid, 3)] {
      let memory = try SequenceMemory(reach)
      var told = 0
      for _ in 0..<20 {
        for token in Int32(0)..<20 {
          memory.advance(token, beginsBar: token == 19)
          told += memory.expected == nil ? 0 : 1
        }
      }
      #expect(told >= 20 * (most - 1) && told <= 20 * most, "\(told)")
    }
  }

  /// At a bar line it proposes the bar eight bars before, or four within the first eight, and follows it as long as
  /// it is right.
  @Test func thePhraseBeforeIsProposed() throws {
    let memory = try SequenceMemory(.grid)
    func proposed() -> Int32 {
      var values: [Int32] = [-1, -1, -1, -1]
      memory.write(into: &values)
      return values[0] - 1
    }
    // Bars of three tokens, of their number, a filler and the bar line, which is 999; a time signature first.
    memory.advance(500, beginsBar: true)
    var seen: [Int32] = []
    for bar in Int32(0)..<18 {
      seen.append(proposed())
      let first = bar == 10 ? 77 : 10 * bar
      memory.advance(first)
      if bar == 9 { #expect(proposed() == -1) }
      memory.advance(first + 1)
      // Another time signature at a bar line begins no other bar.
      memory.advance(999, beginsBar: true)
      if bar == 4 { memory.advance(501, beginsBar: true) }
    }
    let wanted: [Int32] = (0..<18).map { bar in
      bar < 4 ? -1 : bar < 8 ? 10 * (bar - 4) : bar == 18 ? 77 : 10 * (bar - 8)
    }
    #expect(seen == wanted, "\(seen)")
    memory.reset()
    #expect(proposed() == -1)
  }

  /// A piece with bars is saved and restored in the middle of a phrase.
  @Test func phrasesAreSavedAndRestored() throws {
    let memory = try SequenceMemory(.grid)
    let other = try SequenceMemory(.grid)
    var random = SplitMix(8)
    for place in 0..<400 {
      memory.advance(Int32.random(in: 0..<3, using: &random), beginsBar: place % 7 == 0)
      guard place % 23 == 0 else { continue }
      var bytes = [UInt8](repeating: 7, count: memory.stateSize)
      bytes.withUnsafeMutableBytes { memory.save(to: $0.baseAddress!) }
      #expect(bytes.withUnsafeBytes { other.restore(from: $0.baseAddress!, vocabulary: 3) })
      for step in 0..<40 {
        let copy = try SequenceMemory(.grid)
        _ = bytes.withUnsafeBytes { copy.restore(from: $0.baseAddress!, vocabulary: 3) }
        var (a, b): ([Int32], [Int32]) = ([0, 0, 0, 0], [0, 0, 0, 0])
        other.write(into: &a)
        copy.write(into: &b)
        if step == 0 { #expect(a == b, "place \(place)") }
        other.advance(Int32(step % 3), beginsBar: step % 7 == 0)
        copy.advance(Int32(step % 3), beginsBar: step % 7 == 0)
        copy.write(into: &b)
        var again = [UInt8](repeating: 7, count: memory.stateSize)
        again.withUnsafeMutableBytes { copy.save(to: $0.baseAddress!) }
        bytes = again
        other.write(into: &a)
        #expect(a == b, "place \(place), step \(step)")
      }
    }
  }
}
