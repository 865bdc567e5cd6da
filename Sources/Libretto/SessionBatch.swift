import GRU
import Memory

// Several sessions over one model at a time.

extension Session {
  /// What a step of many sessions at once needs.
  final class Batch {
    let scratch: Network.Scratch
    /// Not retained: counting references of many sessions costs more than drawing their tokens.
    let sessions: GrowableBuffer<Unmanaged<Session>>
    let tokens: GrowableBuffer<Int32>
    let states: GrowableBuffer<UnsafeMutablePointer<Float>>

    init(_ network: Network, rows: Int) throws(LibrettoError) {
      scratch = try Libretto.network { () throws(NetworkError) in
        try Network.Scratch(network, rows: rows)
      }
      do {
        sessions = try GrowableBuffer(capacity: rows)
        tokens = try GrowableBuffer(capacity: rows)
        states = try GrowableBuffer(capacity: rows)
      } catch { throw LibrettoError(error) }
    }
  }

  /// Makes room for draws together with others of which this session is the first, `count` in all.
  public func reserve(_ count: Int) throws(LibrettoError) {
    guard count > batch?.scratch.rows ?? 0 else { return }
    batch = try Batch(model.network, rows: count)
  }

  /// The next token of each of several sessions over one model, which reads its weights once for
  /// all of them. Each gets what `next()` would have given it, up to rounding.
  ///
  /// Real-time if the first session has room for as many: see `reserve`; makes room otherwise. No session may be in the list twice. Where a session's mask allows nothing
  /// its token is -1, the others still get theirs, and the call throws.
  public static func next(
    count: Int, session: (Int) -> Session, result: (Int, Int32, Float) -> Void
  ) throws(LibrettoError) {
    guard count > 0 else { return }
    let first = session(0)
    let model = first.model
    try first.reserve(count)
    let batch = first.batch!
    let sessions = batch.sessions.base!
    let tokens = batch.tokens.base!
    let states = batch.states.base!
    for i in 0..<count { sessions[i] = .passUnretained(session(i)) }
    try check(sessions, count, model)
    var rows = 0
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef {
        $0.finishHearing()
        if $0.knowsNext { return }
        if $0.pending < 0 { $0.begin() }
        $0.forgetDocument()
        tokens[rows] = $0.pending
        states[rows] = $0.state.pointer
        rows += 1
      }
    }
    if rows > 0 {
      model.network.step(
        rows: rows, tokens: tokens, states: states, wantLogits: true, batch.scratch)
    }
    let padded = model.shape.paddedVocabulary
    var row = 0
    var exhausted = -1
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef { session in
        let logits = session.scratch.logits.pointer
        if !session.knowsNext {
          logits.update(from: batch.scratch.logits.pointer + row * padded, count: padded)
          session.pending = -1
          session.knowsNext = true
          row += 1
        }
        do throws(LibrettoError) {
          let (token, logProbability) = try session.draw(logits)
          session.music?.skipEvents()
          result(i, token, logProbability)
        } catch {
          if exhausted < 0 { exhausted = i }
          result(i, -1, 0)
        }
      }
    }
    if exhausted >= 0 {
      throw LibrettoError(.exhausted, "session \(exhausted): \(Self.nothingIsAllowed)")
    }
  }

  /// Throws if a session has another model, or is in the list twice.
  private static func check(
    _ sessions: UnsafePointer<Unmanaged<Session>>, _ count: Int, _ model: Model
  ) throws(LibrettoError) {
    var other: Int?
    var twice: Int?
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef {
        if $0.model !== model { other = other ?? i }
        if $0.isListed { twice = twice ?? i }
        $0.isListed = true
      }
    }
    for i in 0..<count { sessions[i]._withUnsafeGuaranteedRef { $0.isListed = false } }
    if let other {
      throw LibrettoError(.argument, "session \(other) has another model than session 0")
    }
    guard let twice else { return }
    let before = (0..<twice).first {
      sessions[$0].toOpaque() == sessions[twice].toOpaque()
    }
    throw LibrettoError(.argument, "sessions \(before ?? 0) and \(twice) are the same one")
  }
}
