import Foundation
import Sequences
import Testing

@testable import Libretto

/// Training on a host's own numbers. Tests/chost/tokens.c learns from them.
@Suite struct TokensTests {
  private func options(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
    smallOptions {
      $0.encoding = "tokens"
      $0.vocabulary = 9
      $0.steps = 30
      change(&$0)
    }
  }

  private func add(_ trainer: Trainer, _ pieces: Int = 20, targets: Bool = false) throws {
    for piece in 0..<pieces {
      let tokens = (0..<12 + piece % 5).map { Int32(($0 * (piece % 3 + 1) + piece) % 9) }
      try tokens.withUnsafeBufferPointer { tokens in
        guard targets && piece % 2 == 0 else { return try trainer.add(tokens: tokens) }
        try tokens.map { $0 % 2 == 0 ? $0 : -1 }.withUnsafeBufferPointer {
          try trainer.add(tokens: tokens, targets: $0)
        }
      }
    }
  }

  /// A target of the next token each is what none is.
  @Test func targetsOfTheNextTokenAreTheSameAsNone() throws {
    let (plain, told) = (try Trainer(options()), try Trainer(options()))
    let tokens: [Int32] = [3, 1, 4, 1, 5, 2, 6, 5]
    for _ in 0..<8 {
      try tokens.withUnsafeBufferPointer { try plain.add(tokens: $0) }
      // The piece's end, which no host can name, is not among its targets.
      let targets = Array(tokens.dropFirst()) + [-1]
      try tokens.withUnsafeBufferPointer { tokens in
        try targets.withUnsafeBufferPointer { try told.add(tokens: tokens, targets: $0) }
      }
    }
    try plain.prepare()
    try told.prepare()
    let (a, b) = (plain.run!.corpus.training, told.run!.corpus.training)
    for i in 0..<a.tokens.count {
      #expect(a.tokens[i] == b.tokens[i])
      // The first token of a piece has nothing before it that a host's targets could be for.
      let next = a.tokens[min(i + 1, a.tokens.count - 1)]
      if a.tokens[i] != 9 && next != 9 { #expect(b.targets![i] == next) }
    }
    #expect(plain.run!.corpus.fingerprint(until: nil) != told.run!.corpus.fingerprint(until: nil))
  }

  @Test(arguments: [false, true]) func aRunResumesBitForBit(targets: Bool) throws {
    let folder = try Folder()
    let whole = try Trainer(options())
    try add(whole, targets: targets)
    _ = try whole.run()
    let first = try Trainer(options())
    try add(first, targets: targets)
    _ = try first.run { $0.step < 11 }
    try first.save(checkpoint: folder("c"))
    let second = try Trainer(resume: folder("c"))
    #expect(second.givenEncoding == "tokens")
    try add(second, targets: targets)
    #expect(try second.run().end == .finished)
    #expect(try second.model().floats == whole.model().floats)
    // Other targets are other material.
    let other = try Trainer(resume: folder("c"))
    try add(other, targets: !targets)
    #expect(throws: LibrettoError.self) { try other.run() }
    #expect(throws: LibrettoError.self) {
      try Trainer(resume: folder("c"), options { $0.vocabulary = 10 })
    }
  }

  @Test func aModelOfTokensIsTrainedFurther() throws {
    let first = try Trainer(options())
    try add(first)
    _ = try first.run()
    let model = try first.model()
    #expect(model.kind == .tokens && !model.isText && model.endToken == 9)
    let second = try Trainer(
      smallOptions { ($0.encoding, $0.embedding, $0.hidden, $0.layers) = (nil, nil, nil, nil) },
      from: model)
    try add(second)
    #expect(try second.run().end == .finished)
    #expect(throws: LibrettoError.self) {
      try Trainer(options { ($0.vocabulary, $0.encoding) = (8, nil) }, from: model)
    }
  }

  /// What is held out are whole pieces, spread evenly.
  @Test func wholePiecesAreHeldOut() throws {
    let trainer = try Trainer(options { $0.validationFraction = 0.25 })
    try add(trainer)
    try trainer.prepare()
    #expect(trainer.pieces! == (15, 5))
    let stated = try Trainer(options { $0.validationFraction = 0.25 })
    try add(stated)
    try [Int32](repeating: 1, count: 5).withUnsafeBufferPointer {
      try stated.add(tokens: $0, validation: true)
    }
    try stated.prepare()
    #expect(stated.pieces! == (20, 1) && stated.tokens!.validation == 7)
  }

  @Test(arguments: ["", "vocabulary", "0", "65536", "-1", "1e3"])
  func impossibleVocabulariesOfFilesAreRefused(value: String) throws {
    var properties: [String: EncodingProperty] = [:]
    if value != "vocabulary" { properties["vocabulary"] = .short(value) }
    #expect(throws: EncodingError.self) {
      try Encodings.make(name: "tokens", properties: properties)
    }
    let good = try Encodings.make(name: "tokens", properties: ["vocabulary": "65535"])
    #expect(good.vocabularySize == 65_536 && good.properties == ["vocabulary": "65535"])
  }
}
