import TestSupport
import Testing

@testable import Sequences

@Suite struct CharactersEncodingTests {
  /// Half of the scalars a test uses are in the alphabet, half are not.
  private func encoding() throws -> CharactersEncoding {
    try CharactersEncoding(
      alphabet: ["é", "\u{80}", "\u{7FF}", "\u{800}", "€", "\u{FFFF}", "🎵", "\u{10FFFF}"])
  }

  @Test func asciiIsItsByte() throws {
    let encoding = try encoding()
    let ascii = (0..<0x80).map { UInt8($0) }
    #expect(encoding.tokens(ascii) == (0..<0x80).map { Int32($0) })
  }

  @Test func charactersBeyondASCIIComeFrom256On() throws {
    let encoding = try encoding()
    #expect(encoding.vocabularySize == 256 + 8)
    #expect(encoding.tokens("é\u{80}\u{7FF}\u{800}€\u{FFFF}🎵\u{10FFFF}") == Array(256..<264))
    #expect(encoding.tokens("xéx") == [0x78, 256, 0x78])
  }

  @Test func charactersOutsideTheAlphabetAreSpelledInBytes() throws {
    let encoding = try encoding()
    #expect(encoding.tokens("ü") == [0xC3, 0xBC])
    #expect(encoding.tokens("¢é日🎶") == [0xC2, 0xA2, 256, 0xE6, 0x97, 0xA5, 0xF0, 0x9F, 0x8E, 0xB6])
  }

  @Test func whatIsNotTextStandsForItself() throws {
    let encoding = try encoding()
    for bytes in Material.hostile {
      let tokens = encoding.tokens(bytes)
      #expect(encoding.decode(tokens) == bytes)
    }
    // A lead byte that is cut short does not swallow the character after it.
    #expect(encoding.tokens([0xE2, 0x82, 0xC3, 0xA9]) == [0xE2, 0x82, 256])
    #expect(encoding.tokens([0xF0, 0x9F, 0xE2, 0x82, 0xAC]) == [0xF0, 0x9F, 260])
    // An overlong spelling of a character is not that character.
    #expect(encoding.tokens([0xF0, 0x82, 0x82, 0xAC]) == [0xF0, 0x82, 0x82, 0xAC])
  }

  @Test func anyBytesComeBack() throws {
    var random = SplitMix(2)
    var alphabet = Set<Unicode.Scalar>()
    while alphabet.count < 500 {
      let scalar = Material.scalar(&random)
      if scalar.value >= 0x80 { alphabet.insert(scalar) }
    }
    let encoding = try CharactersEncoding(alphabet: Array(alphabet))
    for length in 0..<300 {
      var bytes = Material.text(length, &random)
      #expect(encoding.decode(encoding.tokens(bytes)) == bytes)
      // Cut anywhere, with a byte changed anywhere.
      if !bytes.isEmpty {
        bytes.removeLast(Int(random.next() % UInt64(min(bytes.count, 4))))
        if let i = bytes.indices.randomElement(using: &random) {
          bytes[i] = UInt8(truncatingIfNeeded: random.next())
        }
        #expect(encoding.decode(encoding.tokens(bytes)) == bytes)
      }
      let noise = Material.noise(length, &random)
      #expect(encoding.decode(encoding.tokens(noise)) == noise)
    }
  }

  @Test func everyTokenSpellsItsCharacter() throws {
    var random = SplitMix(3)
    var alphabet: [Unicode.Scalar] = []
    for value in stride(from: UInt32(0x80), through: 0x10FFFF, by: 977) {
      if let scalar = Unicode.Scalar(value) { alphabet.append(scalar) }
    }
    alphabet.shuffle(using: &random)
    let encoding = try CharactersEncoding(alphabet: alphabet)
    for (i, scalar) in alphabet.enumerated() {
      let bytes = Array(String(Character(scalar)).utf8)
      #expect(encoding.decode([Int32(256 + i)]) == bytes)
      #expect(encoding.tokens(bytes) == [Int32(256 + i)])
    }
  }

  @Test func aTokenHoldsACharacterUnlessItContinuesOne() throws {
    let encoding = try encoding()
    let text = "aé日b🎶€\n"
    let count = encoding.tokens(text).reduce(0) { $0 + encoding.characters(in: $1) }
    #expect(count == text.unicodeScalars.count)
  }

  @Test func propertiesBuildTheSameEncoding() throws {
    // Combining marks, direction marks, non-characters and pairs that normalise to the same.
    let alphabet: [Unicode.Scalar] = [
      "\u{301}", "é", "\u{212B}", "\u{C5}", "\u{200D}", "\u{202E}", "\u{FFFF}", "\u{2028}",
      "\u{85}",
      "🎵", "\u{FEFF}",
    ]
    let encoding = try CharactersEncoding(alphabet: alphabet)
    let again = try #require(
      try Encodings.make(name: "characters", properties: encoding.properties)
        as? CharactersEncoding)
    #expect(again.alphabet == alphabet)
    let empty = try CharactersEncoding(alphabet: [])
    #expect(
      try Encodings.make(name: "characters", properties: empty.properties).vocabularySize == 256)
  }

  @Test func theLargestAlphabet() throws {
    let all = (UInt32(0x80)...0x10FFFF).lazy.compactMap { Unicode.Scalar($0) }
    let largest = try CharactersEncoding(alphabet: Array(all.prefix(65_280)))
    #expect(largest.vocabularySize == 65_536)
    let last = largest.alphabet.last!
    #expect(largest.tokens(String(Character(last))) == [65_535])
    #expect(throws: EncodingError.invalid("an alphabet has 65281 characters; the most is 65280")) {
      try CharactersEncoding(alphabet: Array(all.prefix(65_281)))
    }
  }

  @Test func badAlphabetsAreRefused() {
    #expect(throws: EncodingError.invalid("an alphabet names U+e9 where it must not")) {
      try CharactersEncoding(alphabet: ["é", "ü", "é"])
    }
    #expect(throws: EncodingError.invalid("an alphabet names U+7f where it must not")) {
      try CharactersEncoding(alphabet: ["\u{7F}"])
    }
    #expect(throws: EncodingError.invalid("an alphabet names U+41 where it must not")) {
      try Encodings.make(name: "characters", properties: ["alphabet": "éA"])
    }
    #expect(
      throws: EncodingError.invalid(
        "the encoding \"characters\" needs its characters beyond ASCII, encoding.alphabet, which is missing"
      )
    ) {
      try Encodings.make(name: "characters", properties: ["letters": "é"])
    }
    #expect(throws: EncodingError.unknown("Bytes")) {
      try Encodings.make(name: "Bytes", properties: [:])
    }
  }
}
