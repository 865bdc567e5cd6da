import Sequences
import Testing

@testable import Libretto

/// Texts that each have an end of their own.
@Suite struct DocumentsTests {
  private func material(_ texts: [String], validation: [String] = []) throws -> TextMaterial {
    let material = TextMaterial()
    for (text, held) in texts.map({ ($0, false) }) + validation.map({ ($0, true) }) {
      let bytes = Array(text.utf8)
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
      defer { buffer.deallocate() }
      buffer.copyBytes(from: bytes)
      try material.add(text: UnsafeRawBufferPointer(buffer), validation: held)
    }
    return material
  }

  private func corpus(_ texts: [String], validation: [String] = [], fraction: Double = 0) throws
    -> Corpus
  {
    let material = try material(texts, validation: validation)
    return try #require(
      try material.tokenize(nil, name: "bytes", documents: true, fraction: fraction))
  }

  /// The pieces of a part, an end as "|".
  private func pieces(_ part: Corpus.Part) throws -> [String] {
    let pieces = try #require(part.pieces)
    return (0..<pieces.count).map { piece in
      String(
        decoding: pieces.tokens(of: piece).map {
          part.tokens[$0] == 256 ? UInt8(ascii: "|") : UInt8(part.tokens[$0])
        }, as: UTF8.self)
    }
  }

  @Test func eachTextIsADocumentBetweenEnds() throws {
    let corpus = try corpus(["ab", "", "c", "def"], validation: ["gh", ""])
    #expect(try pieces(corpus.training) == ["|ab|", "|c|", "|def|"])
    #expect(try pieces(corpus.validation) == ["|gh|"])
    #expect(corpus.encoding.endToken == 256)
    // Two that follow each other share an end.
    #expect(corpus.training.tokens.count == 10)
  }

  @Test func wholeDocumentsAreHeldOut() throws {
    let texts = (0..<50).map { "document \($0)" }
    let corpus = try corpus(texts, fraction: 0.1)
    let held = try pieces(corpus.validation)
    #expect(held.count == 5)
    #expect(Set(held + (try pieces(corpus.training))) == Set(texts.map { "|\($0)|" }))
    // Spread evenly.
    let places = held.map { Int($0.filter(\.isNumber))! }
    #expect(zip(places, places.dropFirst()).allSatisfy { (9...11).contains($1 - $0) })
  }

  @Test(arguments: [0.05, 0.1, 0.3, 0.5])
  func aboutTheShareIsHeldOut(fraction: Double) {
    var random = RandomSource(seed: 3)
    let sizes = (0..<400).map { _ in Int(random.next() % 1000) + 1 }
    var spread = Spread(fraction)
    let held = sizes.filter { spread.takes($0) }.reduce(0, +)
    #expect(abs(Double(held) - fraction * Double(sizes.reduce(0, +))) <= 500)
    var none = Spread(0)
    #expect(!sizes.contains { none.takes($0) })
  }

  @Test func ofFewDocumentsTheEndOfTheLast() throws {
    let corpus = try corpus([String(repeating: "a", count: 30), "0123456789"], fraction: 0.1)
    let first = String(repeating: "a", count: 30)
    #expect(try pieces(corpus.training) == ["|\(first)|", "|012345"])
    #expect(try pieces(corpus.validation) == ["6789|"])
    // Not one that is nearly all there is.
    let unlike = try self.corpus([String(repeating: "a", count: 99), "b"], fraction: 0.05)
    #expect(try pieces(unlike.training)[0].count > 90)
  }

  @Test func smallDocumentsFillTheirWindows() throws {
    var random = RandomSource(seed: 8)
    for (shortest, spread) in [(3, 10), (20, 40), (70, 5), (200, 100), (3000, 9000)] {
      let texts = (0..<300).map { _ in
        String(repeating: "x", count: shortest + Int(random.next() % UInt64(spread)))
      }
      let corpus = try corpus(texts)
      let sequence = corpus.sequence(usual: 32)
      let batch = 2048 / sequence
      let batches = try corpus.batches(
        batch: batch, sequence: sequence, seed: 1, augment: false, sides: Sides())
      let places = batches.batchesPerEpoch * batch * sequence
      let predicted = texts.reduce(0) { $0 + $1.utf8.count + 1 }
      #expect((8...32).contains(sequence))
      let empty = 1 - Double(predicted) / Double(places)
      #expect(empty < 0.4, "\(shortest): \(empty) of batches of \(sequence)")
    }
    // Long ones, and one long text, have the usual sequence.
    #expect(try corpus([String(repeating: "x", count: 5000)]).sequence(usual: 32) == 32)
  }

  // MARK: - One does not run into the next

  private let model: Model
  private let end: Int32

  init() throws {
    model = try makeModel(try CharactersEncoding(alphabet: ["é"], documents: true))
    end = model.endToken
  }

  private func scores(_ tokens: [Int32]) throws -> [Double] {
    var result: [Double] = []
    try tokens.withUnsafeBufferPointer { try model.score($0) { result.append($2) } }
    return result
  }

  @Test func theLossOfADocumentDoesNotDependOnTheOneBefore() throws {
    let document: [Int32] = [end, 0x61, 0x62, 256, 0x63, end]
    let alone = try scores(document)
    for before in [[end, 0x78, end], [end, 0x7A, 0x7A, 256, end], [0x61, end]] as [[Int32]] {
      let both = try scores(before + document.dropFirst())
      #expect(zip(both.suffix(5), alone).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    // In training too: the same document from rows that read others before.
    let evaluation = try Array("abéc".utf8).withUnsafeBytes { try model.evaluate(text: $0) }
    #expect(abs(evaluation.nats + alone.reduce(0, +)) < 1e-5)
    #expect(evaluation.tokens == 5 && evaluation.characters == 4)
  }

  @Test func aSessionBeginsEachDocumentFromNothing() throws {
    let fresh = try Session(model)
    let used = try Session(model)
    var settings = SamplerSettings()
    settings.repetitionPenalty = 1.5
    try fresh.set(settings)
    try used.set(settings)
    try used.feed("other words")
    try used.feed([end])
    #expect(used.distribution == fresh.distribution)
    used.reset(seed: 4)
    try used.feed("more")
    try used.feed([end])
    fresh.reset(seed: 4)
    #expect(try used.draw(30) == fresh.draw(30))
    // Text that is fed first begins a document.
    fresh.reset(seed: 1)
    used.reset(seed: 1)
    try fresh.feed("be")
    try used.feed([end, 0x62, 0x65])
    #expect(fresh.distribution == used.distribution)
    // Several at once begin as one does.
    let others = try (0..<2).map { _ in try Session(model) }
    try others[0].reserve(2)
    try others[0].feed([0x61, end])
    var drawn: [Float] = []
    try Session.next(count: 2, session: { others[$0] }) { drawn.append($2) }
    let alone = try Session(model)
    #expect(abs(drawn[0] - (try alone.next().logProbability)) < 1e-4)
  }

  @Test func aModelFileKeepsIt() throws {
    let folder = try Folder()
    try model.save(folder("m"))
    let again = try Model(path: folder("m"))
    #expect(again.hasDocuments && again.endToken == end)
    #expect(ModelFile(try read(folder("m"))).header.contains("encoding.documents"))
    let plain = try ModelFile(try makeModel())
    #expect(!plain.header.contains("documents"))
    #expect(try makeModel().endToken == -1 && !makeModel().hasDocuments)
  }

  // MARK: - Training

  private func trainer(_ change: (inout TrainingOptions) -> Void = { _ in }) throws -> Trainer {
    let trainer = try Trainer(
      smallOptions {
        $0.documents = true
        $0.batch = 8
        $0.steps = 150
        $0.learningRate = 0.02
        $0.seed = 2
        $0.encoding = "bytes"
        change(&$0)
      })
    for i in 0..<60 { try trainer.add(["abcd", "xyz", "xyz!"][i % 3]) }
    return trainer
  }

  @Test func whatWasLearnedEnds() throws {
    let trainer = try trainer()
    let progress = try trainer.run()
    #expect(progress.end == .finished)
    let pieces = try #require(trainer.pieces)
    #expect(pieces.training + pieces.validation == 60 && (5...7).contains(pieces.validation))
    let session = try Session(trainer.model(), seed: 3)
    var documents: [String] = []
    var bytes: [UInt8] = []
    var character = [UInt8](repeating: 0, count: Session.longestText)
    for _ in 0..<400 {
      let count = try session.nextText(&character)
      bytes += character[..<count]
      if count == 0 {
        documents.append(String(decoding: bytes, as: UTF8.self))
        bytes = []
      }
    }
    #expect(documents.count > 50)
    let known = documents.count { ["abcd", "xyz", "xyz!"].contains($0) }
    #expect(5 * known > 4 * documents.count, "\(documents)")
  }

  @Test func aResumedRunGoesOnTheSame() throws {
    let folder = try Folder()
    let paths = try (0..<20).map { i in
      let units = "\u{FEFF}é\(i)x".utf16
      return try folder.file("\(i).txt", units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
    }
    func add(_ trainer: Trainer) throws {
      for path in paths { try trainer.add(file: path, kind: .utf16LittleEndian) }
    }
    func options(_ steps: Int) -> TrainingOptions {
      smallOptions {
        $0.documents = true
        $0.steps = steps
        $0.dropout = 0.2
      }
    }
    let whole = try Trainer(options(30))
    try add(whole)
    _ = try whole.run()
    let first = try Trainer(options(30))
    try add(first)
    for _ in 0..<11 { _ = try first.step() }
    try first.save(checkpoint: folder("c"))
    let second = try Trainer(resume: folder("c"))
    #expect(second.expectedFiles.map(\.path) == paths)
    #expect(second.expectedFiles.allSatisfy { $0.kind == .utf16LittleEndian })
    for file in second.expectedFiles { try second.add(file: file.path, kind: file.kind) }
    _ = try second.run()
    #expect(try second.model().floats == whole.model().floats)
    #expect(try second.model().hasDocuments)
    let alphabet = (try whole.model().encoding as? CharactersEncoding)?.alphabet
    #expect(alphabet == ["é"])
  }

  @Test func aModelToStartFromSaysWhatItIs() throws {
    let one = try makeModel()
    func options(_ documents: Bool?) -> TrainingOptions {
      var options = TrainingOptions()
      options.documents = documents
      options.steps = 2
      options.threads = 1
      return options
    }
    refusal(.argument, "documents") { _ = try Trainer(options(true), from: one) }
    refusal(.argument, "documents") { _ = try Trainer(options(false), from: model) }
    let trainer = try Trainer(options(nil), from: model)
    for _ in 0..<9 { try trainer.add("some words") }
    _ = try trainer.run()
    #expect(try trainer.model().hasDocuments)
    #expect(trainer.pieces?.training == 8)
  }
}
