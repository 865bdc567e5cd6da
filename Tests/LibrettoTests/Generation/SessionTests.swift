import Foundation
import Sequences
import Testing

@testable import Libretto

@Suite struct SessionTests {
  private let model: Model

  init() throws {
    model = try makeModel(try CharactersEncoding(alphabet: ["é", "🎵", "日"]))
  }

  private func begin(_ seed: UInt64 = 1) throws -> Session { try Session(model, seed: seed) }

  private func expectClose(
    _ a: [Float], _ b: [Float], _ location: SourceLocation = #_sourceLocation
  ) {
    let worst = zip(a, b).map { abs($0 - $1) }.max()!
    #expect(a.count == b.count && worst < 1e-4, sourceLocation: location)
  }

  // MARK: - Reading

  @Test func logProbabilitiesSumToOneAndAreThoseOfTheDraws() throws {
    let session = try begin()
    for _ in 0..<30 {
      let logs = session.distribution
      #expect(abs(logs.reduce(0) { $0 + exp(Double($1)) } - 1) < 1e-5)
      #expect(logs.count == 259)
      let (token, logProbability) = try session.next()
      #expect(logProbability == logs[Int(token)])
    }
  }

  @Test func askingChangesNothing() throws {
    let a = try begin()
    let b = try begin()
    for _ in 0..<20 {
      let logs = a.distribution
      #expect(a.distribution == logs)
      #expect(try a.next() == b.next())
    }
  }

  @Test func logProbabilitiesAreThoseOfScoring() throws {
    let text = "Hé, 日本! 🎵 \u{FF}"
    let tokens = (model.encoding as! CharactersEncoding)
    var list: [Int32] = []
    Array(text.utf8).withUnsafeBytes { tokens.encode($0) { list.append($0) } }
    var scores: [Float] = []
    try list.withUnsafeBufferPointer { try model.score($0) { scores.append(Float($2)) } }
    let session = try begin()
    var found: [Float] = []
    for (i, token) in list.enumerated() {
      if i > 0 { found.append(session.distribution[Int(token)]) }
      try session.feed([token])
    }
    expectClose(found, scores)
  }

  @Test func fedOneByOneOrAtOnceOrAsText() throws {
    let text = "Ein Lied für 日本 🎵 und \u{7F}ß"
    var tokens: [Int32] = []
    Array(text.utf8).withUnsafeBytes {
      (model.encoding as! CharactersEncoding).encode($0) { tokens.append($0) }
    }
    let sessions = [try begin(), try begin(), try begin(), try begin()]
    try sessions[0].feed(tokens)
    for token in tokens { try sessions[1].feed([token]) }
    try sessions[2].feed(text)
    // With questions in between.
    for token in tokens {
      try sessions[3].feed([token])
      _ = sessions[3].distribution
    }
    let wanted = sessions[0].distribution
    let draws = try sessions[0].draw(20)
    for session in sessions[1...] {
      #expect(session.distribution == wanted)
      #expect(try session.draw(20) == draws)
    }
  }

  @Test func feedingNothingIsNothing() throws {
    let a = try begin()
    let b = try begin()
    try a.feed([])
    try a.feed("")
    try a.feed(text: UnsafeRawBufferPointer(start: nil, count: 0))
    #expect(a.distribution == b.distribution)
  }

  @Test func whatWasFedNothingReadsTheStartToken() throws {
    let fresh = try begin()
    let fed = try begin()
    try fed.feed([model.encoding.startToken])
    let same = fresh.distribution == fed.distribution
    #expect(same)
    let other = try begin()
    try other.feed("x")
    #expect(other.distribution != fresh.distribution)
  }

  @Test func whatIsDrawnIsReadAsIfItWereFed() throws {
    let a = try begin()
    try a.feed("Th")
    let drawn = try a.draw(15)
    let b = try begin(99)
    try b.feed("Th")
    try b.feed(drawn)
    #expect(a.distribution == b.distribution)
  }

  @Test func resetStartsAgain() throws {
    let a = try begin(3)
    let first = try a.draw(30)
    a.reset(seed: 3)
    #expect(try a.draw(30) == first)
    a.reset(seed: 4)
    #expect(try a.draw(30) != first)
    // In the middle of a character, with a penalty's memory and settings that stay.
    try a.set(penalty)
    a.reset(seed: 3)
    let penalised = try a.draw(30)
    try a.feed([0xF0])
    #expect(!a.isComplete)
    a.reset(seed: 3)
    #expect(a.isComplete)
    #expect(a.settings == penalty)
    #expect(try a.draw(30) == penalised)
    #expect(penalised != first)
  }

