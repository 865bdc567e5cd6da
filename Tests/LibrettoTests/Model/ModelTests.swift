import GRU
import Sequences
import Testing

@testable import Libretto

@Suite struct ModelTests {
  @Test(arguments: [(1, 1, 1), (6, 20, 2), (3, 33, 3), (64, 64, 1)])
  func savedAndLoadedItIsTheSame(embedding: Int, hidden: Int, layers: Int) throws {
    let folder = try Folder()
    let encoding = try CharactersEncoding(alphabet: ["é", "日", "🎵", "\u{301}"])
    let facts = ["training.tokens": "123", "training.é": "ä\n"]
    let model = try makeModel(
      encoding, embedding: embedding, hidden: hidden, layers: layers, facts: facts)
    try model.save(folder("m"))
    let again = try Model(path: folder("m"))
    #expect(again.shape == model.shape)
    #expect(try again.floats.map(\.bitPattern) == model.floats.map(\.bitPattern))
    #expect(again.facts == facts)
    #expect(again.fingerprint == model.fingerprint)
    #expect((again.encoding as? CharactersEncoding)?.alphabet == encoding.alphabet)
    // Saved again, byte for byte.
    try again.save(folder("n"))
    #expect(try read(folder("n")) == read(folder("m")))
    // From memory, at any address.
    let bytes = try read(folder("m"))
    for shift in 1...3 {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 3, alignment: 64)
      defer { buffer.deallocate() }
      UnsafeMutableRawBufferPointer(rebasing: buffer[shift...]).copyBytes(from: bytes)
      let part = UnsafeRawBufferPointer(rebasing: buffer[shift..<shift + bytes.count])
      #expect(try Model(bytes: part, name: "it").fingerprint == model.fingerprint)
    }
  }

  @Test func tensorsAreNamedAsPyTorchNamesThem() throws {
    let file = try ModelFile(makeModel(embedding: 5, hidden: 7, layers: 2))
    let header = try JSON.parse(file.header)
    let wanted: [(String, [Int])] = [
      ("embedding.weight", [256, 5]), ("gru.weight_ih_l0", [21, 5]), ("gru.weight_hh_l0", [21, 7]),
      ("gru.bias_ih_l0", [21]), ("gru.bias_hh_l0", [21]), ("gru.weight_ih_l1", [21, 7]),
      ("gru.weight_hh_l1", [21, 7]), ("gru.bias_ih_l1", [21]), ("gru.bias_hh_l1", [21]),
      ("head.weight", [256, 7]), ("head.bias", [256]),
    ]
    #expect(header.members?.map(\.key) == ["__metadata__"] + wanted.map(\.0))
    for (name, dimensions) in wanted {
      #expect(header[name]?["dtype"]?.string == "F32")
      #expect(header[name]?["shape"]?.array?.map { $0.integer! } == dimensions)
    }
    let metadata = header["__metadata__"]
    #expect(metadata?["format"]?.string == "libretto")
    #expect(metadata?["format_version"]?.string == "1")
    #expect(metadata?["encoding"]?.string == "bytes")
    #expect(metadata?["hidden_size"]?.string == "7")
  }

  @Test(
    arguments: [
      ("\"format\":\"libretto\"", "\"format\":\"pt\"", .format, "(format is \"pt\", expected"),
      ("\"format\":\"libretto\",", "", .format, "(missing: format)"),
      ("\"format_version\":\"1\"", "\"format_version\":\"2\"", .unsupported, "format version 2"),
      ("\"format_version\":\"1\",", "", .format, "(missing: format_version)"),
      (
        "\"vocabulary_size\":\"256\"", "\"vocabulary_size\":\"257\"", .format,
        "256 tokens and a network of 257"
      ),
      ("\"vocabulary_size\":\"256\"", "\"vocabulary_size\":\"\"", .format, "vocabulary_size"),
      (
        "\"hidden_size\":\"20\"", "\"hidden_size\":\"21\"", .format,
        "[60, 6]; expected [63, 6]"
      ),
      ("\"hidden_size\":\"20\"", "\"hidden_size\":\"0\"", .format, "hidden is 0"),
      ("\"hidden_size\":\"20\"", "\"hidden_size\":\"-20\"", .format, "hidden is -20"),
      ("\"hidden_size\":\"20\"", "\"hidden_size\":\"16384\"", .format, "parameters"),
      (
        "\"hidden_size\":\"20\"", "\"hidden_size\":\"99999999999999999999\"", .format, "hidden_size"
      ),
      ("\"hidden_size\":\"20\"", "\"hidden_size\":\"9223372036854775807\"", .format, "hidden is"),
      ("\"hidden_size\":\"20\"", "\"hidden_size\":\"20.0\"", .format, "hidden_size"),
      ("\"hidden_size\":\"20\",", "", .format, "(missing: hidden_size)"),
      ("\"encoding\":\"bytes\"", "\"encoder\":\"bytes\"", .format, "(missing: encoding)"),
      ("\"embedding_size\":\"6\"", "\"embedding_size\":\"x\"", .format, "embedding_size"),
      ("\"embedding_size\":\"6\"", "\"embedding_size\":\"16385\"", .format, "embedding is 16385"),
      ("\"layers\":\"2\"", "\"layers\":\"3\"", .format, "\"gru.weight_ih_l2\" is missing"),
      ("\"layers\":\"2\"", "\"layers\":\"33\"", .format, "layers is 33"),
      ("\"layers\":\"2\"", "\"layers\":2", .format, "layers"),
      (
        "\"encoding\":\"bytes\"", "\"encoding\":\"runes\\n\"", .unsupported,
        "\"runes?\"; there are bytes, characters"
      ),
      ("\"encoding\":\"bytes\"", "\"encoding\":\"characters\"", .format, "encoding.alphabet"),
      (
        "\"encoding\":\"bytes\"", "\"encoding\":\"characters\",\"encoding.alphabet\":\"aé\"",
        .format,
        "U+61"
      ),
      (
        "\"encoding\":\"bytes\"", "\"encoding\":\"characters\",\"encoding.alphabet\":\"é\"",
        .format,
        "257 tokens and a network of 256"
      ),
      ("\"gru.bias_hh_l1\"", "\"gru.bias_hh_l2\"", .format, "\"gru.bias_hh_l1\" is missing"),
      ("[60,6]", "[6,60]", .format, "[6, 60]"),
      (
        "\"F32\",\"shape\":[256,6]", "\"I32\",\"shape\":[256,6]", .unsupported,
        "I32; F32, BF16 or I8 is needed"
      ),
    ] as [(String, String, LibrettoError.Kind, String)])
  func headersThatAreWrong(old: String, new: String, kind: LibrettoError.Kind, words: String) throws
  {
    let file = try ModelFile(makeModel()).replacing(old, new)
    refusal(kind, "it", words) { _ = try Model(file.bytes) }
  }

  @Test func weightsThatAreNotNumbersAreRefused() throws {
    var file = try ModelFile(makeModel())
    file.data.replaceSubrange(8..<12, with: [0, 0, 0xC0, 0x7F])
    refusal(.format, "\"embedding.weight\"", "not finite at place 2") { _ = try Model(file.bytes) }
  }

  @Test func aFileCutAnywhereIsRefused() throws {
    let bytes = try ModelFile(makeModel(embedding: 1, hidden: 1, layers: 1)).bytes
    var refused = 0
    for count in 0..<bytes.count {
      do { _ = try Model(Array(bytes[..<count])) } catch is LibrettoError { refused += 1 }
    }
    #expect(refused == bytes.count)
    refusal(.format) { _ = try Model(bytes + [0]) }
  }

  @Test func aByteChangedAnywhereIsAModelOrAnError() throws {
    let bytes = try ModelFile(makeModel(embedding: 1, hidden: 1, layers: 1)).bytes
    let header = bytes.count - 4 * (256 + 12 + 256 + 256)
    var random = RandomSource(seed: 5)
    for i in 0..<header {
      var changed = bytes
      changed[i] = UInt8(truncatingIfNeeded: random.next() >> 32)
      do { _ = try Model(changed) } catch { #expect(error is LibrettoError) }
    }
  }

  @Test func aFileThatIsNotThereOrIsNoModel() throws {
    let folder = try Folder()
    refusal(.file, "cannot open", folder("none")) { _ = try Model(path: folder("none")) }
    refusal(.format, "0 bytes") { _ = try Model(path: try folder.file("empty", [])) }
    let text = try folder.file("text", Array(ditties(20).utf8))
    refusal(.format, text, "is not a model") { _ = try Model(path: text) }
  }

  @Test func tokensAreChecked() throws {
    let model = try makeModel(hidden: 3, layers: 1)
    for (tokens, words) in [
      ([0, 256], "token 1 is 256"), ([-1], "token 0 is -1"), ([1, 2, .max], "token 2"),
    ]
      as [([Int32], String)]
    {
      refusal(.argument, words, "from 0 to 255") {
        try tokens.withUnsafeBufferPointer { try model.check($0) }
      }
    }
    try [0, 255].withUnsafeBufferPointer { try model.check($0) }
  }

  @Test func theFingerprintTellsModelsApart() throws {
    let prints = [
      try makeModel(seed: 1), try makeModel(seed: 2), try makeModel(hidden: 21),
      try makeModel(layers: 1), try makeModel(embedding: 7),
    ].map(\.fingerprint)
    #expect(Set(prints).count == prints.count)
    #expect(try makeModel(seed: 1).fingerprint == prints[0])
  }
}
