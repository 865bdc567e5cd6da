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
    /// `[rows][side inputs]`.
    let sides: GrowableBuffer<Int32>
    /// `[rows]`: see `LabelBlend`.
    let added: GrowableBuffer<UnsafePointer<Float>?>
    let states: GrowableBuffer<UnsafeMutablePointer<Float>>

    init(_ network: Network, rows: Int) throws(LibrettoError) {
      scratch = try Libretto.network { () throws(NetworkError) in
        try Network.Scratch(network, rows: rows)
      }
      do {
        sessions = try GrowableBuffer(capacity: rows)
        tokens = try GrowableBuffer(capacity: rows)
        sides = try GrowableBuffer(capacity: rows * network.shape.sides.count)
        added = try GrowableBuffer(capacity: rows)
        states = try GrowableBuffer(capacity: rows)
      } catch { throw LibrettoError(error) }
    }
  }

  /// Makes room for draws together with others of which this session is the first, `count` in all.
  public func reserve(_ count: Int) throws(LibrettoError) {
    guard count > batch?.scratch.rows ?? 0 else { return }
    batch = try Batch(model.network, rows: count)
  }

  /// The next token of each of several sessions over one model. Each gets what `next()` would have
  /// given it, up to rounding. Real-time.
  ///
  /// If the first session has room for as many (see `reserve`), the weights are read once for all of
  /// them; otherwise the sessions read them one after another. No session may be in the list twice.
  /// Where a session's mask allows nothing its token is -1, the others still get theirs, and the call
  /// throws.
  public static func next(
    count: Int, session: (Int) -> Session, result: (Int, Int32, Float) -> Void
  ) throws(LibrettoError) {
    guard count > 0 else { return }
    let first = session(0)
    guard let batch = first.batch, batch.scratch.rows >= count else {
      try check(count, first.model) { .passUnretained(session($0)) }
      return try draw(count, from: nil, { .passUnretained(session($0)) }, result)
    }
    let sessions = batch.sessions.base!
    for i in 0..<count { sessions[i] = .passUnretained(session(i)) }
    try check(count, first.model) { sessions[$0] }
    prepare(count, first.model, batch)
    try draw(count, from: batch, { sessions[$0] }, result)
  }

  /// Steps the sessions of which it is not known what comes next, all at once; the logits stay in the batch.
  private static func prepare(_ count: Int, _ model: Model, _ batch: Batch) {
    let sessions = batch.sessions.base!
    let tokens = batch.tokens.base!
    let states = batch.states.base!
    let told = model.sides.inputs.count
    var rows = 0
    for i in 0..<count {
      sessions[i]._withUnsafeGuaranteedRef {
        $0.finishHearing()
        if $0.knowsNext { return }
        if $0.pending < 0 { $0.begin() }
        $0.forgetDocument()
        tokens[rows] = $0.pending
        states[rows] = $0.state.pointer
        batch.added.base![rows] = $0.labelBlend?.added
        if let values = $0.writeSides() {
          (batch.sides.base! + rows * told).update(from: values, count: told)
        }
        rows += 1
      }
    }
    guard rows > 0 else { return }
    model.network.step(
      rows: rows, tokens: tokens, sides: batch.sides.base.map { UnsafePointer($0) },
      added: batch.added.base, states: states, wantLogits: true, batch.scratch)
  }

  /// Reads what the first of some sessions have not read yet, so that each knows what comes next. The first has room
  /// for all of them.
  static func readOn(_ list: [Session], count: Int) throws(LibrettoError) {
    guard let batch = list[0].batch, batch.scratch.rows >= count else { return }
    for i in 0..<count { batch.sessions.base![i] = .passUnretained(list[i]) }
    prepare(count, list[0].model, batch)
    var row = 0
    for i in 0..<count { list[i].takeLogits(of: batch, row: &row) }
  }

  /// Takes over the logits a step has worked out for a session; `row` is the first one not taken yet.
  private func takeLogits(of batch: Batch, row: inout Int) {
    if knowsNext { return }
    let padded = model.shape.paddedVocabulary
    scratch.logits.pointer.update(from: batch.scratch.logits.pointer + row * padded, count: padded)
    pending = -1
    knowsNext = true
    row += 1
  }

  /// Draws of each session, from the logits of the batch where there is one: each while its logits are in
  /// the cache.
  private static func draw(
    _ count: Int, from batch: Batch?, _ session: (Int) -> Unmanaged<Session>,
    _ result: (Int, Int32, Float) -> Void
  ) throws(LibrettoError) {
    var exhausted = -1
    var row = 0
    for i in 0..<count {
      session(i)._withUnsafeGuaranteedRef { session in
        session.isListed = false
        if let batch { session.takeLogits(of: batch, row: &row) }
        do throws(LibrettoError) {
          let (token, logProbability) = try session.next()
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

  /// Throws if a session has another model, or is in the list twice. Marks the sessions as listed; `draw`
  /// takes the marks away, to save a pass over all of them.
  private static func check(
    _ count: Int, _ model: Model, _ session: (Int) -> Unmanaged<Session>
  ) throws(LibrettoError) {
    var other: Int?
    var twice: Int?
    for i in 0..<count {
      session(i)._withUnsafeGuaranteedRef {
        if $0.model !== model { other = other ?? i }
        if $0.isListed { twice = twice ?? i }
        $0.isListed = true
      }
    }
    if other == nil && twice == nil { return }
    for i in 0..<count { session(i)._withUnsafeGuaranteedRef { $0.isListed = false } }
    if let other {
      throw LibrettoError(.argument, "session \(other) has another model than session 0")
    }
    guard let twice else { return }
    let before = (0..<twice).first {
      session($0).toOpaque() == session(twice).toOpaque()
    }
    throw LibrettoError(.argument, "sessions \(before ?? 0) and \(twice) are the same one")
  }
}
