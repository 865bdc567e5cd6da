import Memory

/// What of a file no part is made of.
public struct PartsLeftOut: Equatable, Sendable {
  /// Tracks, other than the first, that hold no notes.
  public var emptyTracks = 0
  /// Parts without a note that can be written, with the notes of another part, and beyond the most there can be.
  public var unwritten = 0
  public var doubled = 0
  public var tooMany = 0

  public init() {}
}

/// The parts of a file: a part for each track, channel and program with notes, and one for the drum channel of all tracks.
/// Left out are parts without a note that can be written, those that have the same notes as another, and those beyond
/// `Part.mostPitched`.
struct FileParts {
  /// A note of a part that is kept.
  struct Note: BitwiseCopyable {
    var note: MIDINote
    var part: Int
  }

  /// In the order of their starts.
  let notes: GrowableBuffer<Note>
  /// What each part is played with.
  private(set) var programs: [Int] = []
  /// The track each is of: of drums the first.
  private(set) var tracks: [Int] = []
  private(set) var leftOut = PartsLeftOut()

  /// Tells parts apart, and orders them: track, channel and program.
  private struct Key: BitwiseCopyable, Equatable {
    var value: Int

    init(track: Int, channel: Int, program: Int) { value = track << 16 | channel << 8 | program }

    var track: Int { value >> 16 }
    var isDrums: Bool { value >> 8 & 0xFF == drumChannel }
    var program: Int { isDrums ? Instrument.drums : value & 0xFF }
  }

  /// A part before it is known whether it is kept.
  private struct Candidate: BitwiseCopyable {
    let key: Key
    var notes = 0
    /// Of its notes on the grid.
    var fingerprint: UInt64 = 0
    /// Its number; -1 if it is left out.
    var part = -1
  }

  init(_ file: MIDIFile, _ grid: Grid) throws(OutOfMemory) {
    let paired = try file.pairedNotes()
    let programs = try MIDIPrograms(file)
    var drumTrack = Int.max
    for note in paired where note.channel == drumChannel { drumTrack = min(drumTrack, note.track) }
    let keys = try GrowableBuffer<Key>(capacity: paired.count)
    for note in paired {
      keys.appendReserved(
        note.channel == drumChannel
          ? Key(track: drumTrack, channel: drumChannel, program: 0)
          : Key(
            track: note.track, channel: note.channel, program: programs.programInTrack(of: note)))
    }
    let candidates = try Self.candidates(keys)
    notes = try GrowableBuffer(capacity: paired.count)
    for i in 0..<paired.count {
      let place = Self.place(of: keys[i], candidates)
      let isDrums = candidates[place].key.isDrums
      guard !isDrums || DrumsEncoding.place(paired[i].pitch) != nil else { continue }
      candidates[place].notes += 1
      notes.appendReserved(Note(note: paired[i], part: place))
    }
    leftOut.emptyTracks = try Self.emptyTracks(file, paired)
    try Self.compare(notes, candidates, grid, file.ticksPerQuarter)
    choose(candidates)
    notes.keep { candidates[$0.part].part >= 0 }
    for i in 0..<notes.count { notes[i].part = candidates[notes[i].part].part }
  }

  private static func candidates(_ keys: GrowableBuffer<Key>) throws(OutOfMemory)
    -> GrowableBuffer<Candidate>
  {
    let sorted = try GrowableBuffer<Key>(capacity: keys.count)
    for key in keys where sorted.last != key { sorted.appendReserved(key) }
    try sorted.sort { $0.value < $1.value }
    let candidates = GrowableBuffer<Candidate>()
    for key in sorted where candidates.last?.key != key {
      try candidates.append(Candidate(key: key))
    }
    return candidates
  }

  private static func place(of key: Key, _ candidates: GrowableBuffer<Candidate>) -> Int {
    var (low, high) = (0, candidates.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if candidates[middle].key.value < key.value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func emptyTracks(_ file: MIDIFile, _ notes: GrowableBuffer<MIDINote>)
    throws(OutOfMemory) -> Int
  {
    let counts = try GrowableBuffer<Int>(repeating: 0, count: max(1, file.tracks.count))
    for note in notes where note.track < counts.count { counts[note.track] += 1 }
    return counts.elements.dropFirst().reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
  }

  /// Notes what each part plays on the grid, whatever the order.
  private static func compare(
    _ notes: GrowableBuffer<Note>, _ candidates: GrowableBuffer<Candidate>, _ grid: Grid,
    _ ticksPerQuarter: Int
  ) throws(OutOfMemory) {
    let ticks = max(1, ticksPerQuarter)
    func step(_ tick: Int) -> Int {
      (min(tick, 1 << 44) * grid.stepsPerQuarter + ticks / 2) / ticks
    }
    let sorted = try GrowableBuffer<GridScore.Note>(capacity: notes.count)
    for note in notes {
      let from = step(note.note.start)
      let end = candidates[note.part].key.isDrums ? from + 1 : step(note.note.end)
      let pitch =
        candidates[note.part].key.isDrums
        ? DrumsEncoding.place(note.note.pitch) ?? 0 : note.note.pitch
      sorted.appendReserved(
        GridScore.Note(start: from, end: max(from + 1, end), pitch: note.part << 8 | pitch))
    }
    try EnsembleScore.cut(sorted)
    for note in sorted {
      candidates[note.pitch >> 8].fingerprint &+= EnsembleScore.fingerprint(note)
    }
  }

  private mutating func choose(_ candidates: GrowableBuffer<Candidate>) {
    var fingerprints: [UInt64] = []
    for i in 0..<candidates.count {
      let candidate = candidates[i]
      guard candidate.notes > 0 else {
        leftOut.unwritten += 1
        continue
      }
      if !candidate.key.isDrums {
        guard !fingerprints.contains(candidate.fingerprint) else {
          leftOut.doubled += 1
          continue
        }
        guard fingerprints.count < Part.mostPitched else {
          leftOut.tooMany += 1
          continue
        }
        fingerprints.append(candidate.fingerprint)
      }
      candidates[i].part = programs.count
      programs.append(candidate.key.program)
      tracks.append(candidate.key.track)
    }
  }
}
