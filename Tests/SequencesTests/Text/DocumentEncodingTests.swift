import Testing

@testable import Sequences

@Suite struct DocumentEncodingTests {
  private static var encodings: [any TextEncoding] {
    get throws {
      [
        BytesEncoding(documents: true),
        try CharactersEncoding(alphabet: ["é", "🎵"], documents: true),
        try CharactersEncoding(alphabet: [], documents: true),
      ]
    }
  }

  @Test func theEndIsTheLastTokenAndNoText() throws {
    for encoding in try Self.encodings {
      let end = try #require(encoding.endToken)
      #expect(Int(end) == encoding.vocabularySize - 1)
      #expect(encoding.startToken == end)
      #expect(encoding.byteCount(of: end) == 0)
      #expect(encoding.characters(in: end) == 0)
      // What is text has the tokens it has without documents, and never the end.
      let text = Array("aé🎵日\u{0}".utf8) + [0xFF, 0xC3]
      let tokens = encoding.tokens(text)
      #expect(!tokens.contains(end))
      #expect(encoding.decode(tokens + [end]) == text)
    }
  }

  @Test func aDocumentEndsOnlyWhereACharacterDoes() throws {
    for encoding in try Self.encodings {
      let end = Int(encoding.endToken!)
      let grammar = try encoding.makeGrammar()
      func mayEnd() -> Bool {
        var logits = [Float](repeating: 1, count: encoding.vocabularySize)
        logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
        return logits[end] == 1
      }
      #expect(mayEnd())
      for byte in [0x61, 0xF0, 0x9F, 0x8E, 0xB5, 0x62] as [Int32] {
        grammar.advance(byte)
        #expect(mayEnd() == grammar.isComplete)
      }
      grammar.advance(Int32(end))
      #expect(mayEnd() && grammar.isComplete)
    }
  }

  @Test func theEndIsKeptInTheProperties() throws {
    for encoding in try Self.encodings {
      let again = try Encodings.make(name: encoding.name, properties: encoding.properties)
      #expect(again.endToken == encoding.endToken)
      #expect(again.vocabularySize == encoding.vocabularySize)
    }
    // Without documents nothing is new.
    #expect(BytesEncoding().properties.isEmpty && BytesEncoding().endToken == nil)
    #expect(try CharactersEncoding(alphabet: ["é"]).properties == ["alphabet": "é"])
    #expect(BytesEncoding().startToken == 0x0A)
    for value in ["", "0", "yes", "2"] {
      #expect(throws: EncodingError.self) {
        try Encodings.make(name: "bytes", properties: ["documents": .short(value)])
      }
    }
  }

  @Test func musicHasAnEndToo() throws {
    for name in Encodings.names where Encodings.isMusic(name) {
      let encoding = try Encodings.music(name, stepsPerQuarter: 4)
      #expect(encoding.endToken.map(encoding.name(of:)) == "END")
    }
  }
}
