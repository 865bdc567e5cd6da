import Memory
import Testing

@testable import Sequences

@Suite struct SourceWindowTests {
  private let encoding = BytesEncoding(documents: true)

  private func values(_ window: SourceWindow) -> [Int32] {
    var values = [Int32](repeating: -1, count: 6)
    window.write(into: &values)
    return values
  }

  private func text(_ values: [Int32]) -> String {
    String(values.map { $0 == 0 ? "." : Character(Unicode.Scalar(UInt8($0 - 1))) })
  }

  @Test func itGoesAlongWithTheTarget() throws {
    let window = try SourceWindow(encoding, nil)
    var told: [String] = []
    for token in [256] + Array("abcd\tXYZ").map({ Int32($0.asciiValue!) }) + [256, 113] {
      window.advance(token)
      told.append(text(values(window)))
    }
    let nothing = "......"
    #expect(
      told == [nothing, nothing, nothing, nothing, nothing]
        + ["..abcd", ".abcd.", "abcd..", "bcd..."] + [nothing, nothing])
  }

  @Test func aSecondTabIsPartOfTheTarget() throws {
    let window = try SourceWindow(encoding, nil)
    for token in Array("ab\tX\t").map({ Int32($0.asciiValue!) }) { window.advance(token) }
    #expect(text(values(window)) == "ab....")
  }

  @Test func longSourcesAreCut() throws {
    let window = try SourceWindow(encoding, nil)
    for i in 0..<3000 { window.advance(Int32(97 + i % 26)) }
    window.advance(9)
    for _ in 0..<1022 { window.advance(120) }
    #expect(values(window)[4...] == [0, 0] && values(window)[3] == Int32(97 + 1023 % 26 + 1))
    for _ in 0..<5000 { window.advance(120) }
    #expect(values(window) == [0, 0, 0, 0, 0, 0])
  }

  @Test func aStateComesBack() throws {
    let (window, other) = (try SourceWindow(encoding, nil), try SourceWindow(encoding, nil))
    for token in Array("abc\tX").map({ Int32($0.asciiValue!) }) { window.advance(token) }
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: window.stateSize, alignment: 8)
    defer { bytes.deallocate() }
    window.save(to: bytes)
    #expect(other.restore(from: bytes, vocabulary: 257))
    #expect(values(other) == values(window) && text(values(other)) == ".abc..")
    // What no state can be is refused, and changes nothing.
    for (word, wrong) in [(0, UInt64.max - 1), (1, 1025), (0, 1 << 60)] {
      window.save(to: bytes)
      bytes.setWord(word, wrong)
      #expect(!other.restore(from: bytes, vocabulary: 257))
      #expect(values(other) == values(window))
    }
    window.save(to: bytes)
    #expect(!other.restore(from: bytes, vocabulary: 99))
  }

  @Test func musicAndOneLongTextHaveNone() throws {
    for isAligned in [false, true] {
      #expect(BytesEncoding().pairSideInputs(isAligned: isAligned).isEmpty)
      let music = try PolyphonyEncoding(stepsPerQuarter: 4)
      #expect(music.pairSideInputs(isAligned: isAligned).isEmpty)
      let inputs = encoding.pairSideInputs(isAligned: isAligned)
      #expect(inputs.map(\.count) == Array(repeating: 258, count: isAligned ? 8 : 6))
    }
  }
}
