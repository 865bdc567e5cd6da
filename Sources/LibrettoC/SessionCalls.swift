import CLibretto
import Libretto

/// What a `retto_session` points to.
final class SessionHandle: GuardedHandle {
  let session: Session

  /// That of the last call that wanted one.
  private var search: BeamSearch?

  init(_ session: Session) { self.session = session }

  /// A search of this width over the session's model.
  func beam(width: Int) throws(LibrettoError) -> BeamSearch {
    if let search, search.width == width, search.isFor(session) { return search }
    let made = try BeamSearch(session.model, width: width)
    search = made
    return made
  }
}

/// Runs a body on the session of a handle. Nothing is retained: that would cost more than a setter.
@inline(__always)
func withSession(
  _ handle: OpaquePointer?, _ body: (Session) throws(LibrettoError) -> Void
) -> retto_status {
  withSessionHandle(handle) { (handle) throws(LibrettoError) in try body(handle.session) }
}

@inline(__always)
func withSessionHandle(
  _ handle: OpaquePointer?, _ body: (SessionHandle) throws(LibrettoError) -> Void
) -> retto_status {
  guard let handle else { return call { () throws(LibrettoError) in throw missing("the session") } }
  let reference = Unmanaged<SessionHandle>.fromOpaque(UnsafeRawPointer(handle))
  return reference._withUnsafeGuaranteedRef { handle in
    call { () throws(LibrettoError) in
      try handle.gate.enter("this session")
      defer { handle.gate.leave() }
      try body(handle)
    }
  }
}

/// Changes one setting.
@inline(__always)
private func set(_ handle: OpaquePointer?, _ change: (inout SamplerSettings) -> Void)
  -> retto_status
{
  withSession(handle) { (session) throws(LibrettoError) in
    var settings = session.settings
    change(&settings)
    try session.set(settings)
  }
}

@c @implementation public func retto_session_create(
  _ model: OpaquePointer!, _ options: UnsafePointer<retto_session_options>!,
  _ session: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(session, "the pointer for the session") { () throws(LibrettoError) in
    let options = try structure(options, "the session's options")
    try checkReserved(options.reserved, "the session's options")
    var settings = SamplerSettings()
    settings.temperature = options.temperature
    settings.topK = Int(options.top_k)
    settings.topP = options.top_p
    settings.minP = options.min_p
    settings.repetitionPenalty = options.repetition_penalty
    settings.repetitionWindow = Int(options.repetition_window)
    var made: SessionHandle?
    try withModel(model) { (handle) throws(LibrettoError) in
      made = SessionHandle(
        try Session(handle.model, seed: options.seed, settings: settings))
    }
    made!.session.usesGrammar = options.grammar != 0
    return made!
  }
}

extension retto_session_options {
  init(_ settings: SamplerSettings, seed: UInt64, usesGrammar: Bool) {
    self.init(
      size: MemoryLayout<Self>.size, seed: seed, temperature: settings.temperature,
      top_k: Int32(settings.topK), top_p: settings.topP, min_p: settings.minP,
      repetition_penalty: settings.repetitionPenalty,
      repetition_window: Int32(settings.repetitionWindow), grammar: usesGrammar ? 1 : 0,
      reserved: 0)
  }
}

@c @implementation public func retto_session_get_options(
  _ session: OpaquePointer!, _ options: UnsafeMutablePointer<retto_session_options>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try write(
      retto_session_options(
        session.settings, seed: session.seed, usesGrammar: session.usesGrammar),
      to: try require(options, "the options"), "the options")
  }
}

@c @implementation public func retto_session_free(_ session: OpaquePointer!) {
  release(session, "this session")
}

@c @implementation public func retto_session_reset(_ session: OpaquePointer!, _ seed: UInt64)
  -> retto_status
{
  withSession(session) { $0.reset(seed: seed) }
}

@c @implementation public func retto_session_feed(
  _ session: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ count: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.feed(try array(tokens, count, "the tokens"))
  }
}

@c @implementation public func retto_session_feed_text(
  _ session: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.feed(text: try bytes(text, length, "the text"))
  }
}

@c @implementation public func retto_session_next(
  _ session: OpaquePointer!, _ token: UnsafeMutablePointer<Int32>!,
  _ log_probability: UnsafeMutablePointer<Float>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let next = try session.next()
    if let token { token.pointee = next.token }
    if let log_probability { log_probability.pointee = next.logProbability }
  }
}

@c @implementation public func retto_session_next_text(
  _ session: OpaquePointer!, _ text: UnsafeMutablePointer<CChar>!, _ capacity: Int,
  _ length: UnsafeMutablePointer<Int>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let text: UnsafeMutablePointer<CChar>? = text
    guard
      try hasRoom(for: Int(RETTO_TEXT_SIZE), text, capacity, length, "the buffer for text"),
      let text
    else { return }
    length?.pointee = 0
    let count = try text.withMemoryRebound(to: UInt8.self, capacity: Int(RETTO_TEXT_SIZE)) {
      (bytes) throws(LibrettoError) in try session.nextText(bytes)
    }
    text[count] = 0
    if let length { length.pointee = count }
  }
}

