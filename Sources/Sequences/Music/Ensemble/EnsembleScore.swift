import Memory

/// The notes of parts on a grid, and the tokens for them.
struct EnsembleScore {
  /// A note of a part, which has no other on its pitch while it sounds.
  struct Note: BitwiseCopyable {
    var start, end, part, pitch, velocity: Int
  }

  private let ensemble: Ensemble
  private let score: GridScore
  private let notes: GrowableBuffer<Note>
  private let families: [Int]

  /// nil if there are no notes.
  init?(_ ensemble: Ensemble, _ file: MIDIFile, _ parts: FileParts) throws(OutOfMemory) {
    guard parts.notes.count > 0 else { return nil }
    self.ensemble = ensemble
    let all = try GrowableBuffer<MIDINote>(capacity: parts.notes.count)
    for note in parts.notes { all.appendReserved(note.note) }
    families = parts.programs.map(Instrument.family(of:))
    var next = 0
    score = try GridScore(ensemble.grid, file, all) { [families] note in
      // In the order of the notes: the part, the pitch and the velocity in one number.
      let part = parts.notes[next].part
      next += 1
      let pitch =
        families[part] == Instrument.drumFamily ? DrumsEncoding.place(note.pitch) : note.pitch
      return pitch.map { note.velocity << 16 | part << 8 | $0 }
    }
    let cut = try GrowableBuffer<GridScore.Note>(capacity: score.notes.count)
    let velocities = try GrowableBuffer<Note>(capacity: score.notes.count)
    for note in score.notes {
      let (part, pitch) = (note.pitch >> 8 & 0xFF, note.pitch & 0xFF)
      let end = families[part] == Instrument.drumFamily ? note.start + 1 : note.end
      cut.appendReserved(GridScore.Note(start: note.start, end: end, pitch: note.pitch & 0xFFFF))
      velocities.appendReserved(
        Note(
          start: note.start, end: end, part: part, pitch: pitch, velocity: note.pitch >> 16))
    }
    try Self.cut(cut)
    try velocities.sort {
      ($0.part << 8 | $0.pitch, $0.start) < ($1.part << 8 | $1.pitch, $1.start)
    }
    notes = try GrowableBuffer(capacity: cut.count)
    var at = 0
    for note in cut {
      // Of notes that begin together on a pitch the loudest.
      var velocity = 0
      while at < velocities.count
        && (velocities[at].part << 8 | velocities[at].pitch, velocities[at].start)
          <= (note.pitch, note.start)
      {
        velocity = max(velocity, velocities[at].velocity)
        at += 1
      }
      notes.appendReserved(
        Note(
          start: note.start, end: note.end, part: note.pitch >> 8, pitch: note.pitch & 0xFF,
          velocity: velocity))
    }
    try notes.sort { ($0.start, $0.part, -$0.pitch) < ($1.start, $1.part, -$1.pitch) }
  }

  /// Sorts notes by pitch and start, and leaves of each what a grid keeps: one of those that begin together, until the
  /// next on its pitch begins.
  static func cut(_ notes: GrowableBuffer<GridScore.Note>) throws(OutOfMemory) {
    try notes.sort { ($0.pitch, $0.start) < ($1.pitch, $1.start) }
    var kept = 0
    for i in 0..<notes.count {
      if i + 1 < notes.count && notes[i + 1].pitch == notes[i].pitch {
        guard notes[i + 1].start > notes[i].start else { continue }
        notes[i].end = min(notes[i].end, notes[i + 1].start)
      }
      notes[kept] = notes[i]
      kept += 1
    }
    notes.truncate(to: kept)
  }

  /// A number for a note of any part.
  static func fingerprint(_ note: GridScore.Note) -> UInt64 {
    var hash: UInt64 = 0
    for number in [note.start, note.end, note.pitch & 0xFF] {
      hash = (hash ^ UInt64(number)) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 31
    }
    return hash
  }

  /// What a step holds of a part.
  private struct Voice: BitwiseCopyable {
    var new = PitchSet()
    /// The velocities of the notes that begin, in all.
    var velocity = 0
    var level = Ensemble.firstLevel
    /// Notes that were named in the piece.
    var named = 0
    /// Of what was named.
    var fingerprint: UInt64 = 0
    /// The notes of the step before.
    var before = PitchSet()
  }

