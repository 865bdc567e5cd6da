/// Puts events of parts on the grid as they come, and turns each step into tokens once it is over. The channel of an
/// event says whose it is.
final class EnsembleEventEncoder: EventEncoder {
  private let grammar: EnsembleGrammar
  private let ensemble: Ensemble
  private let grid: Grid
  /// The time signature a piece is to begin with.
  private var timeSignature = 0
  /// Ticks since the beginning.
  private var tick = 0
  /// What was handed on of the present step by `finish`.
  private var said = false
  /// The channels and programs that events introduced, for a piece whose parts nobody wanted otherwise.
  private var introduced = InlineArray<16, Part>(repeating: Part(program: 0, channel: 0))
  private var introducedCount = 0

  /// - `grammar`: whose state this reads.
  init(_ grammar: EnsembleGrammar) {
    self.grammar = grammar
    ensemble = grammar.ensemble
    grid = grammar.grid
  }

  private var phase: GridState.Phase { grammar.time.phase }
  /// Steps already turned into tokens.
  private var step: Int { grammar.time.stepsOfPiece }
  private var barSteps: Int {
    phase == .inside ? grammar.time.barSteps : grid.barSteps(timeSignature) ?? 1
  }

  func reset() {
    (timeSignature, tick, said, introducedCount) = (0, 0, false, 0)
    grammar.given.forgetPlayed()
    grammar.notePlayed()
  }

