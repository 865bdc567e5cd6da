/// Turns the tokens of a piece with parts into events: at its beginning the programs of its parts, at the end of each
/// step note-offs, then note-ons.
final class EnsembleEventDecoder: EventDecoder {
  private let grammar: EnsembleGrammar
  private let ensemble: Ensemble
  /// The MIDI pitch of each drum class.
  private let drums: [UInt8]
  /// By part: what sounds because this decoder began it, and the channel it sounds on.
  private var mine = InlineArray<16, PitchSet>(repeating: PitchSet())
  private var channels = InlineArray<16, Int>(repeating: 0)
  /// What somebody else began in this step.
  private var theirs = InlineArray<16, PitchSet>(repeating: PitchSet())
  private var queue = EventQueue()

  /// The most notes that sound at a time.
  private static let most = 128

  /// - `grammar`: whose state this reads.
  init(_ grammar: EnsembleGrammar) {
    self.grammar = grammar
    ensemble = grammar.ensemble
    drums = DrumsEncoding.sounds
  }

  func reset() {
    (mine, theirs) = (InlineArray(repeating: PitchSet()), InlineArray(repeating: PitchSet()))
    queue.reset()
  }

  func take(_ token: Int32, heard: Bool) {
    let state = grammar.state
    switch ensemble.meaning(token) {
    case .time(.start): closeAll()
    case .time(.timeSignature(let index)) where !heard:
      if state.time.phase == .opening { introduce(state.count) }
      let timeSignature = ensemble.grid.timeSignatures.all[index]
      queue.put(
        .timeSignature, pitch: timeSignature.numerator, velocity: timeSignature.denominator)
    case .time(.step):
      // The time of what others play is theirs: what ends in it ends at once.
      if heard { queue.waiting = 0 }
      emitStep(state)
      if !heard {
        if queue.isEmpty { queue.put(.time) }
        queue.waiting += ensemble.grid.ticksPerStep
      }
    case .time(.end):
      closeAll()
      if !heard { queue.put(.end) }
    case .new(let pitch) where heard && state.speaking >= 0,
      .drum(let pitch) where heard && state.speaking >= 0:
      theirs[state.speaking][pitch] = true
    default: break
    }
  }

  func next() -> MusicEvent? { queue.next() }

  /// Says what each part is played with.
  private func introduce(_ count: Int) {
    for number in 0..<count {
      let part = grammar.part(number)
      queue.put(
        .program, channel: part.channel, pitch: part.program == Instrument.drums ? 0 : part.program)
    }
  }

  private func emitStep(_ state: EnsembleState) {
    var sounding = 0
    for part in 0..<Part.most {
      let goesOn = part < state.count ? state.voices[part].held : PitchSet()
      var over = mine[part]
      over.subtract(goesOn)
      end(over, of: part)
      sounding += mine[part].count
    }
    for part in 0..<state.count {
      let voice = state.voices[part]
      var begun = voice.new
      begun.subtract(theirs[part])
      theirs[part] = PitchSet()
      guard !begun.isEmpty else { continue }
      channels[part] = state.channel(of: part)
      for pitch in 0..<128 where begun[pitch] && sounding < Self.most {
        mine[part][pitch] = true
        sounding += 1
        queue.put(
          .noteOn, channel: channels[part], pitch: sound(pitch, channels[part]),
          velocity: Ensemble.velocity(of: voice.level))
      }
    }
  }

  private func sound(_ pitch: Int, _ channel: Int) -> Int {
    channel == drumChannel ? Int(drums[pitch % drums.count]) : pitch
  }

  private func end(_ notes: PitchSet, of part: Int) {
    guard !notes.isEmpty else { return }
    for pitch in 0..<128 where notes[pitch] {
      queue.put(.noteOff, channel: channels[part], pitch: sound(pitch, channels[part]))
    }
    mine[part].subtract(notes)
  }

  private func closeAll() { for part in 0..<Part.most { end(mine[part], of: part) } }

  // MARK: - Snapshots

  static var stateSize: Int { 8 * 5 * Part.most + EventQueue.stateSize }

  func save(to bytes: UnsafeMutableRawPointer) {
    for part in 0..<Part.most {
      let words = bytes + 8 * 5 * part
      words.setPitches(0, mine[part])
      words.setPitches(2, theirs[part])
      words.setWord(4, UInt64(channels[part]))
    }
    queue.save(to: bytes + 8 * 5 * Part.most)
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    for part in 0..<Part.most where (bytes + 8 * 5 * part).word(4) > 15 { return false }
    guard queue.restore(from: bytes + 8 * 5 * Part.most) else { return false }
    for part in 0..<Part.most {
      let words = bytes + 8 * 5 * part
      (mine[part], theirs[part]) = (words.pitches(0), words.pitches(2))
      channels[part] = Int(words.word(4))
    }
    return true
  }
}
