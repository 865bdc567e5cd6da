import Foundation
import GRU
import Sequences
import Testing

@testable import Libretto

/// Side inputs of music from training to sessions: what a model is told, and that all ways to tell agree.
@Suite struct SideInputTests {
  static let tunes = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../examples/tunes").path
  static let names = ["amazing_grace", "kesh_jig", "frere_jacques", "greensleeves"]

  static func trainer(_ change: (inout TrainingOptions) -> Void = { _ in }) throws -> Trainer {
    var options = TrainingOptions()
    (options.hidden, options.embedding, options.layers, options.steps) = (16, 8, 1, 40)
    (options.batch, options.sequence, options.threads) = (4, 32, 1)
    options.encoding = "polyphony"
    change(&options)
    let trainer = try Trainer(options)
    for name in names { try trainer.add(midi: "\(tunes)/\(name).mid") }
    return trainer
  }

  static let model: Model = {
    let made = try! trainer()
    _ = try! made.run()
    return try! made.model()
  }()

  private static func read(_ name: String) throws -> MIDIFile {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(tunes)/\(name).mid"))
    var warnings: [MIDIWarning] = []
    return try data.withUnsafeBytes { try MIDIFile.read($0, warnings: &warnings) }
  }

  private func piece(_ model: Model) throws -> [Int32] {
    try model.encode(try Self.read("kesh_jig"), name: "it")
  }

