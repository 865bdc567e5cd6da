import Foundation
import Memory
import Sequences
import Testing

@testable import Libretto

/// Pairs of a source and a target, and the search for the likeliest target.
@Suite struct PairTests {
  private static func options(_ change: (inout TrainingOptions) -> Void = { _ in })
    -> TrainingOptions
  {
    smallOptions {
      $0.hidden = 32
      $0.steps = 400
      $0.learningRate = 0.02
      $0.validationFraction = 0
      change(&$0)
    }
  }

  /// Capital letters for small ones, the last first.
  private static func target(_ source: String) -> String { String(source.uppercased().reversed()) }

  private static let sources = ["ab", "ba", "abc", "cab", "bca", "acb", "c", "b", "a", "bc", "ca"]

  private static func add(_ trainer: Trainer, times: Int = 4) throws {
    for source in Array(repeating: sources, count: times).joined() {
      try trainer.add(pair: source, target(source))
    }
  }

  private static let model: Result<Model, any Error> = Result {
    let trainer = try Trainer(options())
    try add(trainer)
    _ = try trainer.run()
    return try trainer.model()
  }

  @Test func theTargetAloneIsPredicted() throws {
    let trainer = try Trainer(Self.options())
    try trainer.add(pair: "ab", "C")
    try trainer.add(pair: "d", "")
    let plain = "e\tf"
    try Array(plain.utf8).withUnsafeBufferPointer {
      try trainer.add(text: UnsafeRawBufferPointer($0))
    }
    try trainer.prepare()
    let part = trainer.run!.corpus.training
    let end = try #require(trainer.run!.corpus.encoding.endToken)
    let tokens = (0..<part.tokens.count).map { part.tokens[$0] }
    let text = "ab\tC".utf8.map { Int32($0) }
    #expect(tokens == [end] + text + [end, 100, 9, end, 101, 9, 102, end])
    // After the tab of a pair, and everywhere in a document that is none.
    #expect(
      Array(part.targets!.elements)
        == [-1, -1, -1, 67, end, -1, -1, end, 101, 9, 102, end, -1])
    #expect(trainer.run!.corpus.hasPairs)
  }

  @Test func sourcesAreAnswered() throws {
    let model = try Self.model.get()
    #expect(model.hasPairs && model.hasDocuments)
    for width in [1, 4] {
      let search = try BeamSearch(model, width: width)
      let session = try Session(model)
      for source in Self.sources {
        session.reset(seed: 0)
        try session.feed(source + "\t")
        let best = try #require(try search.continuations(of: session, longest: 10).first)
        #expect(best.isComplete && Array(best.tokens).last == model.endToken)
        let answer = Array(best.tokens).dropLast().map { UInt8(truncatingIfNeeded: $0) }
        #expect(String(decoding: answer, as: UTF8.self) == Self.target(source))
      }
    }
  }

  /// The search leaves the session where it was, and says the probability that the session says.
  @Test func aSearchChangesNothing() throws {
    let model = try Self.model.get()
    let (session, other) = (try Session(model, seed: 2), try Session(model, seed: 2))
    try session.feed("ab\t")
    try other.feed("ab\t")
    let search = try BeamSearch(model, width: 3)
    let found = try search.continuations(of: session, longest: 8)
    #expect(found.count == 3 && found == found.sorted { $0.logProbability > $1.logProbability })
    for result in found {
      let reader = try Session(model)
      try reader.feed("ab\t")
      var logits = [Float](repeating: 0, count: model.shape.vocabulary)
      var sum = 0.0
      for token in result.tokens {
        reader.logProbabilities(&logits)
        sum += Double(logits[Int(token)])
        try [token].withUnsafeBufferPointer { try reader.feed($0) }
      }
      #expect(abs(sum - result.logProbability) < 1e-3)
    }
    for _ in 0..<20 { #expect(try session.next().token == other.next().token) }
  }

  /// What scores a document is told the source as a session is, and a snapshot has it.
  @Test func scorerAndSnapshotKnowTheSource() throws {
    let model = try Self.model.get()
    #expect(model.sideInputs.map(\.name).contains("aligned_3"))
    let end = model.endToken
    let tokens = [end] + "abc\tCBA".utf8.map { Int32($0) } + [end]
    var scored: [Double] = []
    try tokens.withUnsafeBufferPointer { try model.score($0) { _, _, p in scored.append(p) } }
    let session = try Session(model)
    var logits = [Float](repeating: 0, count: model.shape.vocabulary)
    for (i, token) in tokens.dropLast().enumerated() {
      try session.feed([token])
      if i == 5 {
        var bytes = [UInt8](repeating: 0, count: session.snapshotSize)
        bytes.withUnsafeMutableBytes { session.snapshot($0.baseAddress!) }
        session.reset(seed: 0)
        try bytes.withUnsafeBytes { try session.restore($0) }
      }
      session.logProbabilities(&logits)
      #expect(abs(Double(logits[Int(tokens[i + 1])]) - scored[i]) < 1e-4, "token \(i)")
    }
  }

  /// The alignment is part of the model: a file of it, and a run that goes on from it, follow as it does.
  @Test func theAlignmentIsInTheFile() throws {
    let model = try Self.model.get()
    let folder = try Folder()
    try model.save(folder("m.safetensors"))
    let loaded = try Model(path: folder("m.safetensors"))
    let tokens = [model.endToken] + "abc\tCBA".utf8.map { Int32($0) } + [model.endToken]
    func scores(_ model: Model) throws -> [Float] {
      var scored: [Float] = []
      try tokens.withUnsafeBufferPointer {
        try model.score($0) { _, _, p in scored.append(Float(p)) }
      }
      return scored
    }
    #expect(try scores(loaded) == scores(model))
    let trainer = try Trainer(Self.options { $0.steps = 5 }, from: loaded)
    try Self.add(trainer)
    _ = try trainer.run()
    let next = try trainer.model()
    #expect(next.sideInputs.map(\.name) == model.sideInputs.map(\.name))
    #expect(
      Array(next.sides.alignment!.text.elements) == Array(model.sides.alignment!.text.elements))
  }

  /// A model of before there were alignments (f2ac13e) answers as it did.
  @Test func olderModelsAnswer() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../fixtures/f2ac13e/pairs.safetensors").standardizedFileURL.path
    let model = try Model(path: path)
    #expect(model.sideInputs.map(\.name).contains("source_3") && model.sides.alignment == nil)
    let search = try BeamSearch(model, width: 4)
    let session = try Session(model)
    for (source, answer, logProbability) in [
      ("one", "1", -0.118), ("ten", "10", -0.549), ("onetwo", "12", -0.163),
    ] {
      session.reset(seed: 0)
      try session.feed(source + "\t")
      let best = try #require(try search.continuations(of: session, longest: 10).first)
      #expect(Array(best.tokens).dropLast() == ArraySlice(answer.utf8.map { Int32($0) }))
      #expect(abs(best.logProbability - logProbability) < 1e-3)
    }
  }

  /// A beam as wide as all there is finds what trying everything finds.
  @Test func aWideBeamFindsTheBest() throws {
    let encoding = try Encodings.make(
      "tokens",
      {
        var s = EncodingSettings(); s.vocabulary = 4; return s
      }())
    let model = try makeModel(encoding, hidden: 12, seed: 9)
    let session = try Session(model)
    var best = (tokens: [Int32](), sum: -Double.infinity)
    func search(_ tokens: [Int32], _ sum: Double) throws {
      guard tokens.count < 4, tokens.last != model.endToken else {
        if sum > best.sum { best = (tokens, sum) }
        return
      }
      let reader = try Session(model)
      if !tokens.isEmpty {
        try ([model.encoding.startToken] + tokens).withUnsafeBufferPointer { try reader.feed($0) }
      }
      var logits = [Float](repeating: 0, count: 5)
      reader.logProbabilities(&logits)
      for token in 0..<5 { try search(tokens + [Int32(token)], sum + Double(logits[token])) }
    }
    try search([], 0)
    let found = try BeamSearch(model, width: 100).continuations(of: session, longest: 4)
    #expect(Array(found[0].tokens) == best.tokens)
    #expect(abs(found[0].logProbability - best.sum) < 1e-4)
    // Greedy is a beam of one.
    let greedy = try #require(
      try BeamSearch(model, width: 1).continuations(of: session, longest: 4).first)
    var settings = SamplerSettings()
    settings.temperature = 0
    let sampler = try Session(model, settings: settings)
    var drawn: [Int32] = []
    while drawn.count < 4 && drawn.last != model.endToken { drawn.append(try sampler.next().token) }
    #expect(Array(greedy.tokens) == drawn)
  }

  @Test func linesWithoutATabAreRefused() throws {
    let folder = try Folder()
    for (text, words) in [
      ("a\tb\nc\n", ["line 2", "no tab"]), ("\tb\n", ["line 1", "nothing before"]),
    ] {
      let trainer = try Trainer(Self.options())
      try text.write(toFile: folder("p.tsv"), atomically: true, encoding: .utf8)
      let said = refusal(.corpus) { try trainer.add(file: folder("p.tsv"), pieces: .pairs) }
      for word in words { #expect(said.contains(word)) }
      // Nothing was added.
      refusal(.corpus, "nothing to learn") { try trainer.prepare() }
    }
    let trainer = try Trainer(Self.options())
    refusal(.argument, "source") { try trainer.add(pair: "", "b") }
    refusal(.argument, "source") { try trainer.add(pair: "a\tb", "c") }
  }

  /// Lines end in either way, and empty ones are none.
  @Test func linesAreDocuments() throws {
    let folder = try Folder()
    try "a\tb\r\n\nc\td\n\r\ne\tf".write(
      toFile: folder("p.tsv"), atomically: true, encoding: .utf8)
    for pieces in [TextPieces.pairs, .lines] {
      let trainer = try Trainer(Self.options())
      try trainer.add(file: folder("p.tsv"), pieces: pieces)
      try trainer.prepare()
      let part = trainer.run!.corpus.training
      #expect(part.pieces!.count == 3 && part.tokens.count == 1 + 3 * 4)
      #expect((part.targets != nil) == (pieces == .pairs))
    }
  }

  @Test func aWidthOutOfRangeIsRefused() throws {
    let model = try Self.model.get()
    for width in [0, -1, 101] {
      refusal(.argument, "beam is \(width)", "1 to 100") { _ = try BeamSearch(model, width: width) }
    }
    let other = try Session(try makeModel())
    refusal(.argument, "another model") {
      _ = try BeamSearch(model, width: 2).continuations(of: other, longest: 3)
    }
  }
}

extension BeamSearch.Result: Equatable {
  public static func == (a: Self, b: Self) -> Bool { Array(a.tokens) == Array(b.tokens) }
}

extension Trainer {
  fileprivate func add(pair source: String, _ target: String) throws {
    try Array(source.utf8).withUnsafeBufferPointer { source in
      try Array(target.utf8).withUnsafeBufferPointer { target in
        try add(pair: UnsafeRawBufferPointer(source), UnsafeRawBufferPointer(target))
      }
    }
  }
}
