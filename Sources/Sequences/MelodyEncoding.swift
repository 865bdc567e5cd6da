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

  public func select(_ file: MIDIFile) -> [MIDINote] {
    skyline(melodicTrack(file.notes().filter { $0.channel != drumChannel }, file), file)
  }

  public func place(_ pitch: Int) -> Int? { pitch }
  public var midiPitches: [UInt8] { (0...127).map { UInt8($0) } }
  public var channel: Int { 0 }

  /// The notes of the track that is most of a melody: one whose name says so, else the one that is
  /// high and has few notes at a time.
  private func melodicTrack(_ notes: [MIDINote], _ file: MIDIFile) -> [MIDINote] {
    /// A part is a track and channel: files of one track keep their parts in channels.
    struct Part: Hashable {
      let track, channel: Int
    }
    var parts: [Part: [MIDINote]] = [:]
    for note in notes {
      parts[Part(track: note.track, channel: note.channel), default: []].append(note)
    }
    let quarter = max(1, file.ticksPerQuarter)
    let longest = max(1, parts.values.map(\.count).max() ?? 1)
    func rank(_ part: Part, _ notes: [MIDINote]) -> Double {
      let name =
        (file.tracks.indices.contains(part.track) ? file.tracks[part.track].name ?? "" : "")
        .lowercased()
      let named = ["melody", "vocal", "voice", "lead", "solo"].contains { name.contains($0) }
      let beginnings = Set(notes.map { $0.start / max(1, quarter / 8) }).count
      let alone = Double(beginnings) / Double(max(1, notes.count))
      let pitch = Double(notes.reduce(0) { $0 + $1.pitch }) / Double(max(1, notes.count))
      // A part of some notes only is an ornament.
      let share = Double(notes.count) / Double(longest)
      return (named ? 100 : 0) + 40 * alone + pitch / 3 + 10 * min(1, 4 * share)
    }
    let best = parts.map { (part: $0, notes: $1, rank: rank($0, $1)) }
      .max { a, b in
        (a.rank, -a.part.track, -a.part.channel) < (b.rank, -b.part.track, -b.part.channel)
      }
    return best?.notes ?? []
  }

  /// The highest line: a note sounds unless a higher one does, and ends where the next begins.
  private func skyline(_ notes: [MIDINote], _ file: MIDIFile) -> [MIDINote] {
    // Players hold keys a little into the next note; that is no second voice.
    let overlap = max(1, file.ticksPerQuarter / 4)
    var line: [MIDINote] = []
    for note in notes.sorted(by: { ($0.start, -$0.pitch) < ($1.start, -$1.pitch) }) {
      guard var before = line.last else {
        line.append(note)
        continue
      }
      let rest = before.start + before.duration - note.start
      if note.start == before.start { continue }
      if rest > overlap && note.pitch < before.pitch { continue }
      if rest > 0 {
        before.duration -= rest
        line[line.count - 1] = before
      }
      line.append(note)
    }
    return line
  }
}
