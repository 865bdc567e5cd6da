import GRU
import Testing

@testable import Libretto

@Suite struct SafeTensorsTests {
  /// Reads a file and hands it on while its bytes are there.
  private func withFile(_ bytes: [UInt8], _ body: (SafeTensors) throws -> Void = { _ in }) throws {
    try bytes.withUnsafeBytes { try body(try SafeTensors($0, name: "it")) }
  }

  private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    ModelFile(header: header, data: data).bytes
  }

  @Test func whatIsWrittenIsRead() throws {
    let folder = try Folder()
    let first: [Float] = [1, -2.5, 3e-38, .greatestFiniteMagnitude, -0.0, 6]
    let second: [Float] = [7]
    try first.withUnsafeBufferPointer { a in
      try second.withUnsafeBufferPointer { b in
        try SafeTensors.write(
          folder("f"), metadata: [("a", "é\n\"🎵\\"), ("b", "")],
          [
            .init(name: "first", dimensions: [2, 3], floats: a.baseAddress!),
            .init(name: "second", dimensions: [], floats: b.baseAddress!),
            .init(name: "none", dimensions: [0, 4], floats: b.baseAddress!),
          ])
      }
    }
    let bytes = try read(folder("f"))
    // The data begins at a multiple of 64 bytes.
    #expect((bytes.count - 7 * 4) % 64 == 0)
    try withFile(bytes) { file in
      #expect(file.metadata == ["a": "é\n\"🎵\\", "b": ""])
      #expect(file.tensors.keys.sorted() == ["first", "none", "second"])
      var floats = [Float](repeating: .nan, count: 6)
      try floats.withUnsafeMutableBufferPointer {
        try file.floats("first", [2, 3], into: $0.baseAddress!, file: "it")
      }
      #expect(floats.map(\.bitPattern) == first.map(\.bitPattern))
      try floats.withUnsafeMutableBufferPointer {
        try file.floats("second", [], into: $0.baseAddress!, file: "it")
        try file.floats("none", [0, 4], into: $0.baseAddress!, file: "it")
      }
      #expect(floats[0] == 7 && floats[1] == -2.5)
      #expect(file.tensors["first"]?.count == 6 && file.tensors["none"]?.count == 0)
    }
  }

  @Test func filesTooShortOrWithAnImpossibleLength() {
    for count in 0..<8 {
      refusal(.format, "it is not a model", "\(count) bytes") {
        try withFile([UInt8](repeating: 0x20, count: count))
      }
    }
    let header = Array("{}".utf8)
    for length in [0, 1, 3, 100, 1 << 31, 1 << 62, .max] as [UInt64] {
      refusal(.format, "cut short", "\(length) bytes") {
        try withFile(withUnsafeBytes(of: length.littleEndian) { Array($0) } + header)
      }
    }
    refusal(.format, "18446744073709551615") {
      try withFile([UInt8](repeating: 0xFF, count: 8) + header)
    }
    #expect(throws: Never.self) { try withFile([2, 0, 0, 0, 0, 0, 0, 0] + header) }
  }

  @Test(arguments: ["{]", "not json", "{\"a\":1", "{}x", "\u{0}\u{0}"])
  func headersThatAreNotJSON(header: String) {
    refusal(.format, "it has a damaged header", "byte") { try withFile(file(header)) }
  }

  @Test(arguments: ["[]", "\"text\"", "12", "null"])
  func headersThatAreNoObject(header: String) {
    refusal(.format, "not a JSON object") { try withFile(file(header)) }
  }

  @Test func theByteOfTheDamageIsNamed() {
    refusal(.format, "byte 13 ") { try withFile(file("{\"a\":?}")) }
  }

  @Test(
    arguments: [
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", "0 to 9 of 8"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", "4 to 12 of 8"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "8 to 0"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}", "-8 to 0"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "cannot be"),
      ("{\"t\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]}}", "cannot be"),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9223372036854775807]}}",
        "9223372036854775807"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-9223372036854775808,9223372036854775807]}}",
        "cannot be"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9223372036854775808]}}",
        "lacks"
      ),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0.0,8]}}", "lacks a proper"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "lacks a proper"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", "lacks a proper"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":\"0\"}}", "lacks a proper"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2]}}", "lacks a proper"),
      ("{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", "lacks a proper"),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[2,1,1,1,1,1,1,1,1],\"data_offsets\":[0,8]}}",
        "lacks a proper"
      ),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "dimension"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", "dimension"),
      ("{\"t\":{\"dtype\":\"F32\",\"shape\":[\"2\"],\"data_offsets\":[0,8]}}", "dimension"),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}",
        "dimension"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]}}",
        "cut short"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
        "cut short"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[3,6148914691236517206],\"data_offsets\":[0,8]}}",
        "cut short"
      ),
      (
        "{\"t\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,2],\"data_offsets\":[0,8]}}",
        "cut short"
      ),
    ])
  func tensorsThatCannotBe(header: String, words: String) {
    refusal(.format, "it: tensor \"t\"", words) {
      try withFile(file(header, [UInt8](repeating: 0, count: 8)))
    }
  }

  @Test(arguments: ["\"F8_E4M3\"", "\"f32\"", "\"\"", "32", "null", "[\"F32\"]"])
  func unknownElementTypes(type: String) {
    refusal(.unsupported, "it: tensor \"t\"", "element type") {
      try withFile(file("{\"t\":{\"dtype\":\(type),\"shape\":[0],\"data_offsets\":[0,0]}}"))
    }
    refusal(.unsupported, "element type") {
      try withFile(file("{\"t\":{\"shape\":[0],\"data_offsets\":[0,0]}}"))
    }
    refusal(.unsupported, "element type") { try withFile(file("{\"t\":\(type)}")) }
  }

  @Test func everyElementTypeHasItsSize() throws {
    for (name, size) in [
      ("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("I64", 8), ("I32", 4), ("I16", 2),
      ("I8", 1),
      ("U64", 8), ("U32", 4), ("U16", 2), ("U8", 1), ("BOOL", 1),
    ] {
      let data = [UInt8](repeating: 0, count: 3 * size)
      let header = "{\"t\":{\"dtype\":\"\(name)\",\"shape\":[3],\"data_offsets\":[0,\(3 * size)]}}"
      try withFile(file(header, data)) { #expect($0.tensors["t"]?.count == 3) }
    }
  }

  @Test func tensorsMustLieSideBySide() throws {
    func header(_ ranges: (Int, Int)...) -> String {
      let entries = ranges.enumerated().map { i, range in
        "\"t\(i)\":{\"dtype\":\"U8\",\"shape\":[\(range.1 - range.0)],"
          + "\"data_offsets\":[\(range.0),\(range.1)]}"
      }
      return "{" + entries.joined(separator: ",") + "}"
    }
    let data = [UInt8](repeating: 1, count: 8)
    #expect(throws: Never.self) { try withFile(file(header((4, 8), (0, 4), (4, 4)), data)) }
    refusal(.format, "overlap", "byte 8 ") { try withFile(file(header((0, 8), (0, 8)), data)) }
    refusal(.format, "overlap", "byte 5 ") { try withFile(file(header((0, 5), (4, 8)), data)) }
    refusal(.format, "gap", "byte 3 ") { try withFile(file(header((0, 3), (4, 8)), data)) }
    refusal(.format, "gap", "byte 0 ") { try withFile(file(header((1, 8)), data)) }
    refusal(.format, "8 bytes", "take 7") { try withFile(file(header((0, 7)), data)) }
    refusal(.format, "8 bytes", "take 0") { try withFile(file("{}", data)) }
    // The same tensor twice.
    refusal(.format, "overlap") {
      try withFile(
        file(
          header((0, 8)).dropLast()
            + ",\"t0\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}", data))
    }
  }

  @Test func metadataIsWhatStringsItHas() throws {
    try withFile(file("{\"__metadata__\":{\"a\":\"1\",\"b\":2,\"c\":null}}")) {
      #expect($0.metadata == ["a": "1"])
    }
    try withFile(file("{\"__metadata__\":7}")) { #expect($0.metadata.isEmpty) }
  }

  @Test func floatsOfTheWrongKind() throws {
    func floats(_ bytes: [UInt8], _ dimensions: [Int]) throws {
      var room = [Float](repeating: 0, count: 8)
      try withFile(bytes) { file in
        try room.withUnsafeMutableBufferPointer {
          try file.floats("t", dimensions, into: $0.baseAddress!, file: "it")
        }
      }
    }
    func one(_ value: Float, _ type: String = "F32") -> [UInt8] {
      file(
        "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        withUnsafeBytes(of: (Float(1), value)) { Array($0) })
    }
    #expect(throws: Never.self) { try floats(one(2), [2]) }
    refusal(.format, "no tensor \"t\"") { try floats(file("{}"), [2]) }
    refusal(.unsupported, "\"t\" is I32; F32, BF16 or I8 is needed") {
      try floats(one(2, "I32"), [2])
    }
    refusal(.format, "[2], not [1, 2]") { try floats(one(2), [1, 2]) }
    refusal(.format, "[2], not [3]") { try floats(one(2), [3]) }
    for value in [Float.nan, .infinity, -.infinity, .signalingNaN] {
      refusal(.format, "not finite at place 1") { try floats(one(value), [2]) }
    }
  }

  @Test func namesInErrorsAreShortAndPrintable() {
    let name = "a\\n\\u0007" + String(repeating: "x", count: 300)
    let message = refusal(.unsupported, "a??xxx") {
      try withFile(file("{\"\(name)\":{}}"))
    }
    #expect(message.count < 150)
  }
}
