import Foundation
import Memory
import Sequences
import Testing

@testable import Libretto

/// Labels: learned, told to a session, found again by Bayes. Tests/chost/labels.c goes through the C API.
@Suite struct LabelTests {
  private static let high = ["abcab", "bcabc", "cabca", "abcbc", "bcaab", "ccabb"]
  private static let low = ["xyzxy", "yzxyz", "zxyzx", "xyzyz", "yzxxy", "zzxyy"]

  private static func options(_ change: (inout TrainingOptions) -> Void = { _ in })
    -> TrainingOptions
  {
    smallOptions {
      $0.encoding = "characters"
      $0.hidden = 24
      $0.steps = 250
      $0.learningRate = 0.02
      $0.validationFraction = 0.2
      $0.patience = 0
      change(&$0)
    }
  }

  /// Words in which either a, b and c or x, y and z come, each many times.
  private static func add(_ trainer: Trainer, _ count: Int = 60) throws {
    for i in 0..<count {
      try trainer.set(label: i % 2 == 0 ? "high" : "low")
      let words = i % 2 == 0 ? high : low
      try trainer.add(words[i / 2 % words.count])
    }
  }

  private static let model: Result<Model, any Error> = Result {
    let trainer = try Trainer(options())
    try add(trainer)
    _ = try trainer.run()
    return try trainer.model()
  }

