import Libretto
import Sequences

/// What can be told of a MIDI file.
struct MIDIFacts {
  struct Track {
    let name: String?
    var channels: [Int] = []
    var programs: [Int] = []
    let events: Int
    var notes = 0
    var range: ClosedRange<Int>?
    let end: Int
  }

  let file: MIDIFile
  let notes: [MIDINote]
  let bars: BarLines
  private(set) var tracks: [Track] = []

  /// The changes with their places in bars.
  let tempos: [(position: Double, change: MIDITempoMap.Change)]
  let timeSignatures: [(position: Double, change: BarLines.Section)]
  let keys: [(position: Double, change: MIDIKeySignature)]

  init(_ file: MIDIFile) {
    self.file = file
    notes = file.notes()
    let bars = BarLines(file)
    self.bars = bars
    tempos = file.tempoMap.changes.map { (bars.position($0.tick), $0) }
    timeSignatures = bars.sections.map { (Double($0.bar), $0) }
    keys = file.keySignatures.map { (bars.position($0.tick), $0) }
    for track in file.tracks { tracks.append(Self.facts(of: track)) }
    for note in notes where tracks.indices.contains(note.track) {
      tracks[note.track].notes += 1
      let range = tracks[note.track].range ?? note.pitch...note.pitch
      tracks[note.track].range =
        min(range.lowerBound, note.pitch)...max(range.upperBound, note.pitch)
    }
  }

  private static func facts(of track: MIDIFile.Track) -> Track {
    var channels: UInt16 = 0
    var programs = Set<Int>()
    for event in track.events {
      guard case .channel(let status, let first, _) = event.message else { continue }
      channels |= 1 << UInt16(status & 15)
      if status & 0xF0 == 0xC0 { programs.insert(Int(first & 127)) }
    }
    return Track(
      name: track.name, channels: (0..<16).filter { channels >> UInt16($0) & 1 == 1 },
      programs: programs.sorted(), events: track.events.count,
      end: max(track.end, track.events.last?.tick ?? 0))
  }

  var barCount: Double { bars.position(file.end) }
  var seconds: Double { file.tempoMap.seconds(at: file.end) }
  var likelyKey: String? { file.likelyKey(notes) }

  func json(_ warnings: [MIDIWarning]) -> JSON {
    .object([
      ("format", .number(file.format)), ("division", division),
      ("tracks", .array(tracks.map(json))), ("notes", .number(notes.count)),
      ("ticks", .number(file.end)), ("bars", .number(barCount)), ("seconds", .number(seconds)),
      (
        "tempos",
        .array(
          tempos.map { _, tempo in
            .object([
              ("tick", .number(tempo.tick)), ("seconds", .number(tempo.seconds)),
              ("beats_per_minute", .number(tempo.beatsPerMinute)),
              ("microseconds_per_quarter", .number(tempo.microsecondsPerQuarter)),
            ])
          })
      ),
      (
        "time_signatures",
        .array(
          timeSignatures.map { _, timeSignature in
            .object([
              ("tick", .number(timeSignature.tick)),
              ("numerator", .number(timeSignature.numerator)),
              ("denominator", .number(timeSignature.denominator)),
            ])
          })
      ),
      (
        "key_signatures",
        .array(
          keys.map { _, key in
            .object([
              ("tick", .number(key.tick)), ("sharps", .number(key.sharps)),
              ("minor", .bool(key.isMinor)), ("name", .string(key.name)),
            ])
          })
      ),
      ("likely_key", likelyKey.map { .string($0) } ?? .null),
      (
        "warnings",
        .array(
          warnings.map {
            .object([("offset", .number($0.offset)), ("message", .string($0.message))])
          })
      ),
    ])
  }

  private var division: JSON {
    switch file.division {
    case .metrical(let ticks): .object([("ticks_per_quarter", .number(ticks))])
    case .timeCode(let frames, let ticks):
      .object([("frames_per_second", .number(frames)), ("ticks_per_frame", .number(ticks))])
    }
  }

  private func json(_ track: Track) -> JSON {
    .object([
      ("name", track.name.map { .string($0) } ?? .null),
      ("channels", .array(track.channels.map { .number($0) })),
      ("programs", .array(track.programs.map { .number($0) })),
      ("events", .number(track.events)), ("notes", .number(track.notes)),
      ("lowest", track.range.map { .number($0.lowerBound) } ?? .null),
      ("highest", track.range.map { .number($0.upperBound) } ?? .null),
      ("end", .number(track.end)),
    ])
  }
}

extension MIDITempoMap.Change {
  /// Quarter notes a minute.
  var beatsPerMinute: Double { 60e6 / Double(microsecondsPerQuarter) }
}
