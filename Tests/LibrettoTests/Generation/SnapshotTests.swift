import GRU
import Sequences
import Testing

@testable import Libretto

@Suite struct SnapshotTests {
  private let model: Model

  init() throws {
    model = try makeModel(try CharactersEncoding(alphabet: ["é", "🎵", "日"]))
  }

  private func makeSession(_ seed: UInt64 = 1) throws -> Session {
    var settings = SamplerSettings()
    settings.repetitionPenalty = 1.5
    return try Session(model, seed: seed, settings: settings)
  }

  /// What a session does from here on.
  private func future(_ session: Session) throws -> [Int32] {
    let first = try session.draw(6)
    try session.feed("ü")
    return try first + session.draw(6)
  }

  /// Does some things to a session and takes a snapshot after each.
  @Test func itGoesOnFromEveryPoint() throws {
    let session = try makeSession()
    var incomplete = 0
    let acts: [(Session) throws -> Void] = [
      { _ in }, { _ = $0.distribution }, { _ = try $0.next() }, { _ = $0.distribution },
      { try $0.feed([0xF0]) }, { _ = $0.distribution }, { _ = try $0.next() },
      { try $0.feed("some text") }, { _ = $0.distribution }, { try $0.feed([256, 258]) },
      { _ = try $0.draw(300) }, { _ = $0.distribution }, { try $0.feed([0xE2, 0x82]) },
      { $0.reset(seed: 7) }, { try $0.feed("x") }, { $0.reset(seed: 7) },
    ]
    for (i, act) in acts.enumerated() {
      try act(session)
      if !session.isComplete { incomplete += 1 }
      let snapshot = session.snapshot
      let same = session.snapshot == snapshot
      #expect(same, "after act \(i)")
      let wasComplete = session.isComplete
      let wanted = try future(session)
      // Into the session it was taken of, a fresh one, and one that was in the middle of something.
      let fresh = try makeSession(99)
      let busy = try makeSession(98)
      try busy.feed([0x41, 0xF4])
      _ = try busy.draw(3)
      for other in [session, fresh, busy] {
        try other.restore(snapshot)
        #expect(other.isComplete == wasComplete, "after act \(i)")
        let same = other.snapshot == snapshot
        #expect(same, "after act \(i)")
        #expect(try future(other) == wanted, "after act \(i)")
      }
      try session.restore(snapshot)
    }
    #expect(incomplete >= 3)
  }

  @Test func afterManyAtOnce() throws {
    let sessions = [try makeSession(1), try makeSession(2)]
    try sessions[0].reserve(2)
    for _ in 0..<4 {
      try Session.next(count: 2, session: { sessions[$0] }) { _, _, _ in }
      let snapshot = sessions[1].snapshot
      let wanted = try future(sessions[1])
      try sessions[1].restore(snapshot)
      #expect(try future(sessions[1]) == wanted)
      try sessions[1].restore(snapshot)
    }
  }

  @Test func itCanBeRestoredIntoACopyOfTheModel() throws {
    let session = try makeSession()
    try session.feed("text")
    let snapshot = session.snapshot
    let copy = try Model(ModelFile(model).bytes)
    let other = try Session(copy, seed: 5, settings: session.settings)
    try other.restore(snapshot)
    #expect(try future(other) == future(session))
  }

  @Test func settingsAndMaskStay() throws {
    let session = try makeSession()
    let snapshot = session.snapshot
    let other = try Session(model)
    other.setMask({ _, allowed, n in for i in 0..<n where i != 66 { allowed![i] = 0 } }, nil)
    try other.restore(snapshot)
    #expect(other.settings == SamplerSettings())
    #expect(try other.draw(5) == [66, 66, 66, 66, 66])
  }

  /// Every refusal leaves the session as it was.
  private func refuse(
    _ bytes: [UInt8], _ words: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let session = try makeSession(3)
    try session.feed([0x42, 0xE2])
    let before = session.snapshot
    refusal(.format, words, at: location) { try session.restore(bytes) }
    let same = session.snapshot == before
    #expect(same, sourceLocation: location)
    #expect(!session.isComplete, sourceLocation: location)
  }

  @Test func bytesThatAreNoSnapshot() throws {
    let session = try makeSession()
    let snapshot = session.snapshot
    #expect(snapshot.count == session.snapshotSize)
    try refuse([], "not a snapshot")
    try refuse(Array(snapshot.dropLast()), "these are \(snapshot.count - 1)")
    try refuse(snapshot + [0], "these are \(snapshot.count + 1)")
    try refuse([UInt8](repeating: 0, count: snapshot.count), "not a snapshot")
    try refuse([UInt8](repeating: 0xFF, count: snapshot.count), "not a snapshot")
    let other = try makeModel(model.encoding, seed: 2)
    try refuse(try Session(other).snapshot, "another model")
  }

