import Memory

/// One voice on a grid: the melody of a file, its highest line.
///
/// Lost are: everything but the most melodic track and in it everything below the highest note, time
/// finer than a step, velocity, channel and program.
public final class MelodyEncoding: GridEncoding {
  public static let name = "melody"
  public let grid: Grid

  public init(_ grid: Grid) { self.grid = grid }

  public init(stepsPerQuarter: Int = 4) throws(EncodingError) {
    grid = try Grid(
      stepsPerQuarter: stepsPerQuarter, lowest: 0, pitches: 128, lasts: true, voices: 1)
  }

  public func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let notes = try file.pairedNotes()
    notes.keep { $0.channel != drumChannel }
    try keepMelodicPart(of: notes, file)
    return try skyline(notes, file)
  }

  public func place(_ pitch: Int) -> Int? { pitch }
  public var midiPitches: [UInt8] { (0...127).map { UInt8($0) } }
  public var channel: Int { 0 }

  /// A part is a track and channel: files of one track keep their parts in channels.
  private struct Part {
    let notes: Range<Int>
    var rank = 0.0
  }

  /// Leaves the notes of the part that is most of a melody: one whose name says so, else the one that is
  /// high and has few notes at a time.
  private func keepMelodicPart(of notes: GrowableBuffer<MIDINote>, _ file: MIDIFile)
    throws(OutOfMemory)
  {
    try notes.sort { ($0.track, $0.channel) < ($1.track, $1.channel) }
    var longest = 1
    forEachPart(of: notes) { longest = max(longest, $0.count) }
    var best: Part?
    forEachPart(of: notes) { range in
      let part = Part(notes: range, rank: rank(notes, range, file, longest: longest))
      if part.rank > best?.rank ?? -.infinity { best = part }
    }
    guard let best else { return }
    let part = (notes[best.notes.lowerBound].track, notes[best.notes.lowerBound].channel)
    notes.keep { ($0.track, $0.channel) == part }
  }

  private func forEachPart(of notes: GrowableBuffer<MIDINote>, _ body: (Range<Int>) -> Void) {
    var start = 0
    for i in 1..<notes.count + 1 {
      let isSame =
        i < notes.count
        && (notes[i].track, notes[i].channel) == (notes[start].track, notes[start].channel)
      guard !isSame else { continue }
      body(start..<i)
      start = i
    }
  }

  /// How much of a melody a part is.
  ///
  /// - `longest`: the notes of the part that has most.
  private func rank(
    _ notes: GrowableBuffer<MIDINote>, _ part: Range<Int>, _ file: MIDIFile, longest: Int
  ) -> Double {
    let track = notes[part.lowerBound].track
    let name = (file.tracks.indices.contains(track) ? file.tracks[track].name ?? "" : "")
      .lowercased()
    let isNamed = ["melody", "vocal", "voice", "lead", "solo"].contains { name.contains($0) }
    let moment = max(1, max(1, file.ticksPerQuarter) / 8)
    var beginnings = 0
    var last = -1
    var pitches = 0
    for i in part {
      if notes[i].start / moment != last { beginnings += 1 }
      last = notes[i].start / moment
      pitches += notes[i].pitch
    }
    let alone = Double(beginnings) / Double(part.count)
    let pitch = Double(pitches) / Double(part.count)
    // A part of some notes only is an ornament.
    let share = Double(part.count) / Double(longest)
    return (isNamed ? 100 : 0) + 40 * alone + pitch / 3 + 10 * min(1, 4 * share)
  }

  /// The highest line: a note sounds unless a higher one does, and ends where the next begins.
  private func skyline(_ notes: GrowableBuffer<MIDINote>, _ file: MIDIFile) throws(OutOfMemory)
    -> GrowableBuffer<MIDINote>
  {
    // Players hold keys a little into the next note; that is no second voice.
    let overlap = max(1, file.ticksPerQuarter / 4)
    try notes.sort { ($0.start, -$0.pitch) < ($1.start, -$1.pitch) }
    let line = GrowableBuffer<MIDINote>()
    for note in notes {
      guard line.count > 0 else {
        try line.append(note)
        continue
      }
      var before = line[line.count - 1]
      let rest = before.start + before.duration - note.start
      if note.start == before.start { continue }
      if rest > overlap && note.pitch < before.pitch { continue }
      if rest > 0 {
        before.duration -= rest
        line[line.count - 1] = before
      }
      try line.append(note)
    }
    return line
  }
}
