import Memory
import Testing

@testable import Sequences

@Suite struct CharacterCounterTests {
  /// `#expect` cannot look into an expression with a counter, which cannot be copied.
  private func expect(_ found: GrowableBuffer<UInt32>, _ wanted: [Unicode.Scalar]) {
    #expect(found.withElements { Array($0) } == wanted.map(\.value))
  }

  @Test func theMostFrequentComeFirstAndOfEqualsTheLowerCodePoint() throws {
    let counter = CharacterCounter()!
    counter.count("ß🎵éü")
    counter.count("🎵 é 🎵 plain text counts for nothing")
    expect(try counter.alphabet(), ["🎵", "é", "ß", "ü"])
  }

  @Test func theCapHolds() throws {
    let counter = CharacterCounter()!
    counter.count("ααα ββ γγ δ")
    expect(try counter.alphabet(cap: 2), ["α", "β"])
    expect(try counter.alphabet(cap: 0), [])
    expect(try counter.alphabet(cap: 100), ["α", "β", "γ", "δ"])
  }

  @Test func unlessToldOtherwiseTheAlphabetIsCappedAtTheUsualSize() throws {
    let counter = CharacterCounter()!
    for value in UInt32(0x4E00)..<0x4E00 + 5000 {
      counter.count(String(Character(Unicode.Scalar(value)!)))
    }
    let alphabet = try counter.alphabet()
    #expect(alphabet.count == CharactersEncoding.usualCap)
    #expect(alphabet[alphabet.count - 1] == 0x4E00 + UInt32(CharactersEncoding.usualCap) - 1)
  }

  @Test func onlyWellFormedCharactersCount() throws {
    let counter = CharacterCounter()!
    for bytes in Material.hostile where bytes.first != 0xEF && bytes.first != 0x00 {
      counter.count(bytes)
    }
    // What is whole in those: the é and the € after characters that were cut short.
    expect(try counter.alphabet(), ["é", "€"])
    counter.count(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  @Test func everyCharacterBeyondASCIICanBeCounted() throws {
    let counter = CharacterCounter()!
    counter.count("\u{7F}\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}")
    expect(
      try counter.alphabet(),
      [
        "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}",
        "\u{10FFFF}",
      ])
  }
}
