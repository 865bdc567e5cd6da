import Testing

@testable import Libretto

/// RFC 8259, with the depth and the length of a number limited.
@Suite struct JSONTests {
  private func parse(_ bytes: [UInt8]) throws -> JSON {
    try JSON.parse(bytes)
  }

  private func malformedAt(_ text: String) -> Int? {
    do {
      _ = try JSON.parse(text)
      return nil
    } catch JSONError.malformed(let at) { return at } catch { return nil }
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-0", "1", "-1", "10", "1.5", "-0.25", "1e5", "1E+5", "1e-5",
    "1.5e300", "123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}", "[1,2,3]",
    "{\"a\":1,\"b\":[true,{\"c\":null}]}", "[[],[[]],{}]", "\"é€🎵\u{7FFF}\u{FFFF}\"",
  ])
  func whatIsWrittenAsItWasRead(text: String) throws {
    #expect(try JSON.parse(text).text == text)
    #expect(try JSON.parse(" \t\r\n" + text + "\n ").text == text)
  }

  @Test func values() throws {
    let json = try JSON.parse(
      " { \"a\" : [ 1 , -2.5 ] , \"b\" : \"x\" , \"c\" : true , \"d\" : null } ")
    #expect(json["a"]?.array?[0].integer == 1)
    #expect(json["a"]?.array?[1].double == -2.5)
    #expect(json["a"]?.array?[1].integer == nil)
    #expect(json["b"]?.string == "x")
    #expect(json["c"] == .bool(true))
    #expect(json["d"] == .null)
    #expect(json["e"] == nil)
    #expect(json.members?.map(\.key) == ["a", "b", "c", "d"])
    #expect(json.string == nil && json.array == nil && json.integer == nil && json.double == nil)
    #expect(JSON.bool(true)["a"] == nil && JSON.null.members == nil)
    // Of a name that occurs twice the last one counts.
    #expect(try JSON.parse("{\"a\":1,\"a\":2}")["a"]?.integer == 2)
  }

  @Test func escapes() throws {
    #expect(
      try JSON.parse(#""\"\\\/\b\f\n\r\t""#).string == "\"\\/\u{8}\u{C}\n\r\t")
    #expect(try JSON.parse(#""\u0041\u00e9\u00E9\u20AC\u0000""#).string == "Aéé€\0")
    #expect(
      try JSON.parse(#""\uD83C\uDFB5\uDBFF\uDFFF\uD800\uDC00""#).string == "🎵\u{10FFFF}\u{10000}")
    #expect(try JSON.parse(#""\uD7FF\uE000\uFFFF""#).string == "\u{D7FF}\u{E000}\u{FFFF}")
    // Written again with only what must be escaped.
    #expect(JSON.string("\"\\/\n\u{1F}\u{7F}é").text == #""\"\\/\u000a\u001f\u007fé""#)
  }

  @Test func everyControlCharacterSurvives() throws {
    for value in UInt32(0)...0x9F {
      let text = "a" + String(Character(Unicode.Scalar(value)!)) + "b"
      #expect(try JSON.parse(JSON.string(text).text).string == text)
      #expect(try JSON.parse(JSON.object([(text, .null)]).text).members?.first?.key == text)
    }
  }

  @Test(
    arguments: [
      ("", 0), ("  ", 2), ("nul", 3), ("nulL", 3), ("True", 0), ("tru e", 3), ("nullx", 4),
      ("1 2", 2), ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("]", 0),
      ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,", 7), ("{\"a\":1,}", 7),
      ("{a:1}", 1), ("{1:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":1 \"b\":2}", 7), ("}", 0), ("{,}", 1),
      ("[1}", 2), ("{\"a\":1]", 6), ("'a'", 0), ("/**/1", 0), ("\u{FEFF}1", 0), ("NaN", 0),
      ("Infinity", 0), ("-Infinity", 1), ("[1,\u{A0}2]", 3),
    ])
  func malformedStructure(text: String, at: Int) {
    #expect(malformedAt(text) == at, "\(text)")
  }

  @Test(arguments: [
    "+1", "01", "-01", "00", "1.", ".5", "-.5", "-", "1e", "1e+", "1.e5", "e5", "1.5.5", "1e5e5",
    "--1",
    "0x10", "1_000", "٣", "1e999e", "1e5.5", "-a", "1-", "1+1", "inf", "nan",
  ])
  func malformedNumbers(text: String) {
    #expect(malformedAt(text) != nil, "\(text)")
    #expect(malformedAt("[" + text + "]") != nil, "\(text)")
  }

  @Test func numbersAreAsLongAsFortyCharacters() throws {
    let forty = String(repeating: "1", count: 40)
    #expect(try JSON.parse(forty).text == forty)
    #expect(malformedAt(forty + "1") != nil)
  }

  @Test(arguments: [
    "\"", "\"a", "\"\\", "\"\\\"", "\"\\x41\"", "\"\\u\"", "\"\\u12\"", "\"\\u123g\"",
    "\"\\u 123\"",
    "\"\\uD800\"", "\"\\uD800x\"", "\"\\uD800\\n\"", "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"",
    "\"\\uDC00\"", "\"\\uDFFF\\uD800\"", "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"", "\"\u{1F}\"",
    "\"\\U0041\"",
    "\"\\u+041\"", "\"\\'\"",
  ])
  func malformedStrings(text: String) {
    #expect(malformedAt(text) != nil, "\(text)")
  }

  @Test func theErrorNamesTheByte() {
    #expect(malformedAt("[\"é\",\"a\nb\"]") == 8)
    #expect(malformedAt("[1,2,tru]") == 8)
    #expect(malformedAt("{\"a\":\"\\q\"}") == 7)
    #expect(malformedAt("\"\\u12x4\"") == 5)
  }

  @Test func stringsThatAreNotUTF8AreRefused() {
    for bytes in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]]
      as [[UInt8]]
    {
      #expect(throws: JSONError.self) { try parse([0x22] + bytes + [0x22]) }
      #expect(throws: JSONError.self) {
        try parse([0x7B, 0x22] + bytes + Array("\":1}".utf8))
      }
    }
  }

  @Test func sixteenDeepAndNoDeeper() throws {
    func nested(_ depth: Int, _ open: String, _ close: String, _ inner: String) -> String {
      String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
    }
    #expect(throws: Never.self) { try JSON.parse(nested(16, "[", "]", "")) }
    #expect(malformedAt(nested(17, "[", "]", "")) == 16)
    #expect(throws: Never.self) { try JSON.parse(nested(15, "{\"a\":", "}", "1")) }
    #expect(malformedAt(nested(16, "{\"a\":", "}", "1")) == 16 * 5)
    // Any depth is refused where the limit is, without going deeper.
    #expect(malformedAt(String(repeating: "[", count: 1_000_000)) == 16)
  }

  @Test func numbersComeBackBitForBit() throws {
    var random = RandomSource(seed: 3)
    var numbers: [Double] = [
      0, -0.0, 1, 0.1, .pi, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e16, 1e-5,
      123456789.125,
    ]
    while numbers.count < 300 {
      let x = Double(bitPattern: random.next())
      if x.isFinite { numbers.append(x) }
    }
    for x in numbers {
      let again = try #require(try JSON.parse(JSON.number(x).text).double)
      #expect(again.bitPattern == x.bitPattern)
    }
    #expect(JSON.number(.nan) == .null && JSON.number(.infinity) == .null)
    for n in [0, 1, -1, .max, .min] {
      #expect(try JSON.parse(JSON.number(n).text).integer == n)
    }
    #expect(try JSON.parse("9223372036854775808").integer == nil)
  }

  @Test func noBytesBringItDown() {
    var random = RandomSource(seed: 4)
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "D83C", "null", "1", "-", "e", ".", " ", "é",
      "a",
      "true",
    ].map { Array($0.utf8) }
    for _ in 0..<3000 {
      var bytes: [UInt8] = []
      for _ in 0..<Int(random.next() % 12) {
        bytes += pieces[Int(random.next() % UInt64(pieces.count))]
      }
      if random.next() % 4 == 0 { bytes.append(UInt8(random.next() & 0xFF)) }
      guard let json = try? parse(bytes) else { continue }
      // What is read is written so that it reads the same.
      #expect(try! JSON.parse(json.text) == json)
    }
  }
}
