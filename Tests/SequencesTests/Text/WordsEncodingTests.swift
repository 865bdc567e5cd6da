import Memory
import TestSupport
import Testing

@testable import Sequences

@Suite struct WordsEncodingTests {
  private func fitted(_ text: String, documents: Bool = false) throws -> WordsEncoding {
    let fitter = try #require(try WordsEncoding(documents: documents).makeFitter())
    try Array(text.utf8).withUnsafeBufferPointer { try fitter.read(UnsafeRawBufferPointer($0)) }
    return try #require(try fitter.encoding() as? WordsEncoding)
  }

  private static let text = String(
    repeating: "The cat sat on the mat, and the cat's näive 🎵 friend sat too.\n", count: 3)

  @Test func wordsThatComeTwiceAreTokens() throws {
    let encoding = try fitted(Self.text + " once ")
    // " cat", " sat", " on" ... are one token each; " once" is spelled.
    #expect(encoding.tokens(" cat sat on").allSatisfy { $0 >= 256 })
    #expect(encoding.tokens(" cat sat on").count == 3)
    #expect(encoding.tokens(" once") == " once".utf8.map { Int32($0) })
    #expect(encoding.tokens(" cat's").count == 1 && encoding.tokens(" 🎵").count == 1)
    #expect(encoding.tokens(".") == [46])
    // The most frequent first: " sat" comes as often as any, and before the others.
    #expect(encoding.tokens(" sat") == [256] || encoding.tokens(" the") == [256])
  }

  @Test func everyTextComesBack() throws {
    for encoding in [try fitted(Self.text), try fitted(Self.text, documents: true)] {
      var random = SplitMix(3)
      for length in 0..<300 {
        let bytes = Material.noise(length, &random)
        #expect(encoding.decode(encoding.tokens(bytes)) == bytes)
      }
      for bytes in Material.hostile { #expect(encoding.decode(encoding.tokens(bytes)) == bytes) }
      let text = Array(Self.text.utf8)
      #expect(encoding.decode(encoding.tokens(text)) == text)
      #expect(encoding.tokens(text).count * 3 < text.count)
    }
  }

  @Test func charactersAreCounted() throws {
    let encoding = try fitted(Self.text)
    let tokens = encoding.tokens(Self.text)
    #expect(
      tokens.reduce(0) { $0 + encoding.characters(in: $1) } == Self.text.unicodeScalars.count)
  }

  @Test func aFileKeepsIt() throws {
    for documents in [false, true] {
      let encoding = try fitted(Self.text, documents: documents)
      let again = try #require(
        try Encodings.make(name: "words", properties: encoding.properties).text)
      #expect(again.vocabularySize == encoding.vocabularySize)
      #expect(again.endToken == encoding.endToken)
      #expect(again.tokens(Self.text) == encoding.tokens(Self.text))
    }
  }

  @Test(arguments: [
    "a", " cat\n cat", "two words", "cat\n\nmat", " cat\n", "x\u{1}y",
    String(repeating: "a", count: 64),
  ])
  func whatIsNoListOfWordsIsRefused(words: String) throws {
    #expect(throws: EncodingError.self) {
      _ = try Encodings.make(name: "words", properties: ["words": .short(words)])
    }
  }

  @Test func damagedUTF8IsRefused() throws {
    let bytes = GrowableBuffer<UInt8>()
    for byte: UInt8 in [0x61, 0xC3] { try bytes.append(byte) }
    #expect(throws: EncodingError.self) {
      _ = try Encodings.make(name: "words", properties: ["words": .long(bytes)])
    }
    #expect(throws: EncodingError.self) { _ = try Encodings.make(name: "words", properties: [:]) }
  }

  /// A long run of letters is no word, and is cut where words may be cut at most.
  @Test func longRunsAreSpelled() throws {
    let run = String(repeating: "ab", count: 200)
    let encoding = try fitted(run + " " + run)
    #expect(encoding.decode(encoding.tokens(run)) == Array(run.utf8))
  }

  /// In the middle of a character no word may follow.
  @Test func theGrammarKeepsWordsOutOfCharacters() throws {
    let encoding = try fitted(Self.text)
    let grammar = encoding.makeGrammar()
    var logits = [Float](repeating: 0, count: encoding.vocabularySize)
    grammar.advance(0xC3)
    grammar.forbid(&logits)
    #expect(logits[256...].allSatisfy { $0 == -.infinity })
    grammar.advance(0xA9)
    logits = [Float](repeating: 0, count: encoding.vocabularySize)
    grammar.forbid(&logits)
    #expect(logits[256...].allSatisfy { $0 == 0 })
  }
}