  /// The bytes with the checksum they should have.
  private func signed(_ bytes: [UInt8]) -> [UInt8] {
    var hash = Hash()
    bytes.withUnsafeBytes { for i in 0..<bytes.count / 8 - 1 { hash.add($0.baseAddress!.word(i)) } }
    return bytes.dropLast(8) + withUnsafeBytes(of: hash.value.littleEndian) { Array($0) }
  }

  @Test func everyByteIsChecked() throws {
    let session = try makeSession()
    try session.feed("abc")
    let whole = session.snapshot
    for i in whole.indices {
      for bit in [1, 0x80, 0xFF] as [UInt8] {
        var bytes = whole
        bytes[i] ^= bit
        let changed = bytes
        refusal(.format, "snapshot") { try session.restore(changed) }
      }
    }
    try session.restore(whole)
  }

  @Test func newerVersionsAreToldFromDamage() throws {
    let session = try makeSession()
    var bytes = session.snapshot
    bytes[8] = 2
    let newer = signed(bytes)
    refusal(.unsupported, "version 2") { try session.restore(newer) }
  }

  /// A model has the same fingerprint however it came to be, and another one if a number differs.
  @Test func fingerprints() throws {
    for precision in Precision.allCases {
      let rounded = try model.quantized(to: precision)
      let loaded = try Model(ModelFile(rounded).bytes)
      #expect(loaded.fingerprint == rounded.fingerprint)
      #expect((rounded.fingerprint == model.fingerprint) == (precision == .float32))
    }
  }

  @Test func damagedSnapshots() throws {
    let session = try makeSession()
    try session.feed("abc")
    let whole = session.snapshot
    func with(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
      var result = whole
      result.replaceSubrange(offset..<offset + bytes.count, with: bytes)
      return signed(result)
    }
    func word(_ x: Int64) -> [UInt8] { withUnsafeBytes(of: x.littleEndian) { Array($0) } }
    func half(_ x: Int32) -> [UInt8] { withUnsafeBytes(of: x.littleEndian) { Array($0) } }
    let shape = model.shape
    let sequence = 1096 + 4 * (shape.layers * shape.hidden + shape.vocabulary)
    for bytes in [
      with(24, [UInt8](repeating: 0, count: 32)),  // a generator that cannot be
      // The token that is pending.
      with(56, half(-2)), with(56, half(259)), with(56, half(.max)), with(56, half(.min)),
      with(64, word(-1)), with(64, word(4)),  // more recent tokens than there are
      with(60, half(2)), with(60, half(-1)),  // a flag that is neither
      with(60, half(1)),  // the logits known, and a token not yet read
      with(72, [0x03, 1, 0, 0]), with(72, [0xFF, 0xFF, 0xFF, 0xFF]), with(72 + 4, [0, 0, 0, 0x80]),
      with(72 + 4 * 255, [0x03, 1, 0, 0]),  // recent tokens that are none
      with(1096, [0, 0, 0xC0, 0x7F]), with(1096, [0, 0, 0x80, 0xFF]),  // states
      with(sequence - 4, [0, 0, 0x80, 0x7F]),  // logits
      with(sequence, [4, 0x80, 0xBF]), with(sequence, [0, 0x80, 0xBF]),  // the grammar's
      with(sequence, [1, 0x90, 0x8F]), with(sequence, [1, 0, 0xFF]),
    ] {
      try refuse(bytes, "damaged")
    }
  }

  @Test func bytesChangedAtRandomAreRefusedOrGoOn() throws {
    let session = try makeSession()
    try session.feed([0x41, 0xF0, 0x9F])
    _ = session.distribution
    let whole = session.snapshot
    var random = RandomSource(seed: 9)
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0..<1 + random.next() % 4 {
        // Not what is checked first, which would refuse everything.
        let at = 24 + Int(random.next() % UInt64(bytes.count - 24))
        bytes[at] = UInt8(truncatingIfNeeded: random.next() >> 8)
      }
      bytes = signed(bytes)
      let other = try makeSession()
      do {
        try other.restore(bytes)
        _ = try? other.draw(3)
        _ = other.distribution
      } catch { #expect((error as? LibrettoError)?.kind == .format) }
    }
  }
}
