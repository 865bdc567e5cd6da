import Memory

/// The notes of parts that a host wants: those it gave beforehand, and those it plays. None of its calls allocates after
/// `init`.
final class GivenNotes {
  /// A note given beforehand: the steps it sounds in, and whose it is. Whether its part is drums may not be known yet.
  private struct Note: BitwiseCopyable {
    var from, to: Int
    /// That of MIDI.
    var part, pitch: UInt8
    /// -1 for none.
    var level: Int8
  }

  /// What is played in a part: what sounds, what began in this step, and what has ended but must sound until the step
  /// is over.
  struct Played: BitwiseCopyable {
    var sounding = PitchSet()
    var new = PitchSet()
    var ending = PitchSet()
    /// The level of what began; -1 for none.
    var level = -1
  }

  /// What is due in a part in one step.
  struct Due: BitwiseCopyable {
    /// Notes that begin, and notes that go on.
    var new = PitchSet()
    var held = PitchSet()
    /// Notes that are over.
    var over = PitchSet()
    /// That of what begins; -1 for any.
    var level = -1

    var all: PitchSet {
      var all = new
      all.formUnion(held)
      return all
    }
  }

  static let most = 8192
  private let notes: GrowableBuffer<Note>
  private var count = 0
  /// The drum class of each MIDI pitch; -1 for none.
  private let drums: [Int8]
  var played = InlineArray<16, Played>(repeating: Played())

  init(drums: [Int8]) throws(OutOfMemory) {
    self.drums = drums
    notes = try GrowableBuffer(
      repeating: Note(from: 0, to: 0, part: 0, pitch: 0, level: -1), count: Self.most)
  }

  /// Forgets the notes given beforehand.
  func clear() { count = 0 }

  func forgetPlayed() { played = InlineArray<16, Played>(repeating: Played()) }

  /// Takes a note of the steps from `from` to `to`, `to` not included, at step `now`; false if there is no room for it.
  func add(part: Int, from: Int, to: Int, pitch: Int, level: Int, now: Int) -> Bool {
    // Room is made by forgetting what is past.
    if count == Self.most { forget(before: now) }
    var together = 0
    for i in 0..<count where notes[i].from < to && from < notes[i].to { together += 1 }
    guard count < Self.most, together < Ensemble.mostPitches else { return false }
    notes[count] = Note(
      from: from, to: to, part: UInt8(part), pitch: UInt8(pitch), level: Int8(level))
    count += 1
    return true
  }

  private func forget(before step: Int) {
    var kept = 0
    for i in 0..<count where notes[i].to >= step {
      notes[kept] = notes[i]
      kept += 1
    }
    count = kept
  }

  /// Whether a note given beforehand is still to come or not over at a step.
  ///
  /// - `state`: of the piece, whose parts are known.
  func isOwed(_ state: EnsembleState) -> Bool {
    for i in 0..<count where notes[i].part < state.count {
      if let (_, to) = sound(of: notes[i], state), to > state.time.steps { return true }
    }
    return false
  }

  /// The pitch or drum class of a note, and the step in which it is over; nil if it is a drum that has no sound.
  @inline(__always)
  private func sound(of note: Note, _ state: EnsembleState) -> (pitch: Int, to: Int)? {
    guard state.voices[Int(note.part)].isDrums else { return (Int(note.pitch), note.to) }
    let drum = Int(drums[Int(note.pitch)])
    return drum < 0 ? nil : (drum, note.from + 1)
  }

  /// What is due in each part.
  ///
  /// - `isGiven`: whether a part has no other notes, so that those that are played in it are due too.
  func due(_ state: EnsembleState, isGiven: (Int) -> Bool, into due: inout InlineArray<16, Due>) {
    let step = state.time.steps
    due = InlineArray<16, Due>(repeating: Due())
    forget(before: step)
    for i in 0..<count where notes[i].from <= step && notes[i].part < state.count {
      let note = notes[i]
      let part = Int(note.part)
      guard let (pitch, to) = sound(of: note, state), to >= step else { continue }
      if to == step {
        due[part].over[pitch] = true
      } else if note.from == step || !state.voices[part].sounding[pitch] {
        due[part].new[pitch] = true
        due[part].level = max(due[part].level, Int(note.level))
      } else {
        due[part].held[pitch] = true
      }
    }
    for part in 0..<state.count {
      if isGiven(part) { addPlayed(part, state, &due[part]) }
      due[part].held.subtract(due[part].new)
    }
  }

  /// What is played: it began now, or it goes on, if it has begun in the piece.
  func addPlayed(_ part: Int, _ state: EnsembleState, _ due: inout Due) {
    let played = played[part]
    var held = played.sounding
    held.formIntersection(state.voices[part].sounding)
    held.subtract(played.new)
    var new = played.sounding
    new.formUnion(played.new)
    new.subtract(held)
    if state.voices[part].isDrums { new = played.new }
    due.new.formUnion(new)
    due.held.formUnion(held)
    if !new.isEmpty { due.level = max(due.level, played.level) }
  }
}