  private var penalty: SamplerSettings {
    var settings = SamplerSettings()
    settings.repetitionPenalty = 3
    settings.repetitionWindow = 10
    return settings
  }

  @Test func badTokensAndSettingsChangeNothing() throws {
    let a = try begin()
    let b = try begin()
    refusal(.argument, "token 1 is 259", "from 0 to 258") { try a.feed([65, 259]) }
    refusal(.argument, "token 0 is -1") { try a.feed([-1]) }
    var hot = SamplerSettings()
    hot.temperature = 1000
    refusal(.argument, "temperature is 1000") { try a.set(hot) }
    #expect(a.settings == SamplerSettings())
    refusal(.argument, "temperature is 1000") { _ = try Session(model, settings: hot) }
    #expect(try a.draw(10) == b.draw(10))
  }

  // MARK: - Sampling

  @Test func theGrammarKeepsTextWellFormed() throws {
    let session = try begin(5)
    var tokens = try session.draw(400)
    while !session.isComplete { tokens.append(try session.next().token) }
    let encoding = model.encoding as! CharactersEncoding
    let bytes = tokens.flatMap { token in
      (0..<encoding.byteCount(of: token)).map { encoding.byte($0, of: token) }
    }
    #expect(String(validating: bytes, as: UTF8.self) != nil)
    #expect(bytes.contains { $0 >= 0x80 })
    // Without it, it is not.
    session.usesGrammar = false
    let free = try session.draw(400).map { UInt8(truncatingIfNeeded: min($0, 255)) }
    #expect(String(validating: free, as: UTF8.self) == nil)
  }

  @Test func textComesCharacterByCharacter() throws {
    let tokens = try begin(6)
    let text = try begin(6)
    let encoding = model.encoding as! CharactersEncoding
    var buffer = [UInt8](repeating: 0, count: 4)
    var lengths = Set<Int>()
    for _ in 0..<300 {
      let count = try buffer.withUnsafeMutableBufferPointer { try text.nextText($0.baseAddress!) }
      let bytes = Array(buffer[..<count])
      lengths.insert(count)
      let character = try #require(String(validating: bytes, as: UTF8.self))
      #expect(character.unicodeScalars.count == 1)
      #expect(text.isComplete)
      // It takes the tokens that `next` would have given.
      var drawn: [UInt8] = []
      repeat {
        encoding.forEachByte(of: try tokens.next().token) { drawn.append($0) }
      } while !tokens.isComplete
      #expect(drawn == bytes)
    }
    #expect(lengths == [1, 2, 3, 4])
  }

  @Test func withoutTheGrammarTextComesTokenByToken() throws {
    let session = try begin(7)
    session.usesGrammar = false
    var buffer = [UInt8](repeating: 0, count: 4)
    for _ in 0..<200 {
      let count = try buffer.withUnsafeMutableBufferPointer {
        try session.nextText($0.baseAddress!)
      }
      #expect(count == 1 || String(validating: buffer[..<count], as: UTF8.self) != nil)
    }
  }

  @Test func theLogProbabilityIsTheModelsWhateverTheSettings() throws {
    let session = try begin()
    var settings = SamplerSettings()
    settings.temperature = 0.2
    settings.topK = 5
    try session.set(settings)
    session.usesGrammar = false
    for _ in 0..<20 {
      let logs = session.distribution
      let (token, logProbability) = try session.next()
      #expect(logProbability == logs[Int(token)])
      #expect(logs.filter { $0 > logProbability }.count < 5)
    }
  }

  @Test func theMaskDecides() throws {
    let session = try begin()
    var asked = (calls: 0, size: 0)
    try withUnsafeMutablePointer(to: &asked) { pointer in
      session.setMask(
        { user, allowed, count in
          let asked = user!.assumingMemoryBound(to: (calls: Int, size: Int).self)
          asked.pointee = (asked.pointee.calls + 1, count)
          for i in 0..<count where i != 0x41 && i != 0x80 && i != 257 { allowed![i] = 0 }
        }, pointer)
      let drawn = try session.draw(60)
      // The byte 0x80 cannot begin a character: the mask does not bring it back.
      #expect(Set(drawn) == [0x41, 257])
      #expect(pointer.pointee.calls == 60 && pointer.pointee.size == 259)
    }
    session.setMask(nil, nil)
    #expect(Set(try session.draw(60)).count > 5)
  }

  @Test func theMaskSeesTheGrammar() throws {
    let session = try begin()
    try session.feed([0xF0])
    session.setMask(
      { _, allowed, count in
        for i in 0..<count {
          precondition(allowed![i] == ((0x90...0xBF).contains(i) ? 1 : 0))
          // To allow what the grammar does not is not possible.
          allowed![i] = allowed![i] == 1 && i != 0x95 ? 0 : 1
        }
      }, nil)
    #expect(try session.next().token == 0x95)
  }