  /// The tokens of the piece; throws if they are too many.
  func tokens() throws(EncodingError) -> GrowableBuffer<Int32> {
    var kept = UInt32(1) << UInt32(families.count) - 1
    while true {
      let (tokens, heard) = try tokens(of: kept)
      // A part of which nothing is left, or the same as of another, is none.
      if heard == kept { return tokens }
      kept = heard
    }
  }

  /// - `kept`: a bit for each part that is written. Gives which of them have notes of their own.
  private func tokens(of kept: UInt32) throws(EncodingError) -> (GrowableBuffer<Int32>, UInt32) {
    let tokens = GrowableBuffer<Int32>()
    var voices = [Voice](repeating: Voice(), count: families.count)
    var numbers = [Int](repeating: 0, count: families.count)
    let ends = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer(repeating: 0, count: families.count * 128)
    }
    var sounding = [PitchSet](repeating: PitchSet(), count: families.count)
    var count = 0
    func append(_ token: Int32) throws(EncodingError) {
      guard tokens.count < Grid.mostTokens else { throw .tooLong(tokens.count) }
      try allocating { () throws(OutOfMemory) in try tokens.append(token) }
    }
    try append(Grid.start)
    for part in families.indices where kept >> UInt32(part) & 1 == 1 {
      numbers[part] = count
      count += 1
      try append(ensemble.instrument(families[part]))
    }
    var time = GridScore.Time(score, ensemble.grid)
    try append(Grid.firstTimeSignature + Int32(time.timeSignature))
    var next = 0
    for step in 0..<score.steps {
      if let change = time.change(at: step) {
        try append(Grid.firstTimeSignature + Int32(change))
      }
      while next < notes.count && notes[next].start <= step {
        let note = notes[next]
        next += 1
        guard kept >> UInt32(note.part) & 1 == 1 else { continue }
        voices[note.part].new[note.pitch] = true
        voices[note.part].velocity += note.velocity
        sounding[note.part][note.pitch] = true
        ends[note.part << 7 | note.pitch] = note.end
      }
      var room = Ensemble.mostPitches
      for part in families.indices where !sounding[part].isEmpty || !voices[part].before.isEmpty {
        let isDrums = families[part] == Instrument.drumFamily
        for pitch in stride(from: 127, through: 0, by: -1) where sounding[part][pitch] {
          guard ends[part << 7 | pitch] > step, isDrums || room > 0 else {
            sounding[part][pitch] = false
            voices[part].new[pitch] = false
            continue
          }
          if !isDrums { room -= 1 }
        }
        let now = sounding[part]
        defer {
          voices[part].before = isDrums ? PitchSet() : now
          (voices[part].new, voices[part].velocity) = (PitchSet(), 0)
        }
        guard !now.isEmpty else { continue }
        let isHeld = voices[part].new.isEmpty && now == voices[part].before
        try append(isHeld ? ensemble.hold(numbers[part]) : ensemble.part(numbers[part]))
        try appendLevel(&voices[part], append)
        for pitch in stride(from: 127, through: 0, by: -1) where now[pitch] {
          let isNew = voices[part].new[pitch]
          if !isHeld {
            try append(isNew ? ensemble.new(pitch, families[part]) : ensemble.held(pitch))
          }
          voices[part].named += 1
          voices[part].fingerprint &+= Self.fingerprint(
            GridScore.Note(start: step, end: isNew ? 1 : 0, pitch: pitch))
        }
      }
      try append(ensemble.grid.firstStep + Int32(time.advance()))
    }
    try append(Grid.end)
    var heard: UInt32 = 0
    for part in families.indices where voices[part].named > 0 {
      let isDoubled = (0..<part).contains {
        heard >> UInt32($0) & 1 == 1 && voices[$0].fingerprint == voices[part].fingerprint
          && families[$0] != Instrument.drumFamily && families[part] != Instrument.drumFamily
      }
      if !isDoubled { heard |= 1 << UInt32(part) }
    }
    return (tokens, heard)
  }

  private func appendLevel(
    _ voice: inout Voice, _ append: (Int32) throws(EncodingError) -> Void
  ) throws(EncodingError) {
    let count = voice.new.count
    guard count > 0 else { return }
    let level = Ensemble.level(of: (voice.velocity + count / 2) / count)
    if level != voice.level { try append(ensemble.velocity(level)) }
    voice.level = level
  }
}
