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
  /// By channel: the MIDI pitches that sound. Without the grammar two parts may have one channel.
  private var sounding = InlineArray<16, PitchSet>(repeating: PitchSet())
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
    sounding = InlineArray(repeating: PitchSet())
    queue.reset()
  }

  func take(_ token: Int32, heard: Bool) {
    let state = grammar.state
    switch ensemble.meaning(token) {
    case .time(.start): closeAll(heard: heard)
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
      closeAll(heard: heard)
      if !heard { queue.put(.end) }
    case .new(let pitch) where heard && state.speaking >= 0,
      .drum(let pitch) where heard && state.speaking >= 0:
      theirs[state.speaking][pitch] = true
    default: break
    }
  }

  func next() -> MusicEvent? { queue.next() }
  var waiting: Int { queue.waiting }
  func skipTime() { queue.waiting = 0 }

  /// Says what each part is played with.
  private func introduce(_ count: Int) {
    for number in 0..<count {
      let part = grammar.part(number)
      queue.put(
        .program, channel: part.channel, pitch: part.program == Instrument.drums ? 0 : part.program)
    }
  }

  private func emitStep(_ state: EnsembleState) {
    var count = 0
    for part in 0..<Part.most {
      let goesOn = part < state.count ? state.voices[part].held : PitchSet()
      var over = mine[part]
      over.subtract(goesOn)
      end(over, of: part)
      count += mine[part].count
    }
    for part in 0..<state.count {
      let voice = state.voices[part]
      var begun = voice.new
      begun.subtract(theirs[part])
      theirs[part] = PitchSet()
      guard !begun.isEmpty else { continue }
      let channel = state.channel(of: part)
      if channel != channels[part] { end(mine[part], of: part) }
      channels[part] = channel
      for pitch in 0..<128 where begun[pitch] && count < Self.most {
        let sound = sound(pitch, channel)
        guard !sounding[channel][sound] else { continue }
        mine[part][pitch] = true
        sounding[channel][sound] = true
        count += 1
        queue.put(
          .noteOn, channel: channel, pitch: sound, velocity: Ensemble.velocity(of: voice.level))
      }
    }
  }

  private func sound(_ pitch: Int, _ channel: Int) -> Int {
    channel == drumChannel ? Int(drums[pitch % drums.count]) : pitch
  }

  private func end(_ notes: PitchSet, of part: Int) {
    guard !notes.isEmpty else { return }
    let channel = channels[part]
    for pitch in 0..<128 where notes[pitch] {
      let sound = sound(pitch, channel)
      sounding[channel][sound] = false
      queue.put(.noteOff, channel: channel, pitch: sound)
    }
    mine[part].subtract(notes)
  }

  /// Ends all notes. The time of a piece that others begin or end is theirs.
  private func closeAll(heard: Bool) {
    if heard { queue.waiting = 0 }
    for part in 0..<Part.most { end(mine[part], of: part) }
  }

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
    sounding = InlineArray(repeating: PitchSet())
    for part in 0..<Part.most {
      for pitch in 0..<128 where mine[part][pitch] {
        sounding[channels[part]][sound(pitch, channels[part])] = true
      }
    }
    return true
  }
}