  @Test func aMaskThatAllowsNothingIsAnErrorAndNothingIsDrawn() throws {
    let session = try begin(8)
    let other = try begin(8)
    session.setMask({ _, allowed, count in allowed!.update(repeating: 0, count: count) }, nil)
    for _ in 0..<3 { refusal(.exhausted, "allow at least one") { _ = try session.next() } }
    session.setMask(nil, nil)
    #expect(try session.draw(10) == other.draw(10))
  }

  // MARK: - Many at once

  @Test(arguments: [1, 2, 3, 7, 16], [true, false])
  func manyAtOnceAreAsEachAlone(count: Int, hasRoom: Bool) throws {
    let together = try (0..<count).map { try begin(UInt64($0)) }
    if hasRoom { try together[0].reserve(count) }
    let alone = try (0..<count).map { try begin(UInt64($0)) }
    for sessions in [together, alone] {
      for (i, session) in sessions.enumerated() {
        if i % 3 == 1 { try session.feed("text \(i)") }
        if i % 3 == 2 { _ = session.distribution }
      }
    }
    for round in 0..<25 {
      // Some already know what comes next.
      if round % 4 == 1 { _ = together[round % count].distribution }
      var results: [(Int, Int32, Float)] = []
      try Session.next(count: count, session: { together[$0] }) { results.append(($0, $1, $2)) }
      #expect(results.map(\.0) == Array(0..<count))
      for (i, token, logProbability) in results {
        let (wanted, wantedLog) = try alone[i].next()
        #expect(token == wanted)
        #expect(abs(logProbability - wantedLog) < 1e-4)
      }
    }
    for i in 0..<count { expectClose(together[i].distribution, alone[i].distribution) }
  }

  @Test func aListThatGrowsAndShrinks() throws {
    let together = try (0..<9).map { try begin(UInt64($0)) }
    try together[0].reserve(4)
    let alone = try (0..<9).map { try begin(UInt64($0)) }
    for count in [1, 4, 9, 2, 0, 9, 3] {
      try Session.next(count: count, session: { together[$0] }) { i, token, _ in
        #expect((try? alone[i].next().token) == token)
      }
    }
  }

  @Test func sessionsThatDoNotGoTogether() throws {
    let other = try Session(try makeModel())
    let mine = [try begin(), try begin()]
    refusal(.argument, "session 1 has another model") {
      try Session.next(count: 2, session: { [mine[0], other][$0] }) { _, _, _ in
        Issue.record("nothing is drawn")
      }
    }
    refusal(.argument, "sessions 0 and 2 are the same") {
      try Session.next(count: 3, session: { [mine[0], mine[1], mine[0]][$0] }) { _, _, _ in
        Issue.record("nothing is drawn")
      }
    }
    #expect(try mine[0].draw(5) == begin().draw(5))
  }

  @Test func oneThatIsExhaustedDoesNotStopTheOthers() throws {
    func beginFed(_ seed: UInt64) throws -> Session {
      let session = try begin(seed)
      try session.feed("ab")
      return session
    }
    let sessions = try (0..<3).map { try beginFed(UInt64($0)) }
    try sessions[0].reserve(3)
    sessions[1].setMask({ _, allowed, count in allowed!.update(repeating: 0, count: count) }, nil)
    var tokens: [Int32] = []
    refusal(.exhausted, "session 1: ") {
      try Session.next(count: 3, session: { sessions[$0] }) { _, token, _ in tokens.append(token) }
    }
    let wanted = try (0..<3).map { try beginFed(UInt64($0)).next().token }
    #expect(tokens == [wanted[0], -1, wanted[2]])
    sessions[1].setMask(nil, nil)
    // It stands where it stood: what is fed follows on what was there before.
    let snapshot = sessions[1].snapshot
    try sessions[1].feed("é")
    let other = try beginFed(1)
    _ = other.distribution
    try other.feed("é")
    expectClose(sessions[1].distribution, other.distribution)
    try sessions[1].restore(snapshot)
    #expect(try sessions[1].next().token == wanted[1])
  }

  // MARK: - Sharing

  @Test func oneModelServesManyThreads() async throws {
    let wanted = try (0..<8).map { try begin(UInt64($0)).draw(60) }
    let model = model
    try await withThrowingTaskGroup(of: (Int, [Int32]).self) { group in
      for i in 0..<8 {
        group.addTask { (i, try Session(model, seed: UInt64(i)).draw(60)) }
      }
      for try await (i, tokens) in group { #expect(tokens == wanted[i]) }
    }
  }
}
