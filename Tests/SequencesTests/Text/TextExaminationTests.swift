import Foundation
import Testing

@testable import Sequences

@Suite struct TextExaminationTests {
  private func examine(_ bytes: [UInt8]) -> TextExamination {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    return TextExamination(UnsafeRawBufferPointer(buffer))
  }

  private let german = String(
    repeating: "Über den Wäldern hängt ein grauer Nebel, und die Straße ist naß. ", count: 20)

  private func bytes(_ text: String, _ encoding: String.Encoding) throws -> [UInt8] {
    [UInt8](try #require(text.data(using: encoding)))
  }

  @Test func utf8IsTextAndSoIsASCII() {
    for text in ["", "a", "Tab\tand\r\nlines\u{C}\u{1B}[1m", german, "日本語", "🎵"] {
      let found = examine(Array(text.utf8))
      #expect(found.kind == .utf8)
      #expect(found.firstBad == nil && found.badCount == 0 && found.markLength == 0)
    }
    let marked = examine([0xEF, 0xBB, 0xBF] + Array(german.utf8))
    #expect(marked.kind == .utf8 && marked.markLength == 3 && marked.badCount == 0)
  }

  @Test func eightBitEncodings() throws {
    let latin1 = try bytes(german, .isoLatin1)
    let found = examine(latin1)
    #expect(found.kind == .latin1)
    #expect(found.firstBad == 0)
    #expect(found.badCount == latin1.count { $0 >= 0x80 })
    let quoted = try bytes("“\(german)” – 5 €", .windowsCP1252)
    #expect(examine(quoted).kind == .cp1252)
    let russian = String(repeating: "Широка страна моя родная, ", count: 20)
    #expect(examine(try bytes(russian, .windowsCP1251)).kind == .other)
    let japanese = String(repeating: "吾輩は猫である。名前はまだ無い。", count: 20)
    #expect(examine(try bytes(japanese, .shiftJIS)).kind == .other)
    // The first of these sentences in EUC-JP.
    let eucJP: [UInt8] = [
      0xB8, 0xE3, 0xC7, 0xDA, 0xA4, 0xCF, 0xC7, 0xAD,
      0xA4, 0xC7, 0xA4, 0xA2, 0xA4, 0xEB, 0xA1, 0xA3,
    ]
    #expect(examine((0..<20).flatMap { _ in eucJP }).kind == .other)
  }

  @Test func aFewBadBytesAmongGoodOnes() {
    var text = Array(german.utf8)
    text[700] = 0xFF
    text[70] = 0xFE
    // Where they were, they may have halved a character.
    let found = examine(text)
    #expect(found.kind == .damagedUTF8)
    #expect(found.firstBad.map { (69...70).contains($0) } == true)
    #expect((2...4).contains(found.badCount))
    // Cut in the middle of its last character.
    let cut = examine(Array((german + "ü").utf8.dropLast()))
    #expect(cut.kind == .damagedUTF8 && cut.badCount == 1)
  }

  @Test func utf16() throws {
    for (mark, encoding, kind) in [
      ([0xFF, 0xFE], String.Encoding.utf16LittleEndian, TextKind.utf16LittleEndian),
      ([0xFE, 0xFF], .utf16BigEndian, .utf16BigEndian),
    ] as [([UInt8], String.Encoding, TextKind)] {
      for text in [german, "日本語🎵"] {
        let marked = examine(mark + (try bytes(text, encoding)))
        #expect(marked.kind == kind && marked.markLength == 2 && marked.badCount == 0)
      }
      let unmarked = examine(try bytes(german, encoding))
      #expect(unmarked.kind == kind && unmarked.markLength == 0)
      let odd = examine(mark + (try bytes(german, encoding)) + [0x41])
      #expect(odd.kind == kind && odd.badCount == 1)
      #expect(odd.firstBad == 2 + 2 * german.utf16.count)
    }
    let utf32 = examine([0xFF, 0xFE, 0, 0] + (try bytes(german, .utf32LittleEndian)))
    #expect(utf32.kind == .other)
  }

  @Test func binaryData() {
    let cases: [([UInt8], String)] = [
      (Array("PK\u{3}\u{4}rest".utf8), "zip"), ([0x1F, 0x8B, 8], "gzip"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "xz"), (Array("%PDF-1.4\n".utf8), "PDF"),
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], "PNG"),
      (Array("RIFF....WAVEfmt ".utf8), "WAV"), (Array("MThd".utf8), "MIDI"),
      (Array("RIFF....RMIDdata".utf8), "MIDI"), ([0x7F, 0x45, 0x4C, 0x46, 2], "ELF"),
      ([9, 0, 0, 0, 0, 0, 0, 0] + Array("{\"a\":0}".utf8), "safetensors"),
    ]
    for (bytes, name) in cases {
      let found = examine(bytes)
      #expect(found.kind == .binary)
      #expect("\(found.name)".contains(name))
    }
    let nul = examine(Array("text\u{0}text".utf8))
    #expect(nul.kind == .binary && nul.firstBad == 4 && nul.badCount == 1)
    #expect(examine((0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 167 >> 3) }).kind == .binary)
    #expect(examine([1, 2, 3, 4]).kind == .binary)
  }

  /// The fast way over plain bytes finds what looking at each finds, wherever it is.
  @Test(arguments: [0x00, 0x01, 0x7F, 0x80, 0xC3, 0xE9, 0xFF] as [UInt8])
  func oneByteAtAnyPlace(byte: UInt8) {
    for place in 0..<70 {
      var text = [UInt8](repeating: 0x61, count: 70)
      text[place] = byte
      let found = examine(text)
      switch byte {
      case 0: #expect(found.kind == .binary && found.firstBad == place)
      case 1, 0x7F: #expect(found.kind == .utf8)
      default: #expect(found.firstBad == place && found.badCount == 1)
      }
    }
  }

  /// Examined in blocks, however they are cut, bytes are what they are as a whole.
  @Test(arguments: [4, 5, 7, 16, 33, 1000])
  func inBlocks(size: Int) throws {
    var cases = [
      Array((german + "日本語🎵" + german).utf8), try bytes(german, .isoLatin1),
      Array((german + "ü").utf8.dropLast()), Array("text\u{0}text".utf8), Array("é".utf8), [0xC3],
    ]
    for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian] {
      let text = try bytes("a🎵b" + german + "🎵🎵", encoding)
      let mark: [UInt8] = encoding == .utf16BigEndian ? [0xFE, 0xFF] : [0xFF, 0xFE]
      cases += [mark + text, text, mark + text + [0x41], mark + text.dropLast(2)]
    }
    for bytes in cases {
      let whole = examine(bytes)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { buffer.deallocate() }
      buffer.copyBytes(from: bytes)
      let all = UnsafeRawBufferPointer(buffer)
      let found = TextExamination(
        head: UnsafeRawBufferPointer(rebasing: all.prefix(TextExamination.headSize)),
        count: all.count
      ) { take in
        var place = 0
        while place < all.count {
          let end = min(place + size, all.count)
          let block = UnsafeRawBufferPointer(rebasing: all[place..<end])
          place += take(block, place, end == all.count)
        }
      }
      #expect(found.kind == whole.kind && found.markLength == whole.markLength)
      #expect(found.firstBad == whole.firstBad && found.badCount == whole.badCount)
    }
  }
}