  func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    let reached = step * grid.ticksPerStep
    tick = max(0, reached + grid.shortened(tick - reached + event.delta, barSteps: barSteps))
    if event.kind == .timeSignature && phase != .inside {
      timeSignature = grid.timeSignature(event) ?? timeSignature
      return
    }
    if event.kind == .program {
      if phase != .inside { introduce(event) }
      return
    }
    let begins = event.kind == .noteOn && event.velocity > 0 || event.kind == .end
    // Parts that nobody named are known when one of them plays: until then only time passes.
    if phase != .inside && grammar.wantedCount == 0 && !begins { return }
    begin(event, each)
    closeSteps(each)
    if event.kind == .end {
      // A piece has a step, and ends in the place of one.
      if said || step == 0 || isPlaying { closeStep(each) }
      each(Grid.end)
      return reset()
    }
    guard event.kind == .noteOn || event.kind == .noteOff, let part = part(on: event.channel),
      (0...127).contains(event.pitch)
    else { return }
    let isDrums = grammar.state.voices[part].isDrums
    let pitch = isDrums ? Int(grammar.drums[event.pitch]) : event.pitch
    guard pitch >= 0 else { return }
    grammar.notePlayed()
    if event.kind == .noteOn && event.velocity > 0 {
      grammar.given.played[part].new[pitch] = true
      grammar.given.played[part].sounding[pitch] = true
      grammar.given.played[part].ending[pitch] = false
      let level = Ensemble.level(of: event.velocity)
      grammar.given.played[part].level = max(grammar.given.played[part].level, level)
    } else if grammar.given.played[part].new[pitch] {
      grammar.given.played[part].ending[pitch] = true
    } else {
      grammar.given.played[part].sounding[pitch] = false
    }
  }

  /// Whether something began in this step.
  private var isPlaying: Bool {
    for part in 0..<Part.most where !grammar.given.played[part].new.isEmpty { return true }
    return false
  }

  /// Takes note of a part that is introduced, if there can be one more.
  private func introduce(_ event: MusicEvent) {
    let isDrums = event.channel == drumChannel
    var pitched = 0
    for i in 0..<introducedCount {
      if introduced[i].channel == event.channel { return introduced[i].program = event.pitch }
      if introduced[i].channel != drumChannel { pitched += 1 }
    }
    guard isDrums || pitched < Part.mostPitched, (0..<16).contains(event.channel) else { return }
    let program = isDrums ? Instrument.drums : event.pitch
    introduced[introducedCount] = Part(program: program, channel: event.channel)
    introducedCount += 1
  }

  private func part(on channel: Int) -> Int? {
    if grammar.wantedCount == 0 && introducedCount > 0 {
      for part in 0..<min(introducedCount, grammar.state.count)
      where introduced[part].channel == channel { return part }
      return nil
    }
    for part in 0..<grammar.state.count where grammar.state.channel(of: part) == channel {
      return part
    }
    return nil
  }

  func finish(_ each: (Int32) -> Void) {
    begin(nil, each)
    closeSteps(each)
    guard !said else { return }
    sayNotes(each)
    said = true
  }

  func follow(_ token: Int32) {
    switch ensemble.meaning(token) {
    case .time(.start), .time(.end): reset()
    case .time(.step):
      tick = max(tick, step * grid.ticksPerStep)
      endStep()
      said = false
    default: break
    }
  }

  var ahead: Int { tick - step * grid.ticksPerStep }
  func catchUp() { tick = step * grid.ticksPerStep }

  /// The parts are those that are wanted, else those introduced, else one: a piano, or drums as the first event is on
  /// their channel.
  private func begin(_ event: MusicEvent?, _ each: (Int32) -> Void) {
    if phase == .outside { each(Grid.start) }
    guard phase == .opening else { return }
    while grammar.state.count < grammar.wantedCount {
      let program = grammar.wanted(grammar.state.count)
      each(ensemble.instrument(Instrument.family(of: program)))
    }
    while grammar.wantedCount == 0 && grammar.state.count < introducedCount {
      each(ensemble.instrument(Instrument.family(of: introduced[grammar.state.count].program)))
    }
    if grammar.state.count == 0 {
      each(ensemble.instrument(event?.channel == drumChannel ? Instrument.drumFamily : 0))
    }
    each(Grid.firstTimeSignature + Int32(timeSignature))
  }

  /// Closes the steps before the one that is nearest now.
  private func closeSteps(_ each: (Int32) -> Void) {
    let now = grid.step(nearest: tick)
    while step < now { closeStep(each) }
  }

  private func closeStep(_ each: (Int32) -> Void) {
    if !said { sayNotes(each) }
    said = false
    each(grid.firstStep + Int32((grammar.time.position + 1) % barSteps))
    endStep()
  }

  private func endStep() {
    for part in 0..<Part.most {
      let ending = grammar.given.played[part].ending
      grammar.given.played[part].sounding.subtract(ending)
      if part < grammar.state.count && grammar.state.voices[part].isDrums {
        grammar.given.played[part].sounding = PitchSet()
      }
      grammar.given.played[part].new = PitchSet()
      grammar.given.played[part].ending = PitchSet()
      grammar.given.played[part].level = -1
    }
    grammar.notePlayed()
  }

  private func sayNotes(_ each: (Int32) -> Void) {
    // What is said of one part does not change what is due in another.
    for part in stride(from: grammar.state.speaking + 1, to: grammar.state.count, by: 1) {
      var due = grammar.due(part)
      if !grammar.partConstraints(part).isGiven {
        grammar.given.addPlayed(part, grammar.state, &due)
        due.held.subtract(due.new)
      }
      guard !due.all.isEmpty else { continue }
      let isDrums = grammar.state.voices[part].isDrums
      var named = grammar.state.namedPitches
      guard isDrums || named < Ensemble.mostPitches else { continue }
      if !isDrums && due.new.isEmpty && due.held == grammar.state.voices[part].sounding
        && named + due.held.count <= Ensemble.mostPitches
      {
        each(ensemble.hold(part))
        continue
      }
      each(ensemble.part(part))
      if !due.new.isEmpty && due.level >= 0 && due.level != grammar.state.voices[part].level {
        each(ensemble.velocity(due.level))
      }
      for pitch in stride(from: 127, through: 0, by: -1) where due.all[pitch] {
        guard isDrums || named < Ensemble.mostPitches else { break }
        each(
          due.new[pitch]
            ? ensemble.new(pitch, grammar.state.voices[part].family) : ensemble.held(pitch))
        if !isDrums { named += 1 }
      }
    }
  }

  // MARK: - Snapshots

  private static let partWords = 7
  static var stateSize: Int { 8 * (3 + partWords * Part.most + Part.most) }
  private static let partStart = 8 * (3 + Part.most)

  func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(timeSignature) << 1 | (said ? 1 : 0))
    bytes.setWord(1, UInt64(tick))
    bytes.setWord(2, UInt64(introducedCount))
    for i in 0..<Part.most {
      let part = i < introducedCount ? introduced[i] : Part(program: 0, channel: 0)
      bytes.setWord(3 + i, UInt64(part.channel) << 8 | UInt64(part.program))
    }
    for part in 0..<Part.most {
      let words = bytes + Self.partStart + 8 * Self.partWords * part
      let played = grammar.given.played[part]
      words.setPitches(0, played.sounding)
      words.setPitches(2, played.new)
      words.setPitches(4, played.ending)
      words.setWord(6, UInt64(played.level + 1))
    }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    guard bytes.word(0) >> 1 < UInt64(grid.timeSignatures.all.count), bytes.word(1) < 1 << 48,
      Int(bytes.word(1)) - step * grid.ticksPerStep <= grid.mostAhead,
      bytes.word(2) <= UInt64(Part.most)
    else { return false }
    for i in 0..<Part.most {
      let word = bytes.word(3 + i)
      guard word >> 8 < 16, word & 0xFF <= UInt64(Instrument.drums) else { return false }
    }
    for part in 0..<Part.most {
      let words = bytes + Self.partStart + 8 * Self.partWords * part
      let isDrums = part < grammar.state.count && grammar.state.voices[part].isDrums
      guard words.word(6) <= UInt64(Ensemble.levels) else { return false }
      guard
        !isDrums
          || words.pitches(0).highest < Ensemble.drumClasses
            && words.pitches(2).highest < Ensemble.drumClasses
      else { return false }
    }
    for part in 0..<Part.most {
      let words = bytes + Self.partStart + 8 * Self.partWords * part
      grammar.given.played[part] = GivenNotes.Played(
        sounding: words.pitches(0), new: words.pitches(2), ending: words.pitches(4),
        level: Int(words.word(6)) - 1)
    }
    (timeSignature, said) = (Int(bytes.word(0) >> 1), bytes.word(0) & 1 == 1)
    tick = Int(bytes.word(1))
    introducedCount = Int(bytes.word(2))
    for i in 0..<Part.most {
      let word = bytes.word(3 + i)
      introduced[i] = Part(program: Int(word & 0xFF), channel: Int(word >> 8))
    }
    grammar.notePlayed()
    return true
  }
}
