import Foundation
import GRU
import Memory
import Testing

@testable import Libretto

@Suite struct SafeTensorsTests {
  /// Reads a file and hands it on while its bytes are there.
  private func withFile(_ bytes: [UInt8], _ body: (SafeTensors) throws -> Void = { _ in }) throws {
    try bytes.withUnsafeBytes { try body(try SafeTensors(MemorySource(bytes: $0), name: "it")) }
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
        let image = try SafeTensorsImage(
          metadata: { (writer) throws(OutOfMemory) in
            for (key, value) in [("a", "é\n\"🎵\\"), ("b", "")] {
              try writer.name(key)
              try writer.string(value)
            }
          },
          { (visit) throws(LibrettoError) in
            try visit(.init(name: "first", dimensions: [2, 3], bytes: a.baseAddress!))
            try visit(.init(name: "second", dimensions: [], bytes: b.baseAddress!))
            try visit(.init(name: "none", dimensions: [0, 4], bytes: b.baseAddress!))
          })
        try image.write(folder("f"))
        // The same in memory.
        var memory = [UInt8](repeating: 0xEE, count: image.size)
        try memory.withUnsafeMutableBytes { try image.write(to: $0) }
        #expect(try read(folder("f")) == memory)
      }
    }
    let bytes = try read(folder("f"))
    // The data begins at a multiple of 64 bytes.
    #expect((bytes.count - 7 * 4) % 64 == 0)
    try withFile(bytes) { file in
      #expect(file.metadata?["a"]?.string == "é\n\"🎵\\" && file.metadata?["b"]?.string == "")
      var floats = [Float](repeating: .nan, count: 6)
      try floats.withUnsafeMutableBufferPointer {
        try file.floats("first", [2, 3], into: $0.baseAddress!)
      }
      #expect(floats.map(\.bitPattern) == first.map(\.bitPattern))
      try floats.withUnsafeMutableBufferPointer {
        try file.floats("second", [], into: $0.baseAddress!)
        try file.floats("none", [0, 4], into: $0.baseAddress!)
      }
      #expect(floats[0] == 7 && floats[1] == -2.5)
      #expect(file["first"]?.count == 6 && file["none"]?.count == 0 && file["third"] == nil)
    }
  }

  @Test func filesTooShortOrWithAnImpossibleLength() {
    for count in 0..<10 {
      refusal(.format, "it is not a model", "\(count) bytes") {
        try withFile([UInt8](repeating: 0x20, count: count))
      }
    }
    let header = Array("{}".utf8)
    refusal(.format, "it is not a model", "at byte 8") {
      try withFile([UInt8](repeating: 0x20, count: 100))
    }
    for length in [0, 1, 3, 100, 1 << 31, 1 << 62, .max] as [UInt64] {
      refusal(.format, "truncated", "\(length)") {
        try withFile(withUnsafeBytes(of: length.littleEndian) { Array($0) } + header)
      }
    }
    refusal(.format, "18446744073709551615") {
      try withFile([UInt8](repeating: 0xFF, count: 8) + header)
    }
    #expect(throws: Never.self) { try withFile([2, 0, 0, 0, 0, 0, 0, 0] + header) }
  }

  @Test(arguments: ["{]", "{not json", "{\"a\":1", "{}x", "{\u{0}\u{0}"])
  func headersThatAreNotJSON(header: String) {
    refusal(.format, "it has a damaged header", "byte") { try withFile(file(header)) }
  }

  @Test func theByteOfTheDamageIsNamed() {
    refusal(.format, "invalid JSON at byte 13") { try withFile(file("{\"a\":?}")) }
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
      try withFile(file(header, data)) { #expect($0["t"]?.count == 3) }
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
    for (first, second) in [((0, 8), (8, 8)), ((0, 4), (4, 8))] {
      refusal(.format, "it has two tensors named \"t1\"") {
        try withFile(
          file(header(first, second).replacingOccurrences(of: "t0", with: "t1"), data))
      }
    }
  }

  @Test func aHeaderThatNoModelNeedsIsRefused() throws {
    func long(_ count: Int) -> [UInt8] {
      file("{" + String(repeating: " ", count: count - 2) + "}")
    }
    #expect(throws: Never.self) { try withFile(long(SafeTensors.largestHeader)) }
    refusal(.format, "a header of 1048577 bytes", "1048576") {
      try withFile(long(SafeTensors.largestHeader + 1))
    }
    // Nor is such a file written.
    let name = String(repeating: "n", count: SafeTensors.largestHeader)
    refusal(.unsupported, "the most is 1048576") {
      let zero: Float = 0
      try withUnsafeBytes(of: zero) { bytes in
        _ = try SafeTensorsImage(metadata: { _ in }) { (visit) throws(LibrettoError) in
          try visit(.init(name: name, dimensions: [1], bytes: bytes.baseAddress!))
        }
      }
    }
  }

  @Test func floatsOfTheWrongKind() throws {
    func floats(_ bytes: [UInt8], _ dimensions: [Int]) throws {
      var room = [Float](repeating: 0, count: 8)
      try withFile(bytes) { file in
        try room.withUnsafeMutableBufferPointer {
          try file.floats("t", dimensions, into: $0.baseAddress!)
        }
      }
    }
    func one(_ value: Float, _ type: String = "F32") -> [UInt8] {
      file(
        "{\"t\":{\"dtype\":\"\(type)\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        withUnsafeBytes(of: (Float(1), value)) { Array($0) })
    }
    #expect(throws: Never.self) { try floats(one(2), [2]) }
    refusal(.format, "\"t\" is missing") { try floats(file("{}"), [2]) }
    refusal(.unsupported, "\"t\" is I32; F32, BF16 or I8 is needed") {
      try floats(one(2, "I32"), [2])
    }
    refusal(.format, "[2]; expected [1, 2]") { try floats(one(2), [1, 2]) }
    refusal(.format, "[2]; expected [3]") { try floats(one(2), [3]) }
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
