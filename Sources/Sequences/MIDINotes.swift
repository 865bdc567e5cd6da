/// A note: a note-on and the note-off that ends it.
public struct MIDINote: Equatable, Sendable {
  /// The beginning and the length in ticks of the file; the length is at least 0.
  public var start: Int
  public var duration: Int
  /// The channel, in the high 8 bits, and the pitch: what notes of one start are sorted by.
  private var key: UInt16
  private var velocityByte: UInt8
  private var trackNumber: Int32

  /// Values out of their range are taken as the nearest in it.
  public init(start: Int, duration: Int, channel: Int, pitch: Int, velocity: Int, track: Int = 0) {
    self.init(
      start: start, duration: duration,
      key: UInt16(min(max(0, channel), 15)) << 8 | UInt16(min(max(0, pitch), 127)),
      velocity: UInt8(min(max(1, velocity), 127)), track: Int32(clamping: track))
  }

  @inline(__always)
  fileprivate init(start: Int, duration: Int, key: UInt16, velocity: UInt8, track: Int32) {
    (self.start, self.duration, self.key) = (start, duration, key)
    (velocityByte, trackNumber) = (velocity, track)
  }

  /// 0 to 15; 9 is the channel of drums by General MIDI.
  public var channel: Int {
    get { Int(key >> 8) }
    set { key = UInt16(min(max(0, newValue), 15)) << 8 | key & 0xFF }
  }

  /// 0 to 127; 60 is middle C.
  public var pitch: Int {
    get { Int(key & 0xFF) }
    set { key = key & 0xFF00 | UInt16(min(max(0, newValue), 127)) }
  }

  /// 1 to 127.
  public var velocity: Int {
    get { Int(velocityByte) }
    set { velocityByte = UInt8(min(max(1, newValue), 127)) }
  }

  /// The track it came from.
  public var track: Int {
    get { Int(trackNumber) }
    set { trackNumber = Int32(clamping: newValue) }
  }

  /// The tick where it ends.
  public var end: Int { start &+ duration }

  /// Whether it comes before another in the order of `MIDIFile.notes`. Without a branch, which would
  /// be foretold wrongly where tracks are merged.
  @inline(__always)
  func precedes(_ other: MIDINote) -> Bool {
    let (earlier, together) = (start < other.start, start == other.start)
    return earlier || (together && key < other.key)
  }
}

extension MIDIFile {
  /// The notes of all tracks by start, then channel, then pitch, and of equals by track and place in
  /// it.
  ///
  /// Notes are paired within a track: a note-off ends the longest sounding note of its channel and
  /// pitch. A note that none ends lasts to the end of its track; a note-off that ends none does
  /// nothing; a note-on of velocity 0 is a note-off. In format 2 each track begins where the one
  /// before ends. O(events + notes log tracks).
  ///
  /// - `sustain`: whether the sustain pedal (controller 64, down from 64 on) of the same track and
  ///   channel lengthens notes: while it is down, a note released sounds until the pedal is lifted,
  ///   its key is struck again, or the track ends.
  public func notes(sustain: Bool = false) -> [MIDINote] {
    var count = 0
    for track in tracks {
      for record in track.events.records { count &+= record.notesBegun }
    }
    guard count > 0 else { return [] }
    var notes = [MIDINote](unsafeUninitializedCapacity: count) { notes, initialized in
      var pairing = NotePairing(notes: notes.baseAddress!, sustain: sustain)
      for ((number, track), start) in zip(tracks.enumerated(), trackStarts) {
        pairing.add(track, number: number, from: start)
      }
      pairing.free()
      initialized = pairing.count
    }
    notes.withUnsafeMutableBufferPointer { sort($0) }
    return notes
  }
}

extension MIDIEvents.Record {
  /// 1 for a note-on, otherwise 0; without a branch, which would be foretold wrongly.
  @inline(__always)
  fileprivate var notesBegun: Int {
    let differs = (status & 0xF0 ^ 0x90) | kind.rawValue
    return (differs == 0 ? 1 : 0) & (second != 0 ? 1 : 0)
  }
}

/// Makes notes of the events of tracks. While a note sounds, its duration holds the number of the
/// next one of its key that sounds, -1 for none; so pairing allocates nothing per note.
private struct NotePairing {
  private let notes: UnsafeMutablePointer<MIDINote>
  private let sustain: Bool
  private(set) var count = 0

  /// For each key, 128 of a channel: the notes that sound, as a queue of note numbers. -1 for none.
  private let first: UnsafeMutablePointer<Int>
  private let last: UnsafeMutablePointer<Int>
  /// Those that were released, and go on by the pedal.
  private let held: UnsafeMutablePointer<Int>
  /// The keys of a channel that may have such.
  private var heldKeys = [[Int]](repeating: [], count: 16)
  private var pedals: UInt16 = 0
  private var sounding = 0
  private static let keys = 16 * 128

  init(notes: UnsafeMutablePointer<MIDINote>, sustain: Bool) {
    self.notes = notes
    self.sustain = sustain
    first = .allocate(capacity: 3 * Self.keys)
    first.initialize(repeating: -1, count: 3 * Self.keys)
    last = first + Self.keys
    held = last + Self.keys
  }

  func free() { first.deallocate() }

