import Memory

/// Notes on a grid, and the tokens for them.
struct GridScore {
  /// A note: the first step it sounds in, the first it does not, and its pitch from the lowest.
  struct Note: BitwiseCopyable {
    var start, end, pitch: Int
  }

  /// A time signature: the step it comes at, and its number on the grid.
  struct Change: BitwiseCopyable {
    var step, timeSignature: Int
  }

  let notes: GrowableBuffer<Note>
  let timeSignatures = GrowableBuffer<Change>()
  /// Steps of the piece.
  let steps: Int

  /// Puts notes of a file on the grid: beginnings and ends go to the nearest step, and every note
  /// sounds for one at least. Silences and notes longer than `grid.longestSilence` are shortened.
  ///
  /// - `place`: the pitch from the lowest for a note; nil to leave it out.
  init(
    _ grid: Grid, _ file: MIDIFile, _ notes: GrowableBuffer<MIDINote>, place: (MIDINote) -> Int?
  ) throws(OutOfMemory) {
    let ticks = max(1, file.ticksPerQuarter)
    func step(_ tick: Int) -> Int {
      (min(tick, 1 << 44) * grid.stepsPerQuarter + ticks / 2) / ticks
    }
    self.notes = try GrowableBuffer(capacity: notes.count)
    /// Where time was taken out: the step the music goes on at, and how many were taken.
    struct Cut: BitwiseCopyable {
      var at, count: Int
    }
    let cuts = GrowableBuffer<Cut>()
    var removed = 0
    var reached = 0
    func cutSilence(until start: Int) throws(OutOfMemory) {
      // Whole bars of the common time signatures, so that the place in the bar stays what it was.
      let bar = 12 * grid.stepsPerQuarter
      let count = (start - removed - reached - grid.longestSilence) / bar * bar
      guard count > 0 else { return }
      try cuts.append(Cut(at: start, count: count))
      removed += count
    }
    for note in notes {
      guard let pitch = place(note) else { continue }
      let start = step(note.start)
      try cutSilence(until: start)
      let from = start - removed
      let end = max(from + 1, step(note.start + note.duration) - removed)
      let to = min(from + grid.longestSilence, end)
      self.notes.appendReserved(Note(start: from, end: to, pitch: pitch))
      reached = max(reached, to)
    }
    let end = step(file.end)
    try cutSilence(until: end)
    steps = max(reached, end - removed)
    var next = 0
    var before = 0
    for signature in try file.timeSignatureBuffer() {
      guard let index = grid.timeSignature(TimeSignature(signature)) else { continue }
      let place = step(signature.tick)
      while next < cuts.count && cuts[next].at <= place {
        before += cuts[next].count
        next += 1
      }
      var at = place - before
      if next < cuts.count { at = min(at, cuts[next].at - before - cuts[next].count) }
      try timeSignatures.append(Change(step: at, timeSignature: index))
    }
  }

  /// The tokens of the piece, or some more if notes are written twice.
  var mostTokens: Int {
    notes.reduce(steps + timeSignatures.count + 3) { $0 + ($1.end - $1.start) }
  }

  /// The tokens of the piece.
  func tokens(_ grid: Grid) throws(OutOfMemory) -> GrowableBuffer<Int32> {
    let tokens = try GrowableBuffer<Int32>(capacity: mostTokens)
    try tokens.append(Grid.start)
    try notes.sort { $0.start != $1.start ? $0.start < $1.start : $0.pitch > $1.pitch }
    var nextNote = 0
    var time = Time(self, grid)
    try tokens.append(Grid.firstTimeSignature + Int32(time.timeSignature))
    /// The step at which each pitch that sounds ends.
    var ends = [Int](repeating: 0, count: grid.pitches)
    for step in 0..<steps {
      if let change = time.change(at: step) {
        try tokens.append(Grid.firstTimeSignature + Int32(change))
      }
      var new = PitchSet()
      while nextNote < notes.count && notes[nextNote].start <= step {
        let note = notes[nextNote]
        new[note.pitch] = true
        ends[note.pitch] = max(note.end, step + 1)
        nextNote += 1
      }
      try appendNotes(tokens, grid, step, new, &ends)
      try tokens.append(grid.firstStep + Int32(time.advance()))
    }
    try tokens.append(Grid.end)
    return tokens
  }

  /// The time signature and the place in the bar, step by step.
  struct Time {
    private let score: GridScore
    private let grid: Grid
    private var next = 0
    private(set) var timeSignature = 0
    private var barSteps = 1
    private var position = 0

    /// At the first step.
    init(_ score: GridScore, _ grid: Grid) {
      (self.score, self.grid) = (score, grid)
      read(to: 0)
    }

    private mutating func read(to step: Int) {
      while next < score.timeSignatures.count && score.timeSignatures[next].step <= step {
        timeSignature = score.timeSignatures[next].timeSignature
        next += 1
      }
      barSteps = grid.barSteps(timeSignature) ?? 1
    }

    /// The time signature that begins at a step, if another one did before.
    mutating func change(at step: Int) -> Int? {
      let before = timeSignature
      read(to: step)
      guard timeSignature != before else { return nil }
      position = 0
      return timeSignature
    }

    /// Ends a step: the place in the bar of the one that follows.
    mutating func advance() -> Int {
      position = (position + 1) % barSteps
      return position
    }
  }

  /// The notes of a step from the top. Where there are more than voices the lowest are left out, and
  /// do not come back in a later step.
  private func appendNotes(
    _ tokens: GrowableBuffer<Int32>, _ grid: Grid, _ step: Int, _ new: PitchSet,
    _ ends: inout [Int]
  ) throws(OutOfMemory) {
    var voices = 0
    for pitch in stride(from: grid.pitches - 1, through: 0, by: -1) {
      let held = grid.lasts && ends[pitch] > step
      guard new[pitch] || held else { continue }
      guard voices < grid.voices else {
        ends[pitch] = step
        continue
      }
      try tokens.append((new[pitch] ? grid.firstNew : grid.firstHeld) + Int32(pitch))
      voices += 1
    }
  }
}
