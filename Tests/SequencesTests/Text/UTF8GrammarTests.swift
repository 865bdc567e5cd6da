import TestSupport
import Testing

@testable import Sequences

@Suite struct UTF8GrammarTests {
  /// What the grammar lets come next.
  private func allowed(_ grammar: any Grammar, _ vocabulary: Int) -> [Int32] {
    var logits = [Float](repeating: 1, count: vocabulary)
    logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
    return logits.indices.filter { logits[$0] == 1 }.map { Int32($0) }
  }

  private func isValid(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  @Test func anyWalkOverWhatIsAllowedIsWellFormed() throws {
    let encodings: [any TextEncoding] = [
      BytesEncoding(), try CharactersEncoding(alphabet: ["é", "€", "🎵", "日"]),
      BytesEncoding(documents: true), try CharactersEncoding(alphabet: ["é"], documents: true),
    ]
    var random = SplitMix(5)
    for encoding in encodings {
      let grammar = try encoding.makeGrammar()
      for _ in 0..<300 {
        grammar.reset()
        var bytes: [UInt8] = []
        for _ in 0..<40 {
          let choices = allowed(grammar, encoding.vocabularySize)
          try #require(!choices.isEmpty)
          // Often a lead byte: most of the tokens are ASCII and say little.
          let leads = choices.filter { $0 >= 0xC0 }
          let token = (leads.isEmpty || random.next() % 3 == 0 ? choices : leads)
            .randomElement(using: &random)!
          grammar.advance(token)
          bytes += encoding.decode([token])
          #expect(grammar.isComplete == isValid(bytes))
        }
        // Any unfinished character can be finished, in at most three more bytes.
        var more = 0
        while !grammar.isComplete {
          let token = allowed(grammar, encoding.vocabularySize).randomElement(using: &random)!
          grammar.advance(token)
          bytes += encoding.decode([token])
          more += 1
        }
        #expect(more <= 3)
        #expect(isValid(bytes))
      }
    }
  }

  /// The grammar allows exactly the bytes after which some well-formed character can still come.
  @Test func exactlyWhatCanComeNextIsAllowed() {
    let vocabulary = 300
    var prefixes: [[UInt8]] = [[]]
    // All beginnings of characters, found with Swift's validation alone.
    var unfinished = Set<[UInt8]>()
    for value in UInt32(0x80)...0x10FFFF {
      guard value < 0x900 || value % 40009 == 0, let scalar = Unicode.Scalar(value) else {
        continue
      }
      let bytes = Array(String(Character(scalar)).utf8)
      for length in 1..<bytes.count { unfinished.insert(Array(bytes[..<length])) }
    }
    prefixes += unfinished.sorted { $0.lexicographicallyPrecedes($1) }
    for prefix in prefixes {
      let grammar = UTF8Grammar(vocabulary: vocabulary)
      for byte in prefix { grammar.advance(Int32(byte)) }
      #expect(grammar.isComplete == prefix.isEmpty)
      let choices = Set(allowed(grammar, vocabulary))
      for byte in 0..<256 {
        let bytes = prefix + [UInt8(byte)]
        let canBe = canBegin(bytes)
        #expect(choices.contains(Int32(byte)) == canBe, "\(bytes)")
      }
      for token in Int32(256)..<300 { #expect(choices.contains(token) == prefix.isEmpty) }
    }
  }

  /// Whether some character begins with, or is, these bytes: tried with the extreme continuations.
  private func canBegin(_ bytes: [UInt8]) -> Bool {
    for fill in [0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF] as [UInt8] {
      for more in 0...(4 - bytes.count) {
        let whole = bytes + [UInt8](repeating: fill, count: more)
        if isValid(whole), String(decoding: whole, as: UTF8.self).unicodeScalars.count == 1 {
          return true
        }
      }
    }
    return false
  }

  @Test func afterAnyFedPrefixItRecovers() throws {
    var random = SplitMix(6)
    let encoding = try CharactersEncoding(alphabet: ["é", "🎵"])
    let grammar = try encoding.makeGrammar()
    var prefixes = Material.hostile
    for length in 0..<200 { prefixes.append(Material.noise(length % 9, &random)) }
    for prefix in prefixes {
      grammar.reset()
      for token in encoding.tokens(prefix) { grammar.advance(token) }
      var bytes: [UInt8] = []
      while !grammar.isComplete {
        let choices = allowed(grammar, encoding.vocabularySize)
        try #require(!choices.isEmpty && bytes.count < 4)
        let token = choices.randomElement(using: &random)!
        grammar.advance(token)
        bytes += encoding.decode([token])
      }
      // Behind what was fed there now stands the end of a character, or nothing.
      #expect(bytes.allSatisfy { $0 & 0xC0 == 0x80 })
      #expect(isValid(wellFormedEnd(of: prefix) + bytes))
    }
  }

  /// The longest end of some bytes that is the beginning of a character; empty if there is none.
  private func wellFormedEnd(of bytes: [UInt8]) -> [UInt8] {
    for length in stride(from: min(3, bytes.count), to: 0, by: -1) {
      let end = Array(bytes.suffix(length))
      if !isValid(end), canBegin(end) { return end }
    }
    return []
  }

  @Test func whatIsFedInTheMiddleOfACharacterBeginsSomethingNew() {
    let grammar = UTF8Grammar(vocabulary: 260)
    grammar.advance(0xF0)
    grammar.advance(0x41)
    #expect(grammar.isComplete)
    grammar.advance(0xF0)
    grammar.advance(0xE2)
    #expect(!grammar.isComplete)
    grammar.advance(0x82)
    grammar.advance(0xAC)
    #expect(grammar.isComplete)
    grammar.advance(0xF0)
    grammar.advance(257)
    #expect(grammar.isComplete)
    grammar.advance(0xF0)
    grammar.reset()
    #expect(grammar.isComplete && allowed(grammar, 260).contains(0x41))
  }

  @Test func everyStateSavesAndComesBack() {
    var states = Set<[UInt8]>()
    for prefix in [
      [], [0xC3], [0xE0], [0xE1], [0xED], [0xE2, 0x82], [0xF0], [0xF1], [0xF4], [0xF0, 0x9F],
      [0xF0, 0x9F, 0x8E],
    ] as [[UInt8]] {
      let grammar = UTF8Grammar(vocabulary: 300)
      for byte in prefix { grammar.advance(Int32(byte)) }
      let saved = save(grammar)
      states.insert(saved)
      let other = UTF8Grammar(vocabulary: 300)
      other.advance(0xF4)
      #expect(restore(other, saved))
      #expect(allowed(other, 300) == allowed(grammar, 300))
      #expect(other.isComplete == grammar.isComplete)
      for byte in [0xA5, 0xA5, 0xA5] as [Int32] {
        other.advance(byte)
        grammar.advance(byte)
        #expect(allowed(other, 300) == allowed(grammar, 300))
      }
    }
    // Every state there is: whole; 1 left; 2 left after E0, ED, others; 3 left after F0, F4, others.
    #expect(states.count == 8)
    // Nothing else is taken for one, and what is refused leaves the state as it was.
    let bounds =
      [0x00, 0x01, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBE, 0xBF, 0xC0, 0xFF] as [UInt8]
    for remaining in [0, 1, 2, 3, 4, 0x80, 0xFF] as [UInt8] {
      for low in bounds {
        for high in bounds {
          let bytes = [remaining, low, high]
          let grammar = UTF8Grammar(vocabulary: 300)
          grammar.advance(0xED)
          let before = save(grammar)
          #expect(restore(grammar, bytes) == states.contains(bytes), "\(bytes)")
          #expect(save(grammar) == (states.contains(bytes) ? bytes : before), "\(bytes)")
        }
      }
    }
  }

  private func save(_ grammar: any Grammar) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: UTF8Grammar.stateSize)
    bytes.withUnsafeMutableBytes { grammar.save(to: $0.baseAddress!) }
    return bytes
  }

  private func restore(_ grammar: any Grammar, _ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { grammar.restore(from: $0.baseAddress!) }
  }
}