  /// - `start`: the tick at which the track begins.
  mutating func add(_ track: MIDIFile.Track, number: Int, from start: Int) {
    track.events.records.withUnsafeBufferPointer { records in
      for record in records where record.kind == .channel {
        let kind = record.status & 0xF0
        if kind == 0x90 || kind == 0x80 {
          let key = Int(record.status & 15) << 7 | Int(record.first & 127)
          if kind == 0x90 && record.second != 0 {
            noteOn(key, record, Int32(clamping: number), start &+ record.tick)
          } else {
            noteOff(key, start &+ record.tick)
          }
        } else if sustain && kind == 0xB0 && record.first == 64 {
          pedal(Int(record.status & 15), isDown: record.second >= 64, start &+ record.tick)
        }
      }
    }
    let end = start &+ track.lastTick
    if sounding > 0 {
      for key in 0..<Self.keys { while first[key] >= 0 { _ = release(key, end) } }
    }
    if sustain { for channel in 0..<16 { pedal(channel, isDown: false, end) } }
  }

  @inline(__always)
  private mutating func noteOn(
    _ key: Int, _ record: MIDIEvents.Record, _ track: Int32, _ tick: Int
  ) {
    if sustain { silence(key, tick) }
    (notes + count).initialize(
      to: MIDINote(
        start: tick, duration: -1, key: UInt16(record.status & 15) << 8 | UInt16(key & 127),
        velocity: min(record.second, 127), track: track))
    if first[key] < 0 { first[key] = count } else { notes[last[key]].duration = count }
    last[key] = count
    count += 1
    sounding += 1
  }

  @inline(__always)
  private mutating func noteOff(_ key: Int, _ tick: Int) {
    guard first[key] >= 0 else { return }
    let note = release(key, tick)
    if sustain && pedals & (1 << UInt16(key >> 7)) != 0 {
      notes[note].duration = held[key]
      held[key] = note
      heldKeys[key >> 7].append(key)
    }
  }

  /// Ends the note of a key that sounds longest, of which there must be one; its number.
  @inline(__always)
  private mutating func release(_ key: Int, _ tick: Int) -> Int {
    let note = first[key]
    first[key] = notes[note].duration
    finish(note, tick)
    sounding -= 1
    return note
  }

  private mutating func pedal(_ channel: Int, isDown: Bool, _ tick: Int) {
    let bit: UInt16 = 1 << UInt16(channel)
    if isDown {
      pedals |= bit
    } else if pedals & bit != 0 {
      pedals &= ~bit
      for key in heldKeys[channel] { silence(key, tick) }
      heldKeys[channel].removeAll(keepingCapacity: true)
    }
  }

  /// Ends the notes of a key that the pedal holds.
  private mutating func silence(_ key: Int, _ tick: Int) {
    while held[key] >= 0 {
      let note = held[key]
      held[key] = notes[note].duration
      finish(note, tick)
    }
  }

  @inline(__always)
  private func finish(_ note: Int, _ tick: Int) {
    notes[note].duration = max(0, tick &- notes[note].start)
  }
}

/// Sorts notes by `MIDINote.precedes`, keeping equals in order. Tracks are nearly sorted: chords are
/// put in order in place, and the runs that result, about as many as tracks, merged two by two.
private func sort(_ notes: UnsafeMutableBufferPointer<MIDINote>) {
  let base = notes.baseAddress!
  sortChords(base, notes.count)
  var runs = [0]
  for i in 1..<max(1, notes.count) where base[i].precedes(base[i - 1]) { runs.append(i) }
  guard runs.count > 1 else { return }
  runs.append(notes.count)
  let other = UnsafeMutablePointer<MIDINote>.allocate(capacity: notes.count)
  defer { other.deallocate() }
  var (from, to) = (base, other)
  while runs.count > 2 {
    var merged = [0]
    for i in stride(from: 0, to: runs.count - 1, by: 2) {
      let end = i + 2 < runs.count ? runs[i + 2] : runs[i + 1]
      merge(from, to, runs[i], runs[i + 1], end)
      merged.append(end)
    }
    runs = merged
    swap(&from, &to)
  }
  if from != base { base.update(from: from, count: notes.count) }
}

/// Puts notes of one start in order by insertion, at most so far back that time stays linear.
private func sortChords(_ notes: UnsafeMutablePointer<MIDINote>, _ count: Int) {
  var chord = 0
  for i in 1..<max(1, count) {
    if notes[i].start != notes[chord].start || i - chord == 32 { chord = i }
    guard i > chord, notes[i].precedes(notes[i - 1]) else { continue }
    let note = notes[i]
    var j = i
    while j > chord && note.precedes(notes[j - 1]) {
      notes[j] = notes[j - 1]
      j -= 1
    }
    notes[j] = note
  }
}

/// Merges the runs [start, middle) and [middle, end), the second of which may be empty.
private func merge(
  _ from: UnsafeMutablePointer<MIDINote>, _ to: UnsafeMutablePointer<MIDINote>,
  _ start: Int, _ middle: Int, _ end: Int
) {
  var (i, j, k) = (start, middle, start)
  while i < middle && j < end {
    let takesSecond = from[j].precedes(from[i])
    (to + k).initialize(to: from[takesSecond ? j : i])
    j += takesSecond ? 1 : 0
    i += takesSecond ? 0 : 1
    k += 1
  }
  (to + k).initialize(from: from + i, count: middle - i)
  (to + k + middle - i).initialize(from: from + j, count: end - j)
}
