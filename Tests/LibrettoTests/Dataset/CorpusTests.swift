import Sequences
import Testing

@testable import Libretto

/// The texts of a run before and after they become tokens.
@Suite struct CorpusTests {
  private func corpus(
    _ training: [[UInt8]], validation: [[UInt8]] = [], encoding: String = "bytes",
    fraction: Double = 0
  ) throws -> Corpus {
    let material = TextMaterial()
    for (bytes, held) in training.map({ ($0, false) }) + validation.map({ ($0, true) }) {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      // The material keeps a copy: this may go, and be something else.
      defer {
        buffer.initializeMemory(as: UInt8.self, repeating: 0xEE)
        buffer.deallocate()
      }
      buffer.copyBytes(from: bytes)
      try material.add(text: UnsafeRawBufferPointer(buffer), validation: held)
    }
    return try #require(
      try material.tokenize(nil, name: encoding, fraction: fraction, until: nil))
  }

  private func tokens(_ store: TokenStore) -> [Int32] { (0..<store.count).map { store[$0] } }

  @Test func theEndIsHeldOut() throws {
    let bytes = (0..<100).map { UInt8($0) }
    for fraction in [0, 0.1, 0.25, 0.5, 0.9] {
      let corpus = try corpus([bytes], fraction: fraction)
      let cut = 100 - Int(100 * fraction)
      #expect(tokens(corpus.training.tokens) == (0..<cut).map { Int32($0) })
      #expect(tokens(corpus.validation.tokens) == (cut..<100).map { Int32($0) })
    }
  }

  @Test func noCharacterIsCutInTwo() throws {
    for text in ["日本語の歌", "éüß", "🎵🎶", "a日b"] {
      let bytes = Array(String(repeating: text, count: 20).utf8)
      for percent in 1...60 {
        let corpus = try corpus([bytes], fraction: Double(percent) / 100)
        let training = tokens(corpus.training.tokens).map { UInt8($0) }
        let held = tokens(corpus.validation.tokens).map { UInt8($0) }
        #expect(training + held == bytes)
        #expect(String(validating: training, as: UTF8.self) != nil)
        #expect(String(validating: held, as: UTF8.self) != nil)
        // As much as asked for, but for the rest of a character.
        let wanted = Int(Double(bytes.count) * Double(percent) / 100)
        #expect((wanted - 3...wanted).contains(held.count))
      }
    }
  }

  @Test func severalTextsAreOneAfterTheOther() throws {
    let corpus = try corpus([[1, 2, 3], [], [4, 5, 6, 7], [8, 9, 10]], fraction: 0.5)
    #expect(tokens(corpus.training.tokens) == [1, 2, 3, 4, 5])
    #expect(tokens(corpus.validation.tokens) == [6, 7, 8, 9, 10])
    // A character is not put together of two texts.
    let halves = try self.corpus([[0xC3], [0xA9, 0xC3, 0xA9]], encoding: "characters")
    #expect(tokens(halves.training.tokens) == [0xC3, 0xA9, 256])
  }

  @Test func givenValidationMaterialNothingIsHeldOut() throws {
    let corpus = try corpus([[1, 2, 3, 4]], validation: [[5, 6], [7]], fraction: 0.5)
    #expect(tokens(corpus.training.tokens) == [1, 2, 3, 4])
    #expect(tokens(corpus.validation.tokens) == [5, 6, 7])
  }

  @Test func theAlphabetIsThatOfTheTrainingPart() throws {
    let corpus = try corpus(
      [Array("aéé🎵".utf8)], validation: [Array("日é".utf8)], encoding: "characters")
    #expect((corpus.encoding as? CharactersEncoding)?.alphabet == ["é", "🎵"])
    #expect(tokens(corpus.training.tokens) == [0x61, 256, 256, 257])
    #expect(tokens(corpus.validation.tokens) == [0xE6, 0x97, 0xA5, 256])
    #expect(corpus.tokensPerCharacter == 1)
    let inBytes = try self.corpus([Array("aéé🎵".utf8)])
    #expect(inBytes.tokensPerCharacter == 9.0 / 4)
  }

  @Test func materialTooSmallToLearnFrom() throws {
    for texts in [[], [[]], [[], []], [[7]]] as [[[UInt8]]] {
      refusal(.corpus, "at least 2 are needed") { _ = try corpus(texts) }
    }
    refusal(.corpus, "has 1 tokens") { _ = try corpus([[1, 2]], fraction: 0.5) }
    #expect(try corpus([[1, 2]]).training.tokens.count == 2)
  }

  @Test func theFingerprintTellsMaterialApart() throws {
    let prints = [
      try corpus([[1, 2, 3]]), try corpus([[1, 2, 4]]), try corpus([[1, 2, 3, 0]]),
      try corpus([[2, 1, 3]]), try corpus([[1, 2]], validation: [[3]]),
      try corpus([[1, 2, 3]], validation: [[3]]),
    ].map { $0.fingerprint(until: nil) }
    #expect(Set(prints).count == prints.count)
    #expect(try corpus([[1], [2, 3]]).fingerprint(until: nil) == prints[0])
  }
}