@c @implementation public func retto_session_log_probabilities(
  _ session: OpaquePointer!, _ log_probabilities: UnsafeMutablePointer<Float>!, _ capacity: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let result = try require(log_probabilities, "the buffer for log-probabilities")
    let needed = session.model.shape.vocabulary
    guard try hasRoom(for: needed, result, capacity, nil, "the buffer for log-probabilities") else {
      return
    }
    session.logProbabilities(result)
  }
}

@c @implementation public func retto_sessions_next(
  _ sessions: UnsafePointer<OpaquePointer?>!, _ count: Int, _ tokens: UnsafeMutablePointer<Int32>!,
  _ log_probabilities: UnsafeMutablePointer<Float>!
) -> retto_status {
  call { () throws(LibrettoError) in
    let handles = try array(sessions, count, "the list of sessions")
    guard count > 0 else { return }
    let tokens = try require(tokens, "the buffer for tokens")
    func handle(_ i: Int) -> Unmanaged<SessionHandle> {
      .fromOpaque(UnsafeRawPointer(handles[i]!))
    }
    for i in 0..<count where handles[i] == nil { throw missing("session \(i)") }
    var entered = 0
    defer { for i in 0..<entered { handle(i)._withUnsafeGuaranteedRef { $0.gate.leave() } } }
    for i in 0..<count {
      // A session that is in the list twice is told from one that another thread is using.
      let gate = handle(i)._withUnsafeGuaranteedRef { $0.gate }
      if gate.isMine, let j = (0..<i).first(where: { handles[$0] == handles[i] }) {
        throw LibrettoError(.argument, "sessions \(j) and \(i) of the list are the same one")
      }
      try gate.enter("a session of the list")
      entered += 1
    }
    let logProbabilities: UnsafeMutablePointer<Float>? = log_probabilities
    try Session.next(count: count, session: { handle($0)._withUnsafeGuaranteedRef { $0.session } })
    { i, token, logProbability in
      tokens[i] = token
      logProbabilities?[i] = logProbability
    }
  }
}

@c @implementation public func retto_session_reserve(_ session: OpaquePointer!, _ count: Int)
  -> retto_status
{
  withSession(session) { (session) throws(LibrettoError) in
    guard count >= 1, count <= 65536 else {
      throw LibrettoError(
        .argument, "the count is \(UInt(bitPattern: count)); it must be from 1 to 65536")
    }
    try session.reserve(count)
  }
}

@c @implementation public func retto_session_set_temperature(
  _ session: OpaquePointer!, _ temperature: Float
) -> retto_status {
  set(session) { $0.temperature = temperature }
}

@c @implementation public func retto_session_set_top_k(_ session: OpaquePointer!, _ top_k: Int32)
  -> retto_status
{
  set(session) { $0.topK = Int(top_k) }
}

@c @implementation public func retto_session_set_top_p(_ session: OpaquePointer!, _ top_p: Float)
  -> retto_status
{
  set(session) { $0.topP = top_p }
}

@c @implementation public func retto_session_set_min_p(_ session: OpaquePointer!, _ min_p: Float)
  -> retto_status
{
  set(session) { $0.minP = min_p }
}

@c @implementation public func retto_session_set_repetition(
  _ session: OpaquePointer!, _ penalty: Float, _ window: Int32
) -> retto_status {
  set(session) {
    $0.repetitionPenalty = penalty
    $0.repetitionWindow = Int(window)
  }
}

@c @implementation public func retto_session_set_grammar(
  _ session: OpaquePointer!, _ enabled: Int32
) -> retto_status {
  withSession(session) { $0.usesGrammar = enabled != 0 }
}

@c @implementation public func retto_session_set_mask(
  _ session: OpaquePointer!, _ mask: retto_mask!, _ user: UnsafeMutableRawPointer!
) -> retto_status {
  let function: retto_mask? = mask
  return withSession(session) { $0.setMask(function, user) }
}

@c @implementation public func retto_session_set_memory(
  _ session: OpaquePointer!, _ strength: Float
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.set(memoryStrength: strength)
  }
}

@c @implementation public func retto_session_snapshot(
  _ session: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let buffer: UnsafeMutableRawPointer? = buffer
    guard
      try hasRoom(for: session.snapshotSize, buffer, capacity, size, "the buffer for a snapshot"),
      let buffer
    else { return }
    session.snapshot(buffer)
  }
}

@c @implementation public func retto_session_restore(
  _ session: OpaquePointer!, _ buffer: UnsafeRawPointer!, _ size: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.restore(try bytes(try require(buffer, "the snapshot"), size, "the snapshot"))
  }
}

@c @implementation public func retto_session_set_model(
  _ session: OpaquePointer!, _ model: OpaquePointer!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in try session.set(model: handle.model) }
  }
}

@c @implementation public func retto_session_take_tokens(
  _ session: OpaquePointer!, _ tokens: UnsafeMutablePointer<Int32>!,
  _ fed: UnsafeMutablePointer<UInt8>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    let count = try require(count, "the pointer for the number of tokens")
    try checkCount(capacity, "the buffer for tokens")
    count.pointee = 0
    guard capacity > 0 else { return }
    let tokens = try require(tokens, "the buffer for tokens")
    count.pointee = session.journal.take(capacity, tokens, fed)
  }
}
