import Sequences
import TestSupport
import Testing

@Suite struct BytesEncodingTests {
  let encoding = BytesEncoding()

  @Test func everyByteIsItsOwnToken() {
    let all = (0...255).map { UInt8($0) }
    #expect(encoding.tokens(all) == (0...255).map { Int32($0) })
    #expect(encoding.vocabularySize == 256)
    for token in Int32(0)...255 {
      #expect(encoding.byteCount(of: token) == 1)
      #expect(Int32(encoding.byte(0, of: token)) == token)
    }
  }

  @Test func roundTrip() {
    var random = SplitMix(1)
    for length in 0..<200 {
      let bytes = Material.noise(length, &random)
      #expect(encoding.decode(encoding.tokens(bytes)) == bytes)
    }
    for bytes in Material.hostile { #expect(encoding.decode(encoding.tokens(bytes)) == bytes) }
  }

  @Test func anEmptyBufferWithoutAnAddressHasNoTokens() {
    var count = 0
    encoding.encode(UnsafeRawBufferPointer(start: nil, count: 0)) { _ in count += 1 }
    #expect(count == 0)
  }

  @Test func charactersAreCountedByTheirFirstBytes() {
    let tokens = encoding.tokens("aé€🎵\n")
    #expect(tokens.reduce(0) { $0 + encoding.characters(in: $1) } == 5)
  }

  @Test func itsPropertiesBuildItAgain() throws {
    #expect(encoding.properties.isEmpty)
    let again = try Encodings.make(name: "bytes", properties: [:])
    #expect(again is BytesEncoding)
    #expect(again.name == "bytes" && again.startToken == 10)
  }
}