  private func text(_ session: Session, _ count: Int) throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4)
    for _ in 0..<count {
      let length = try buffer.withUnsafeMutableBufferPointer {
        try session.nextText($0.baseAddress!)
      }
      bytes += buffer[..<length]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func aSessionWritesWhatItsLabelSays() throws {
    let model = try Self.model.get()
    #expect(model.labels.names == ["high", "low"])
    let session = try Session(model, seed: 3)
    for (label, letters) in [(Int32(1), Set("abc")), (2, Set("xyz")), (1, Set("abc"))] {
      session.reset(seed: 3)
      try session.set(label: label)
      #expect(session.label == label)
      let written = try text(session, 200)
      #expect(written.count > 100)
      #expect(written.filter { letters.contains($0) }.count * 50 > written.count * 49)
    }
    // Not told, it writes both.
    try session.set(label: 0)
    session.reset(seed: 4)
    let either = Set(try text(session, 400))
    #expect(!either.isDisjoint(with: "abc") && !either.isDisjoint(with: "xyz"))
  }

  @Test func aMixtureOfOneIsThatLabel() throws {
    let model = try Self.model.get()
    let (one, mixed) = (try Session(model, seed: 5), try Session(model, seed: 5))
    try one.set(label: 2)
    try mixed.set(labels: [2, 1], weights: [3, 0])
    let (a, b) = (try text(one, 100), try text(mixed, 100))
    #expect(a == b)
    // And stays one after a reset, until it is changed.
    mixed.reset(seed: 5)
    #expect(try text(mixed, 100) == a)
    try mixed.set(label: 1)
    mixed.reset(seed: 5)
    #expect(try text(mixed, 100) != a)
  }

  @Test func aMixtureLiesBetween() throws {
    let model = try Self.model.get()
    var shares: [Double] = []
    for weight: Float in [0, 1, 2, 3, 4] {
      let session = try Session(model, seed: 6)
      try session.set(labels: [1, 2], weights: [4 - weight, weight])
      let written = try text(session, 1000)
      shares.append(Double(written.filter { "xyz".contains($0) }.count) / Double(written.count))
    }
    #expect(shares[0] < 0.05 && shares[4] > 0.95)
    #expect(shares.max()! - shares.min()! > 0.9 && shares[2] > shares[0] && shares[2] < shares[4])
  }

  @Test func manySessionsAtOnceAreToldTheirLabels() throws {
    let model = try Self.model.get()
    func sessions() throws -> [Session] {
      try (0..<4).map { i in
        let session = try Session(model, seed: UInt64(i))
        if i == 3 {
          try session.set(labels: [1, 2], weights: [1, 1])
        } else {
          try session.set(label: Int32(i))
        }
        return session
      }
    }
    let (together, apart) = (try sessions(), try sessions())
    try together[0].reserve(4)
    for _ in 0..<60 {
      var drawn: [Int32] = []
      try Session.next(count: 4, session: { together[$0] }) { _, token, _ in drawn.append(token) }
      let alone = try apart.map { try $0.next().token }
      #expect(drawn == alone)
    }
  }

  @Test func wrongLabelsAreRefused() throws {
    let model = try Self.model.get()
    let session = try Session(model)
    refusal(.argument, "3", "0 to 2") { try session.set(label: 3) }
    refusal(.argument, "-1") { try session.set(label: -1) }
    refusal(.argument, "twice") { try session.set(labels: [1, 1], weights: [1, 1]) }
    refusal(.argument, "weight") { try session.set(labels: [1], weights: [.nan]) }
    refusal(.argument, "weight") { try session.set(labels: [1, 2], weights: [1, -1]) }
    refusal(.argument, "all 0") { try session.set(labels: [1, 2], weights: [0, 0]) }
    refusal(.argument, "1 to 2") { try session.set(labels: [0, 2], weights: [1, 1]) }
    let without = try Session(try makeModel())
    try without.set(label: 0)
    refusal(.unsupported, "no labels") { try without.set(label: 1) }
    refusal(.unsupported, "no labels") { try without.set(labels: [1], weights: [1]) }
    refusal(.unsupported, "no labels") { _ = try Classifier(without.model) }
  }

  @Test func bayesFindsTheLabel() throws {
    let model = try Self.model.get()
    for (text, label) in [("abcca", 0), ("zzyxx", 1), ("bbbcc", 0), ("yx", 1)] {
      let tokens = text.utf8.map { Int32($0) }
      let found = try tokens.withUnsafeBufferPointer { try model.classify($0) }
      #expect(found.count == 2 && abs(found[0] + found[1] - 1) < 1e-12)
      #expect(found[label] > 0.6, "\(text)")
    }
  }

  /// What is read many at a time is what a session that is told the label says of each.
  @Test func scoresAreThoseOfASession() throws {
    let model = try Self.model.get()
    let end = model.endToken
    let passages: [[Int32]] = (0..<37).map { i in
      [end] + (Self.high + Self.low)[i % 12].utf8.prefix(i % 6).map { Int32($0) } + [end]
    }
    let classifier = try Classifier(model)
    let buffers = passages.map { passage in
      let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: passage.count)
      _ = buffer.initialize(from: passage)
      return UnsafeBufferPointer(buffer)
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let scores = try classifier.scores(passages: passages.count) { buffers[$0] }
    let session = try Session(model)
    var logits = [Float](repeating: 0, count: model.shape.vocabulary)
    for (i, passage) in passages.enumerated() {
      for label in 1...2 {
        session.reset(seed: 0)
        try session.set(label: Int32(label))
        var sum = 0.0
        for (read, next) in zip(passage, passage.dropFirst()) {
          try [read].withUnsafeBufferPointer { try session.feed($0) }
          session.logProbabilities(&logits)
          sum += Double(logits[Int(next)])
        }
        #expect(abs(scores[2 * i + label - 1] - sum) < 1e-3 * max(1, abs(sum)))
      }
    }
  }

  /// Words are given character by character, and a snapshot within a word has the rest of it.
  @Test func textOfWordsComesInCharacters() throws {
    let trainer = try Trainer(
      smallOptions {
        $0.encoding = "words"; $0.steps = 60
      })
    for _ in 0..<30 { try trainer.add("the näive cat sat on the näive mat. ") }
    _ = try trainer.run()
    let model = try trainer.model()
    let (session, tokens) = (try Session(model, seed: 8), try Session(model, seed: 8))
    let encoding = try model.textEncoding()
    var (spoken, drawn): ([UInt8], [UInt8]) = ([], [])
    var buffer = [UInt8](repeating: 0, count: 4)
    for i in 0..<200 {
      if i % 7 == 3 {
        var bytes = [UInt8](repeating: 0, count: session.snapshotSize)
        bytes.withUnsafeMutableBytes { session.snapshot($0.baseAddress!) }
        session.reset(seed: 1)
        try bytes.withUnsafeBytes { try session.restore($0) }
      }
      let count = try buffer.withUnsafeMutableBufferPointer {
        try session.nextText($0.baseAddress!)
      }
      #expect(String(decoding: buffer[..<count], as: UTF8.self).unicodeScalars.count == 1)
      spoken += buffer[..<count]
    }
    while drawn.count < spoken.count {
      encoding.forEachByte(of: try tokens.next().token) { drawn.append($0) }
    }
    #expect(Array(drawn.prefix(spoken.count)) == spoken)
    // A token that is fed or drawn in between ends the word.
    try session.feed("x")
    #expect(session.unspoken == 0)
  }

  @Test func aFileKeepsLabelsAndCalibration() throws {
    let model = try Self.model.get()
    let folder = try Folder()
    try model.save(folder("m"))
    let again = try Model(path: folder("m"))
    #expect(again.labels == model.labels && again.labels.calibration.biases.count == 2)
    #expect(try model.quantized(to: .int8).labels == model.labels)
  }

  @Test func aRunResumesBitForBit() throws {
    let folder = try Folder()
    for (name, words) in [("high", Self.high), ("low", Self.low)] {
      let path = folder(name + ".txt")
      try words.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
    func add(_ trainer: Trainer) throws {
      for name in ["high", "low"] {
        try trainer.set(label: name)
        try trainer.add(file: folder(name + ".txt"), pieces: .lines)
      }
    }
    let whole = try Trainer(Self.options { $0.steps = 30 })
    try add(whole)
    _ = try whole.run()
    let first = try Trainer(Self.options { $0.steps = 30 })
    try add(first)
    for _ in 0..<11 { _ = try first.step() }
    try first.save(checkpoint: folder("c"))
    let second = try Trainer(resume: folder("c"))
    #expect(second.expectedFiles.map(\.label) == ["high", "low"])
    for file in second.expectedFiles {
      try second.set(label: file.label)
      try second.add(file: file.path, kind: file.kind, pieces: file.pieces)
    }
    _ = try second.run()
    #expect(try second.model().floats == whole.model().floats)
    // Other labels are other material.
    let third = try Trainer(resume: folder("c"))
    try third.add(file: folder("high.txt"), pieces: .lines)
    try third.add(file: folder("low.txt"), pieces: .lines)
    refusal(.corpus, "not what the checkpoint") { try third.prepare() }
  }

  @Test func aModelToStartFromKeepsItsLabels() throws {
    let model = try Self.model.get()
    let trainer = try Trainer(from: model)
    refusal(.argument, "no label \"other\"", "high, low") { try trainer.set(label: "other") }
    try trainer.set(label: "low")
    for word in Self.low { try trainer.add(word) }
    try trainer.prepare()
    #expect(trainer.run!.corpus.training.pieces!.label(of: 0) == 2)
    let bare = try Trainer(from: try makeModel())
    refusal(.argument, "no labels") { try bare.set(label: "low") }
  }

  @Test func labelledTextsAreDocumentsOfWords() throws {
    let trainer = try Trainer(smallOptions { $0.steps = 1 })
    try trainer.set(label: "a")
    try trainer.add(" one two one two")
    try trainer.set(label: nil)
    try trainer.add(" three three")
    try trainer.prepare()
    let corpus = trainer.run!.corpus
    #expect(corpus.encoding.name == "words" && corpus.training.pieces!.count == 2)
    #expect([0, 1].map { corpus.training.pieces!.label(of: $0) } == [1, 0])
    let joined = try Trainer(smallOptions { $0.documents = false })
    try joined.set(label: "a")
    try joined.add("text")
    refusal(.argument, "documents") { try joined.prepare() }
  }
}

extension Session {
  fileprivate func set(labels: [Int32], weights: [Float]) throws {
    try labels.withUnsafeBufferPointer { labels in
      try weights.withUnsafeBufferPointer { try set(labels: labels, weights: $0) }
    }
  }
}

extension Trainer {
  /// Adds a text.
  fileprivate func add(_ text: String) throws {
    try Array(text.utf8).withUnsafeBufferPointer { try add(text: UnsafeRawBufferPointer($0)) }
  }
}
