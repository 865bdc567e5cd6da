import Testing

@testable import Sequences

@Suite struct TextLinesTests {
  /// The lines of a text that comes in blocks of so many bytes.
  private func lines(_ text: String, block: Int) -> [(number: Int, text: String, tab: Int?)] {
    let bytes = Array(text.utf8)
    var result: [(number: Int, text: String, tab: Int?)] = []
    var lines = TextLines()
    func note(_ line: TextLines.Line) {
      let text = String(decoding: bytes[line.start..<line.start + line.count], as: UTF8.self)
      result.append((line.number, text, line.tab))
    }
    for start in stride(from: 0, to: bytes.count, by: block) {
      bytes[start..<min(start + block, bytes.count)].withUnsafeBytes { lines.read($0, note) }
    }
    lines.finish(note)
    return result
  }

  @Test(arguments: [1, 2, 3, 100]) func linesEndInEitherWay(block: Int) {
    let found = lines("a\tb\tc\r\n\n\r\n\td\ne\rf\r\nlast", block: block)
    #expect(found.map(\.text) == ["a\tb\tc", "", "", "\td", "e\rf", "last"])
    #expect(found.map(\.number) == [1, 2, 3, 4, 5, 6])
    #expect(found.map(\.tab) == [1, nil, nil, 0, nil, nil])
  }

  @Test func whatEndsIsNotALineOfItsOwn() {
    #expect(lines("", block: 1).isEmpty)
    #expect(lines("a\n", block: 1).map(\.text) == ["a"])
    #expect(lines("a\r", block: 1).map(\.text) == ["a"])
    #expect(lines("\n\n", block: 1).map(\.text) == ["", ""])
  }
}
