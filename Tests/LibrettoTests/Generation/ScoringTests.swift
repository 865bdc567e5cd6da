import Foundation
import Sequences
import Testing

@testable import Libretto

@Suite struct ScoringTests {
  private let model: Model

  init() throws {
    model = try makeModel(try CharactersEncoding(alphabet: ["é", "日"]))
  }

  private func scores(_ tokens: [Int32]) throws -> [Double] {
    var result: [Double] = []
    try tokens.withUnsafeBufferPointer { try model.score($0) { result.append($2) } }
    return result
  }

  /// Equal up to rounding: how many rows a product has decides the order of its sums.
  private func expectClose(
    _ a: [Double], _ b: [Double], _ location: SourceLocation = #_sourceLocation
  ) {
    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    #expect(a.count == b.count && worst < 1e-5, sourceLocation: location)
  }

  private func evaluate(_ bytes: [UInt8], _ model: Model? = nil) throws -> Evaluation {
    let folder = try Folder()
    return try (model ?? self.model).evaluate(file: try folder.file("text", bytes))
  }

  private func tokens(_ bytes: [UInt8]) -> [Int32] {
    var result: [Int32] = []
    bytes.withUnsafeBytes {
      (model.encoding as! CharactersEncoding).encode($0) { result.append($0) }
    }
    return result
  }

  @Test func evaluationIsTheSumOfScores() throws {
    let bytes = Array(ditties(40).utf8)
    let scores = try self.scores(tokens(bytes))
    #expect(scores.count == tokens(bytes).count - 1)
    #expect(scores.allSatisfy { $0 < 0 && $0.isFinite })
    let evaluation = try evaluate(bytes)
    #expect(evaluation.tokens == scores.count)
    #expect(abs(evaluation.nats + scores.reduce(0, +)) < 1e-6)
    #expect(abs(evaluation.natsPerToken + scores.reduce(0, +) / Double(scores.count)) < 1e-9)
  }

  @Test func eachTokenComesWithTheOneBefore() throws {
    let tokens = self.tokens(Array(ditties(30).utf8))
    var pairs: [(Int32, Int32)] = []
    try tokens.withUnsafeBufferPointer { try model.score($0) { a, b, _ in pairs.append((a, b)) } }
    #expect(pairs.map(\.0) == Array(tokens.dropLast()))
    #expect(pairs.map(\.1) == Array(tokens.dropFirst()))
  }

  /// Longer than the scorer's window of 128 and than the 4096 tokens text is scored by at a time.
  @Test func aLongTextIsScoredAsAWhole() throws {
    let bytes = Array(ditties(400).utf8)
    let tokens = self.tokens(bytes)
    #expect(tokens.count > 2 * 4096)
    let whole = try scores(tokens)
    var asText: [Double] = []
    try bytes.withUnsafeBytes { try model.score(text: $0) { asText.append($2) } }
    expectClose(asText, whole)
    // What a score is does not depend on what follows, nor on where a window begins.
    for length in [1, 2, 3, 127, 128, 129, 130, 257, 4096, 4097] {
      let part = try scores(Array(tokens.prefix(length)))
      expectClose(part, Array(whole.prefix(length - 1)))
    }
  }

  @Test func scoresAreThoseOfASession() throws {
    let tokens = self.tokens(Array(ditties(12).utf8))
    let session = try Session(model)
    var worst = 0.0
    for (i, score) in try scores(tokens).enumerated() {
      try session.feed([tokens[i]])
      worst = max(worst, abs(Double(session.distribution[Int(tokens[i + 1])]) - score))
    }
    #expect(worst < 1e-4)
  }

  @Test func nothingToPredict() throws {
    for bytes in [[], [0x41]] as [[UInt8]] {
      let evaluation = try evaluate(bytes)
      #expect(evaluation.tokens == 0 && evaluation.nats == 0 && evaluation.natsPerToken == 0)
      #expect(evaluation.bitsPerCharacter == nil)
    }
    #expect(try scores([]) == [] && scores([5]) == [])
  }

  @Test func bitsPerCharacterGoByCharacters() throws {
    // é and 日 are tokens, ü two bytes, € three, 🎵 four: 1 + 1 + 2 + 3 + 4 tokens, 5 characters.
    let text = "é日ü€🎵"
    let evaluation = try evaluate(Array((" " + String(repeating: text, count: 10)).utf8))
    #expect(evaluation.tokens == 110)
    #expect(evaluation.characters == 50)
    let bits = try #require(evaluation.bitsPerCharacter)
    #expect(abs(bits - evaluation.nats / log(2) / 50) < 1e-9)
    // The same text in bytes has as many characters, whatever it has in tokens.
    let inBytes = try evaluate(
      Array((" " + String(repeating: text, count: 10)).utf8), try makeModel())
    #expect(inBytes.characters == 50)
    #expect(inBytes.tokens == 10 * text.utf8.count)
  }

  @Test func evaluationsAddUp() {
    var a = Evaluation()
    (a.tokens, a.characters, a.nats) = (3, 2, 4)
    var b = Evaluation()
    (b.tokens, b.characters, b.nats) = (1, 0, 4)
    a += b
    #expect(a.tokens == 4 && a.characters == 2 && a.nats == 8 && a.natsPerToken == 2)
    #expect(b.bitsPerCharacter == nil)
    #expect(abs(a.bitsPerCharacter! - 8 / log(2) / 2) < 1e-12)
  }

  @Test func tokensThatAreNone() {
    refusal(.argument, "token 2 is 258") { _ = try scores([0, 257, 258]) }
    refusal(.argument, "token 0 is -1") { _ = try scores([-1]) }
  }
}
