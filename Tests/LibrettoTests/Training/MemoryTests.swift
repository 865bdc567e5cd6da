import GRU
import Sequences
import Testing

@testable import Libretto

/// The memory from training to sessions: what it gives, and that all ways to read a sequence agree.
@Suite struct MemoryTests {
  /// Texts whose second half says the first again.
  private static func text(_ seed: UInt64, lines: Int = 30) -> String {
    var random = RandomSource(seed: seed)
    var text = ""
    for _ in 0..<lines {
      let words = (0..<4).map { _ in
        String((0..<5).map { _ in Character(UnicodeScalar(97 + UInt8(random.next() % 8))) })
      }
      let line = words.joined(separator: " ")
      text += line + "\n" + line + "\n"
    }
    return text
  }

  private static func trainer(_ change: (inout TrainingOptions) -> Void = { _ in }) throws
    -> Trainer
  {
    var options = TrainingOptions()
    (options.hidden, options.embedding, options.layers, options.steps) = (48, 16, 1, 300)
    (options.batch, options.sequence, options.threads) = (8, 32, 1)
    (options.encoding, options.learningRate, options.dropout) = ("bytes", 0.01, 0)
    change(&options)
    let trainer = try Trainer(options)
    for seed in 1...6 { try add(text(UInt64(seed)), to: trainer) }
    return trainer
  }

  private static func add(_ text: String, to trainer: Trainer) throws {
    try Array(text.utf8).withUnsafeBytes { try trainer.add(text: $0, validation: false) }
  }

  private static func model(_ change: (inout TrainingOptions) -> Void = { _ in }) throws -> Model {
    let trainer = try trainer(change)
    _ = try trainer.run()
    return try trainer.model()
  }

  private static let long = try! model()
  private static let documents = try! model { $0.documents = true }

  /// What returns is predicted with it, and without it is not.
  @Test func whatReturnsIsPredicted() throws {
    let text = Array(Self.text(77).utf8)
    for model in [Self.long, Self.documents] {
      #expect(model.hasMemory)
      let (with, without) = try text.withUnsafeBytes {
        (try model.evaluate(text: $0), try model.evaluate(text: $0, memory: false))
      }
      #expect(with.tokens == without.tokens)
      #expect(with.natsPerToken < 0.7 * without.natsPerToken)
    }
  }

  /// A model that is to have none has none.
  @Test func itCanBeLeftOut() throws {
    let model = try Self.model { ($0.memory, $0.steps) = (false, 3) }
    #expect(!model.hasMemory && model.sideInputs.isEmpty)
    let session = try Session(model)
    refusal(.unsupported, "has no memory") { try session.set(memoryStrength: 1) }
  }

  /// A session reads as scoring does, also where a document ends.
  @Test func sessionsAndScoresAgree() throws {
    for model in [Self.long, Self.documents] {
      var tokens = Self.text(9, lines: 4).utf8.map { Int32($0) }
      if model.hasDocuments {
        let end = model.endToken
        tokens = [end] + tokens + [end] + Self.text(10, lines: 4).utf8.map { Int32($0) }
      }
      var scores: [Double] = []
      try tokens.withUnsafeBufferPointer { try model.score($0) { scores.append($2) } }
      let session = try Session(model)
      var logs = [Float](repeating: 0, count: model.shape.vocabulary)
      for (i, token) in tokens.enumerated() {
        if i > 0 {
          logs.withUnsafeMutableBufferPointer { session.logProbabilities($0.baseAddress!) }
          #expect(abs(Double(logs[Int(token)]) - scores[i - 1]) < 1e-4, "token \(i)")
        }
        try session.feed([token])
      }
    }
  }

  /// Several at once, and one that goes on from a snapshot, are told the same as one alone.
  @Test func batchesAndSnapshotsTellTheSame() throws {
    let model = Self.long
    func begin(_ seed: UInt64) throws -> Session {
      let session = try Session(model, seed: seed)
      try session.feed(Self.text(seed, lines: 3))
      return session
    }
    let alone = try (0..<3).map { try begin($0).draw(120) }
    let sessions = try (0..<3).map { try begin($0) }
    try sessions[0].reserve(3)
    var together = [[Int32]](repeating: [], count: 3)
    for _ in 0..<120 {
      try Session.next(count: 3, session: { sessions[$0] }) { i, token, _ in
        together[i].append(token)
      }
    }
    #expect(together == alone)
    let one = try begin(2)
    let start = try one.draw(50)
    let snapshot = one.snapshot
    let other = try begin(1)
    try other.restore(snapshot)
    #expect(start + (try other.draw(70)) == alone[2])
  }

  /// More strength repeats more.
  @Test func theStrengthIsAControl() throws {
    /// Characters up to the first that does not repeat a line, of many sessions.
    func repeated(_ strength: Float) throws -> Int {
      try (0..<60).reduce(0) { sum, seed in
        let line = Array(Self.text(UInt64(seed), lines: 1).utf8.prefix(24)).map { Int32($0) }
        let session = try Session(Self.long, seed: UInt64(seed))
        try session.set(memoryStrength: strength)
        try session.feed(line + line.prefix(4))
        let drawn = try session.draw(20)
        return sum + (zip(drawn, line.dropFirst(4)).enumerated().first { $1.0 != $1.1 }?.0 ?? 20)
      }
    }
    let lengths = try [0, 1, 4].map { try repeated($0) }
    #expect(2 * lengths[0] < lengths[1] && 5 * lengths[1] < 4 * lengths[2], "\(lengths)")
    let session = try Session(Self.long)
    for bad in [-0.1, 100.1, Float.nan] {
      refusal(.argument, "strength") { try session.set(memoryStrength: bad) }
    }
    #expect(session.memoryStrength == 1)
  }

  /// The same run in one go, and resumed in the middle of a text.
  @Test(arguments: [false, true])
  func aResumedRunIsTheSame(_ documents: Bool) throws {
    func trainer() throws -> Trainer {
      try Self.trainer { ($0.steps, $0.batch, $0.documents) = (24, 2, documents) }
    }
    let whole = try trainer()
    _ = try whole.run()
    let first = try trainer()
    for _ in 0..<11 { _ = try first.step() }
    let folder = try Folder()
    try first.save(checkpoint: folder("c"))
    let second = try Trainer(resume: folder("c"))
    for seed in 1...6 { try Self.add(Self.text(UInt64(seed)), to: second) }
    _ = try second.run()
    #expect(try second.model().fingerprint == whole.model().fingerprint)
  }
}
