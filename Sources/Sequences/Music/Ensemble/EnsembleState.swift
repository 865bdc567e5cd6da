/// What must be known of the tokens of a piece with parts so far to tell what may follow, and what sounds.
struct EnsembleState {
  /// A part that was declared.
  struct Voice: BitwiseCopyable {
    var family = 0
    var level = Ensemble.firstLevel
    /// One more than the highest note it had when it sounded last; 0 for none.
    var recent = 0
    /// Steps since it began a note, at most `mostAge`; 0 if it has begun none.
    var age = 0
    /// Its notes of the step before, and those named in this one.
    var sounding = PitchSet()
    var new = PitchSet()
    var held = PitchSet()

    static let mostAge = 33

    var isDrums: Bool { family == Instrument.drumFamily }
    var count: Int { new.count + held.count }
  }

  let ensemble: Ensemble
  /// Time signature, step and bar; its notes are not used.
  var time: GridState
  var voices = InlineArray<16, Voice>(repeating: Voice())
  var count = 0
  /// The part whose notes are named now; -1 for none.
  var speaking = -1
  /// The pitch named last of this part; all that follow are lower. 128 for none.
  var last = 128
  /// Whether its level was named in this step.
  var hasLevel = false
  /// One more than the first pitch named in this step; 0 for none.
  var lead = 0

  init(_ ensemble: Ensemble) {
    self.ensemble = ensemble
    time = GridState(ensemble.grid)
  }

  /// Notes named in this step.
  var named: Int { (0..<count).reduce(0) { $0 + voices[$1].count } }
  /// Those with pitches.
  var namedPitches: Int {
    (0..<count).reduce(0) { $0 + (voices[$1].isDrums ? 0 : voices[$1].count) }
  }

  /// The MIDI channel of a part: that of drums, or the next of the others.
  func channel(of part: Int) -> Int {
    if voices[part].isDrums { return drumChannel }
    var channel = 0
    for other in 0..<part where !voices[other].isDrums { channel += 1 }
    return channel < drumChannel ? channel : min(channel + 1, 15)
  }

  func has(_ family: Int) -> Bool {
    for i in 0..<count where voices[i].family == family { return true }
    return false
  }

  /// Takes note of a token; one that cannot come here is taken as well as it can be.
  mutating func advance(_ token: Int32) {
    switch ensemble.meaning(token) {
    case .time(let meaning):
      switch meaning {
      case .start: self = EnsembleState(ensemble)
      case .end:
        for i in 0..<count { voices[i].sounding = PitchSet() }
        clearStep()
      case .step:
        for i in 0..<count { closeStep(i) }
        clearStep()
      default: break
      }
      time.advance(token)
    case .instrument(let family):
      guard time.phase == .opening, count < Part.most else { return }
      voices[count] = Voice(family: family)
      count += 1
    case .part(let number): begin(number)
    case .hold(let number):
      begin(number)
      voices[number].held = voices[number].sounding
      if !voices[number].held.isEmpty { noteLead(voices[number].held.highest) }
      last = 0
    case .velocity(let level):
      guard speaking >= 0 else { return }
      voices[speaking].level = level
      hasLevel = true
    case .new(let pitch), .drum(let pitch):
      time.played = true
      time.isOver = false
      time.phase = .inside
      guard speaking >= 0 else { return }
      noteLead(pitch)
      voices[speaking].new[pitch] = true
      voices[speaking].held[pitch] = false
      last = pitch
    case .held(let pitch):
      time.phase = .inside
      guard speaking >= 0 else { return }
      noteLead(pitch)
      // Begun in this step and held from the one before is a contradiction: it begins.
      voices[speaking].held[pitch] = !voices[speaking].new[pitch]
      last = pitch
    }
  }

  private mutating func begin(_ part: Int) {
    while count <= part {
      voices[count] = Voice()
      count += 1
    }
    (speaking, last, hasLevel) = (part, 128, false)
    time.phase = .inside
  }

  private mutating func noteLead(_ pitch: Int) {
    if lead == 0 && !voices[speaking].isDrums { lead = pitch + 1 }
  }

  private mutating func closeStep(_ part: Int) {
    let age = voices[part].new.isEmpty ? voices[part].age : 0
    if age > 0 || !voices[part].new.isEmpty { voices[part].age = min(age + 1, Voice.mostAge) }
    var now = voices[part].new
    now.formUnion(voices[part].held)
    voices[part].sounding = voices[part].isDrums ? PitchSet() : now
    if !voices[part].isDrums && !now.isEmpty { voices[part].recent = now.highest + 1 }
  }

  private mutating func clearStep() {
    for i in 0..<count { (voices[i].new, voices[i].held) = (PitchSet(), PitchSet()) }
    (speaking, last, hasLevel, lead) = (-1, 128, false, 0)
  }

  // MARK: - Snapshots

  private static let voiceWords = 7
  static let wordCount = GridState.wordCount + 2 + voiceWords * Part.most

  func save(to bytes: UnsafeMutableRawPointer) {
    time.save(to: bytes)
    let flags = UInt64(lead) << 16 | UInt64(last) << 1 | (hasLevel ? 1 : 0)
    bytes.setWord(GridState.wordCount, UInt64(count) << 8 | UInt64(speaking + 1))
    bytes.setWord(GridState.wordCount + 1, flags)
    for i in 0..<Part.most {
      let voice = voices[i]
      let words = bytes + 8 * (GridState.wordCount + 2 + Self.voiceWords * i)
      words.setWord(
        0,
        UInt64(voice.age) << 24 | UInt64(voice.family) << 16 | UInt64(voice.level) << 8
          | UInt64(voice.recent))
      words.setPitches(1, voice.sounding)
      words.setPitches(3, voice.new)
      words.setPitches(5, voice.held)
    }
  }

  /// nil if no sequence of tokens leads to these words.
  init?(_ ensemble: Ensemble, from bytes: UnsafeRawPointer) {
    self.init(ensemble)
    let (counts, flags) = (bytes.word(GridState.wordCount), bytes.word(GridState.wordCount + 1))
    guard let time = GridState(ensemble.grid, from: bytes), counts >> 8 <= UInt64(Part.most),
      counts & 0xFF <= counts >> 8, flags & 0xFFFF <= 257, flags >> 16 <= 128
    else { return nil }
    self.time = time
    (count, speaking) = (Int(counts >> 8), Int(counts & 0xFF) - 1)
    (last, hasLevel, lead) = (Int(flags >> 1 & 0x7FFF), flags & 1 == 1, Int(flags >> 16))
    for i in 0..<Part.most {
      let words = bytes + 8 * (GridState.wordCount + 2 + Self.voiceWords * i)
      let word = words.word(0)
      guard word >> 24 <= UInt64(Voice.mostAge), word >> 16 & 0xFF < UInt64(Instrument.families),
        word >> 8 & 0xFF < UInt64(Ensemble.levels),
        word & 0xFF <= 128
      else { return nil }
      voices[i] = Voice(
        family: Int(word >> 16 & 0xFF), level: Int(word >> 8 & 0xFF), recent: Int(word & 0xFF),
        age: Int(word >> 24),
        sounding: words.pitches(1), new: words.pitches(3), held: words.pitches(5))
      guard
        i < count
          || word == UInt64(Ensemble.firstLevel) << 8 && voices[i].count == 0
            && voices[i].sounding.isEmpty,
        !voices[i].isDrums
          || voices[i].new.highest < Ensemble.drumClasses
            && voices[i].held.isEmpty && voices[i].sounding.isEmpty
      else { return nil }
    }
  }
}
