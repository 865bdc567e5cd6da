import Memory
import Testing

@testable import Sequences

@Suite struct PairAlignmentTests {
  private let encoding = BytesEncoding(documents: true)

  private static func tokens(_ text: String) -> [Int32] { text.utf8.map { Int32($0) } }

  private static func fitted(_ pairs: [(String, String)]) throws -> PairAlignment {
    var fit = PairAlignmentFit(vocabulary: 257)
    for (source, target) in pairs {
      let all = tokens(source + target)
      try fit.add(source: 0..<source.utf8.count, target: source.utf8.count..<all.count) { all[$0] }
    }
    return try #require(try fit.fitted())
  }

  private static func text(_ text: String) throws -> GrowableBuffer<UInt8> {
    let bytes = GrowableBuffer<UInt8>()
    try bytes.append(contentsOf: text.utf8)
    return bytes
  }

  /// Words in which x is KS, h is silent, and other letters are their capitals.
  private static let words: [(String, String)] = (0..<400).map { number in
    let letters = (0..<5).map { Array("abxhcdx")[(number * 7 + $0 * $0 * 3 + number / 7 * $0) % 7] }
    let source = String(letters)
    return (
      source,
      source.replacing("x", with: "KS").replacing("h", with: "").uppercased()
    )
  }

  /// What the window tells to be next after each token of a target.
  private func followed(_ alignment: PairAlignment?, _ source: String, _ target: String) throws
    -> String
  {
    let window = try SourceWindow(encoding, alignment)
    for token in Self.tokens(source + "\t") { window.advance(token) }
    var told = ""
    let (place, width) = alignment == nil ? (2, 6) : (3, 8)
    for token in [nil] + Self.tokens(target).map({ $0 }) {
      if let token { window.advance(token) }
      var values = [Int32](repeating: 0, count: width)
      window.write(into: &values)
      let value = values[place]
      told += value == 0 ? "." : String(Character(Unicode.Scalar(UInt8(value - 1))))
    }
    return told
  }

  @Test func itFollowsWhatIsLongerAndWhatIsSilent() throws {
    let alignment = try Self.fitted(Self.words)
    // x is not over with its K, and after its S comes what follows.
    #expect(["axbb.", "axxb."].contains(try followed(alignment, "axb", "AKSB")))
    #expect(try followed(alignment, "hhaxxb", "AKSKSB").hasSuffix("b."))
    // Without it the fourth of the target is at the fourth of the source.
    #expect(try followed(nil, "axb", "AKSB") == "axb..")
  }

  @Test func theTextSaysAll() throws {
    let alignment = try Self.fitted(Self.words)
    let again = try #require(try PairAlignment(text: alignment.text, vocabulary: 257))
    #expect(Array(again.text.elements) == Array(alignment.text.elements))
    for (source, target) in Self.words.prefix(50) {
      #expect(
        try followed(again, source, target) == followed(alignment, source, target))
    }
  }

  @Test func noPairsGoAlongOneByOne() throws {
    let alignment = try Self.fitted([])
    let long = String(repeating: "abcdefghij", count: 20)
    #expect(try followed(alignment, long, long.uppercased()) == long + ".")
    // Nor does an empty half of a pair count.
    let other = try Self.fitted([("", "A"), ("a", "")])
    #expect(Array(other.text.elements) == Array(alignment.text.elements))
  }

  @Test func anySourceAndTargetAreFollowed() throws {
    let alignment = try Self.fitted(Self.words)
    let window = try SourceWindow(encoding, alignment)
    var values = [Int32](repeating: 0, count: 8)
    var state: UInt64 = 5
    for _ in 0..<30_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // A tab now and then, and an end.
      let number = Int32(state >> 33) % 300
      window.advance(number > 256 ? (number > 280 ? 9 : 97) : number)
      window.write(into: &values)
      for value in values { #expect((0...257).contains(value)) }
    }
    // A target far longer than its source.
    window.reset()
    for token in Self.tokens("ab\t") + Array(repeating: 65, count: 20_000) { window.advance(token) }
    window.write(into: &values)
    #expect(values[..<3].contains(97 + 1))
  }

  @Test func damagedTextsAreRefused() throws {
    let right = "120,800,60,20,0;97:65=700,66=300;98:67=1000"
    #expect(try PairAlignment(text: Self.text(right), vocabulary: 257) != nil)
    for wrong in [
      "", "1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,1001", "1,2,3,4,5;", "1,2,3,4,5;97:", "1,2,3,4,5;97",
      "1,2,3,4,5;97:65", "1,2,3,4,5;97:65=", "1,2,3,4,5;97:257=3", "1,2,3,4,5;257:65=3",
      "1,2,3,4,5;97:65=3,", "1,2,3,4,5;97:65=1001", "1,2,3,4,5;97:65=3;97:66=3", "1,2,-3,4,5",
      "1,2,3,4,5;99999999999999999999999:65=3", "1,2,3,4,5 ",
    ] {
      #expect(try PairAlignment(text: Self.text(wrong), vocabulary: 257) == nil, "\(wrong)")
    }
  }

  @Test func aStateComesBack() throws {
    let alignment = try Self.fitted(Self.words)
    let (window, other) = (
      try SourceWindow(encoding, alignment), try SourceWindow(encoding, alignment)
    )
    for token in Self.tokens("axbhc\tAK") { window.advance(token) }
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: window.stateSize, alignment: 8)
    defer { bytes.deallocate() }
    window.save(to: bytes)
    #expect(other.restore(from: bytes, vocabulary: 257))
    for token in Self.tokens("SBC") {
      var (values, others) = ([Int32](repeating: 0, count: 8), [Int32](repeating: 0, count: 8))
      window.advance(token)
      other.advance(token)
      window.write(into: &values)
      other.write(into: &others)
      #expect(values == others)
    }
    // What no state can be is refused.
    let start = 16 + 2 * 1024
    for (word, wrong) in [
      (start / 8, UInt64(6)), (start / 8 + 1, UInt64(Float.nan.bitPattern)),
      (start / 8 + 1, UInt64(Float(2).bitPattern)), (start / 8 + 2, UInt64(Float(-1).bitPattern)),
    ] {
      window.save(to: bytes)
      bytes.setWord(word, wrong)
      #expect(!other.restore(from: bytes, vocabulary: 257))
    }
  }
}
