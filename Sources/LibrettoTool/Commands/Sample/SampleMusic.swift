import Libretto
import Sequences

/// Music that a model made, and what was asked for.
struct MusicSample {
  private let isOnGrid: Bool
  let file: MIDIFile

  /// What is asked for at most if the model is to end the piece.
  private static let mostBars = 1000
  private static let mostSeconds = 3600.0

  init(
    _ encoding: any MusicEncoding, _ options: MusicOptions, _ primer: Primer?, _ plan: PartsPlan?,
    _ session: Session
  ) throws {
    isOnGrid = encoding.hasBars
    var constraints = try options.constraints(for: encoding)
    let tokens = primer?.tokens ?? [encoding.startToken]
    // The primer is read as the beginning of the piece it will be.
    let told = plan?.tokens.isEmpty == false ? plan!.tokens : tokens
    let facts = told.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
    if constraints.key == 0 { constraints.key = facts.key }
    var bars = options.bars
    if let plan, plan.givenCount > 0 {
      bars = bars ?? Int(facts.bars)
      if constraints.numerator == 0,
        let signature = encoding.decode(plan.tokens).timeSignatures.first
      {
        (constraints.numerator, constraints.denominator) = (
          signature.numerator, signature.denominator
        )
      }
    }
    if isOnGrid { constraints.bars = bars ?? Int(facts.bars) + 16 }
    try plan?.want(of: session)
    // Whatever the model cannot keep to, it is the command line that is wrong.
    do throws(LibrettoError) { try session.set(constraints) } catch {
      throw Failure(error.message, code: 64)
    }
    try orFail { () throws(LibrettoError) in
      try tokens.withUnsafeBufferPointer { (b) throws(LibrettoError) in try session.feed(b) }
    }
    let timing = MusicTiming(
      encoding, tempo: options.tempo ?? plan?.character?.tempo, primer: primer)
    var recorder = try MusicRecorder(
      encoding, timing, program: options.program ?? primer?.character.program ?? 0,
      key: options.keySignature ?? primer?.keySignature ?? plan?.keySignature, primer: primer,
      plan: plan)
    for token in tokens { recorder.take(token) }
    if isOnGrid {
      try Self.play(session, constraints, bars: bars, plan, &recorder)
    } else {
      try Self.perform(session, constraints, seconds: options.seconds, timing, &recorder)
    }
    file = recorder.file
  }

  /// Draws tokens up to the end of the last bar.
  private static func play(
    _ session: Session, _ constraints: MusicConstraints, bars: Int?, _ plan: PartsPlan?,
    _ recorder: inout MusicRecorder
  ) throws {
    var constraints = constraints
    constraints.bars = bars ?? session.bars + 16
    constraints.ending = .barLine
    guard bars == 0 || session.bars < constraints.bars else {
      throw Failure(
        "the primer has \(session.bars) bars; ask for more than that with --bars", code: 64)
    }
    let most = session.bars + mostBars
    var nextNote = 0
    // Far enough ahead for what sounds in a step, and few enough for a session.
    let ahead = 64 * recorder.ticksPerQuarter
    try orFail { () throws(LibrettoError) in
      try session.set(constraints)
      while !recorder.isOver {
        try plan?.give(session, from: &nextNote, until: recorder.tick + ahead)
        recorder.take(try session.next().token)
        guard constraints.bars == 0 && session.bars >= most else { continue }
        constraints.bars = most
        try session.set(constraints)
        printError("the model did not end the piece: it ends after \(grouped(most)) bars")
      }
    }
  }

  /// Draws tokens for some seconds.
  private static func perform(
    _ session: Session, _ constraints: MusicConstraints, seconds: Double?, _ timing: MusicTiming,
    _ recorder: inout MusicRecorder
  ) throws {
    let isOpen = seconds == 0
    let before = recorder.seconds
    let total = isOpen ? before + mostSeconds : seconds ?? before + 30
    guard before < total else {
      throw Failure(
        "the primer lasts \(length(before)); ask for more than that with --seconds", code: 64)
    }
    let end = timing.tick(total)
    // The last notes get some time to end by themselves.
    let lastNote = timing.tick(total - min(1, (total - before) / 10))
    var constraints = constraints
    constraints.ending = isOpen ? .anywhere : .never
    recorder.limit(to: end)
    try orFail { () throws(LibrettoError) in
      try session.set(constraints)
      while recorder.tick < lastNote && !recorder.isOver {
        recorder.take(try session.next().token)
      }
      guard !recorder.isOver else { return }
      if isOpen {
        printError("the model did not end the piece: it ends after \(length(total))")
      }
      // Nothing is in this scale that this range has: no note can begin.
      (constraints.lowest, constraints.highest, constraints.scale) = (0, 0, 1 << 1)
      constraints.ending = .anywhere
      try session.set(constraints)
      while recorder.tick < end && recorder.isSounding && !recorder.isOver {
        recorder.take(try session.next().token)
      }
      recorder.finish()
    }
  }

  /// Shows the music, and tells how much it is.
  func show(_ name: String) {
    let roll = TerminalRoll(
      file, width: Terminal.width, colored: Terminal.hasColor, inSeconds: !isOnGrid)
    Terminal.write(roll.text)
    let facts = MIDIFacts(file)
    let notes = facts.notes.count == 1 ? "1 note" : "\(grouped(facts.notes.count)) notes"
    let bars =
      isOnGrid
      ? (facts.barCount == 1 ? "1 bar, " : "\(trimmed(facts.barCount, 2)) bars, ") : ""
    print("\(name): \(bars)\(length(facts.seconds)), \(notes)")
    if facts.notes.isEmpty { print("It is all silence; try another --seed, or more --bars.") }
  }
}