  @Test func newModelsOfMusicHaveThemAndKeepThem() throws {
    let model = Self.model
    #expect(
      model.sides.inputs.map(\.name) == [
        "bars_to_go", "phrase", "key", "close", "memory_phrase", "memory_rounds", "memory_token",
        "memory_length",
      ])
    let folder = try Folder()
    try model.save(folder("m"))
    let again = try Model(path: folder("m"))
    #expect(again.sides.inputs == model.sides.inputs)
    #expect(again.fingerprint == model.fingerprint)
    // They were learned from: rows of what is not told begin as zeros.
    let parameters = try again.parameters()
    for tensor in model.network.layout.tensors {
      guard case .side = tensor.role else { continue }
      let untold = UnsafeBufferPointer(
        start: parameters.pointer + tensor.offset, count: model.shape.embedding)
      #expect(untold.contains { abs($0) > 0.01 })
    }
    for precision in [Precision.bfloat16, .int8] {
      let small = try model.quantized(to: precision)
      try small.save(folder("q"))
      #expect(try Model(path: folder("q")).fingerprint == small.fingerprint)
    }
  }

  /// A session that is told what scoring tells gives the same probabilities.
  @Test func sessionsAndScoresAgree() throws {
    let model = Self.model
    let tokens = try piece(model)
    let facts = tokens.withUnsafeBufferPointer { model.encoding.sideFacts(of: $0) }
    var scores: [Double] = []
    try tokens.withUnsafeBufferPointer { try model.score($0) { scores.append($2) } }
    let session = try Session(model)
    var constraints = MusicConstraints()
    (constraints.bars, constraints.key) = (Int(facts.bars), facts.key)
    try session.set(constraints)
    var logs = [Float](repeating: 0, count: model.shape.vocabulary)
    for (i, token) in tokens.enumerated() {
      if i > 0 {
        logs.withUnsafeMutableBufferPointer { session.logProbabilities($0.baseAddress!) }
        #expect(abs(Double(logs[Int(token)]) - scores[i - 1]) < 1e-4, "token \(i)")
      }
      try session.feed([token])
    }
  }

  /// In the last bar of a piece whose bars and key are told the memory tells nothing, and what comes is drawn as at a
  /// third of the temperature; before it neither holds, nor where the key is not told.
  @Test func theEndingIsNotTheMemorys() throws {
    let model = Self.model
    let tokens = try piece(model)
    let facts = tokens.withUnsafeBufferPointer { model.encoding.sideFacts(of: $0) }
    func weighed(_ session: Session) -> Float {
      var logits = [Float](repeating: 1, count: model.shape.paddedVocabulary)
      logits.withUnsafeMutableBufferPointer {
        session.sideValues!.weigh($0.baseAddress!, session.music?.reader.grammar)
      }
      return logits[0]
    }
    let session = try Session(model)
    var constraints = MusicConstraints()
    (constraints.bars, constraints.key) = (Int(facts.bars), facts.key)
    try session.set(constraints)
    var remembered = 0
    for token in tokens.dropLast() {
      try session.feed([token])
      let isLast = session.bars >= Int(facts.bars) - 1
      let values = try #require(session.writeSides())
      let memory = (4..<8).map { values[$0] }
      if isLast { #expect(memory.allSatisfy { $0 == 0 }) }
      if !isLast && memory.contains(where: { $0 > 0 }) { remembered += 1 }
      #expect(weighed(session) == (isLast ? 3 : 1))
    }
    #expect(remembered > 100)
    constraints.bars = 0
    try session.set(constraints)
    #expect(weighed(session) == 1)
  }

  /// What is told changes what comes, and what is fed tells the key.
  @Test func toldAndUntoldDiffer() throws {
    let model = Self.model
    let tokens = Array(try piece(model).prefix(60))
    func next(_ change: (inout MusicConstraints) -> Void) throws -> [Float] {
      let session = try Session(model)
      var constraints = MusicConstraints()
      change(&constraints)
      try session.set(constraints)
      try session.feed(tokens)
      var logs = [Float](repeating: 0, count: model.shape.vocabulary)
      logs.withUnsafeMutableBufferPointer { session.logProbabilities($0.baseAddress!) }
      return logs
    }
    let untold = try next { _ in }
    #expect(try next { $0.bars = 16 } != untold)
    #expect(try next { $0.key = 2 } != untold)
    var times = PitchClassTimes()
    for token in tokens {
      if let pitch = (model.encoding as! PolyphonyEncoding).pitch(of: token) {
        times.add(pitch: pitch)
      }
    }
    #expect(times.key() > 0)
    // The keys that were found on the way differ, so the last token alone tells the same.
    let session = try Session(model)
    try session.feed(tokens)
    #expect(session.sideValues!.heard.key() == times.key())
  }

  /// Several at once, and one that goes on from a snapshot, are told the same as one alone.
  @Test func batchesAndSnapshotsTellTheSame() throws {
    let model = Self.model
    let tokens = Array(try piece(model).prefix(45))
    func begin(_ seed: UInt64) throws -> Session {
      let session = try Session(model, seed: seed)
      var constraints = MusicConstraints()
      constraints.bars = Int(seed % 3) * 8
      constraints.key = Int32(seed % 25)
      try session.set(constraints)
      try session.feed(tokens)
      return session
    }
    let alone = try (0..<5).map { try begin($0).draw(80) }
    let sessions = try (0..<5).map { try begin($0) }
    try sessions[0].reserve(5)
    var together = [[Int32]](repeating: [], count: 5)
    for _ in 0..<80 {
      try Session.next(count: 5, session: { sessions[$0] }) { i, token, _ in
        together[i].append(token)
      }
    }
    #expect(together == alone)

    let one = try begin(3)
    let start = try one.draw(20)
    var snapshot = [UInt8](repeating: 0, count: one.snapshotSize)
    snapshot.withUnsafeMutableBytes { one.snapshot($0.baseAddress!) }
    let other = try begin(4)
    var constraints = other.constraints
    (constraints.bars, constraints.key) = (0, 3)
    try other.set(constraints)
    try other.restore(snapshot)
    #expect(start + (try other.draw(60)) == alone[3])
  }

  /// Bars come round in one go no more often than in the material, and once more.
  @Test func barsDoNotComeRoundForEver() throws {
    let model = Self.model
    #expect(model.facts[Model.barRoundsFact] == String(model.barRounds))
    #expect((1...3).contains(model.barRounds))
    // The first bar of a tune, again and again.
    let piece = try piece(model)
    let lines = piece.indices.filter { model.encoding.beginsBar(piece[$0]) }
    let bar = Array(piece[lines[0] + 1...lines[1]])
    /// How often of 60 draws the bar goes on for one round more, where one other token would do.
    func goesOn(rounds: Int, _ strength: Float) throws -> Int {
      var allowed = (bar[0], piece[lines[1] + 1] == bar[0] ? bar[1] : piece[lines[1] + 1])
      return try (0..<60).reduce(0) { sum, seed in
        let session = try Session(model, seed: UInt64(seed))
        try session.set(memoryStrength: strength)
        session.usesGrammar = false
        try session.feed(Array(piece[...lines[0]]))
        for _ in 0..<rounds { try session.feed(bar) }
        return try withUnsafeMutablePointer(to: &allowed) { tokens in
          session.setMask(
            { user, allowed, count in
              let tokens = user!.assumingMemoryBound(to: (Int32, Int32).self).pointee
              for i in 0..<count where i != Int(tokens.0) && i != Int(tokens.1) { allowed![i] = 0 }
            }, tokens)
          return sum + (try session.next().token == bar[0] ? 1 : 0)
        }
      }
    }
    #expect(try goesOn(rounds: model.barRounds + 1, 1) > 0)
    #expect(try goesOn(rounds: model.barRounds + 3, 1) == 0)
    #expect(try goesOn(rounds: model.barRounds + 3, 0) > 0)
  }

  /// The same run in one go, and resumed in the middle of pieces.
  @Test func aResumedRunIsTheSame() throws {
    let whole = try Self.trainer { $0.steps = 24 }
    _ = try whole.run()
    let first = try Self.trainer { $0.steps = 24 }
    for _ in 0..<7 { _ = try first.step() }
    let folder = try Folder()
    try first.save(checkpoint: folder("c"))
    let second = try Trainer(resume: folder("c"))
    for name in Self.names { try second.add(midi: "\(Self.tunes)/\(name).mid") }
    _ = try second.run()
    #expect(try second.model().fingerprint == whole.model().fingerprint)
  }

  @Test func filesWithOtherSideInputsAreRefused() throws {
    let file = try ModelFile(Self.model)
    let sides = "\"sides\":\"\(Self.model.sides.text)\""
    for (old, new) in [
      ("bars_to_go=34", "bars_to_go=35"), ("phrase=9", "phase=9"), ("key=25", "key=25,key=25"),
      ("key=25", "key"),
    ] {
      let bytes = file.replacing(
        sides, sides.replacingOccurrences(of: old, with: new)
      ).bytes
      refusal(.unsupported, "has the side input") {
        _ = try bytes.withUnsafeBytes { try Model(bytes: $0, name: "it") }
      }
    }
    let bytes = file.replacing("side.key.weight", "side.kei.weight").bytes
    refusal(.format, "\"side.key.weight\" is missing") {
      _ = try bytes.withUnsafeBytes { try Model(bytes: $0, name: "it") }
    }
  }
}
