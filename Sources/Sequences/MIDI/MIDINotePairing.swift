import Memory

/// Makes notes of the events of tracks, one track after another; see `MIDIFile.notes`.
///
/// While a note sounds, its duration holds the number of the next one of its key that sounds, -1 for
/// none; so pairing allocates nothing per note.
struct MIDINotePairing {
  /// What had to be mended in a track.
  struct Mended {
    /// Notes without a note-off, and notes that a control change ended; how many, and the first ended.
    var missing = 0, cut = 0
    var firstMissing: MIDINote?
    var firstCut: MIDINote?
  }

  private let buffer: GrowableBuffer<MIDINote>
  private let notes: UnsafeMutablePointer<MIDINote>
  private let controls: MIDIChannelControls
  private var count = 0

  /// Of each key, 128 of a channel, one after another in one block:
  private let queues: GrowableBuffer<Int>
  /// the notes that sound, as a queue of note numbers; -1 for none,
  private let first: UnsafeMutablePointer<Int>
  private let last: UnsafeMutablePointer<Int>
  /// and the note without a note-off that sounds; -1 for none.
  private let lone: UnsafeMutablePointer<Int>
  private var sounding = 0
  /// The tick at which all notes of each channel end next.
  private var ends = [Int](repeating: .max, count: 16)
  /// And the last one at which they did.
  private var cuts = [Int](repeating: .min, count: 16)
  private var mended = Mended()
  private static let keys = 16 * 128

  /// - `notes`: of which there must be one at least; they are overwritten.
  init(_ notes: GrowableBuffer<MIDINote>, _ controls: MIDIChannelControls) throws(OutOfMemory) {
    buffer = notes
    self.notes = notes.base!
    self.controls = controls
    queues = try GrowableBuffer(repeating: -1, count: 3 * Self.keys)
    first = queues.base!
    last = first + Self.keys
    lone = last + Self.keys
  }

  /// Makes the notes of all tracks, and hands on what had to be mended in each.
  mutating func add(
    _ file: MIDIFile, _ each: (_ track: Int, Mended) -> Void
  ) throws(OutOfMemory) {
    try file.forEachTrack { (track, number, start) throws(OutOfMemory) in
      each(number, try add(track, number: number, from: start))
    }
  }

  /// - `start`: the tick at which the track begins.
  private mutating func add(_ track: MIDIFile.Track, number: Int, from start: Int)
    throws(OutOfMemory) -> Mended
  {
    let before = count
    mended = Mended()
    if !pair(track, number: number, from: start, unmatched: nil) {
      // Some note has no note-off: once more, knowing which.
      count = before
      mended = Mended()
      let unmatched = try MIDIUnmatchedNotes(track, controls, from: start)
      _ = pair(track, number: number, from: start, unmatched: unmatched)
    }
    return mended
  }

  /// Pairs the notes of a track. Without `unmatched`, false as soon as a note has no note-off.
  private mutating func pair(
    _ track: MIDIFile.Track, number: Int, from start: Int, unmatched: MIDIUnmatchedNotes?
  ) -> Bool {
    if !controls.isEmpty {
      for channel in 0..<16 { ends[channel] = controls.end(of: channel, after: start - 1) ?? .max }
    }
    let allMatched = track.events.withRecords { records in
      for (i, record) in records.enumerated() where record.kind == .channel {
        let kind = record.status & 0xF0
        guard kind == 0x90 || kind == 0x80 else { continue }
        let channel = Int(record.status & 15)
        let key = channel << 7 | Int(record.first & 127)
        let tick = start &+ record.tick
        if tick >= ends[channel] {
          guard end(channel, at: ends[channel], isCut: true, mayEnd: unmatched != nil) else {
            return false
          }
          cuts[channel] = ends[channel]
          ends[channel] = controls.end(of: channel, after: tick) ?? .max
        }
        if kind == 0x90 && record.second != 0 {
          let number = Int32(clamping: number)
          noteOn(key, record, number, tick, isLone: unmatched?.contains(i) ?? false)
        } else {
          noteOff(key, tick)
        }
      }
      return true
    }
    let last = start &+ track.lastTick
    guard allMatched, sounding > 0 else { return allMatched || forget() }
    for channel in 0..<16 {
      let isCut = ends[channel] <= last
      guard end(channel, at: min(last, ends[channel]), isCut: isCut, mayEnd: unmatched != nil)
      else { return forget() }
    }
    return true
  }

  /// Forgets what sounds; false.
  private mutating func forget() -> Bool {
    first.update(repeating: -1, count: 3 * Self.keys)
    sounding = 0
    return false
  }

  @inline(__always)
  private mutating func noteOn(
    _ key: Int, _ record: MIDIEvents.Record, _ track: Int32, _ tick: Int, isLone: Bool
  ) {
    (notes + count).initialize(
      to: MIDINote(
        start: tick, duration: -1, key: UInt16(truncatingIfNeeded: key),
        velocity: min(record.second, 127), track: track))
    if isLone {
      endLone(key, tick)
      lone[key] = count
    } else {
      if first[key] < 0 { first[key] = count } else { notes[last[key]].duration = count }
      last[key] = count
    }
    count += 1
    sounding += 1
  }

  @inline(__always)
  private mutating func noteOff(_ key: Int, _ tick: Int) {
    endLone(key, tick)
    if first[key] >= 0 {
      release(key, tick)
    } else if tick == cuts[key >> 7] {
      // The note had its note-off at the very moment all were ended.
      mended.cut -= 1
    }
  }

  /// Ends the note of a key that sounds longest, of which there must be one.
  @inline(__always)
  private mutating func release(_ key: Int, _ tick: Int) {
    let note = first[key]
    first[key] = notes[note].duration
    finish(note, tick)
  }

  @inline(__always)
  private mutating func endLone(_ key: Int, _ tick: Int) {
    if lone[key] >= 0 { mendLone(key, tick) }
  }

  private mutating func mendLone(_ key: Int, _ tick: Int) {
    let note = lone[key]
    finish(note, tick)
    lone[key] = -1
    mended.missing += 1
    mended.firstMissing = mended.firstMissing ?? notes[note]
  }

  @inline(__always)
  private mutating func finish(_ note: Int, _ tick: Int) {
    notes[note].duration = max(0, tick &- notes[note].start)
    sounding -= 1
  }

  /// Ends all notes of a channel.
  ///
  /// - `isCut`: whether by a control change.
  /// - `mayEnd`: whether they may; if not, false where there are any.
  private mutating func end(_ channel: Int, at tick: Int, isCut: Bool, mayEnd: Bool) -> Bool {
    guard sounding > 0 else { return true }
    for key in channel << 7..<(channel + 1) << 7 where first[key] >= 0 || lone[key] >= 0 {
      guard mayEnd else { return false }
      if isCut && lone[key] >= 0 {
        let note = lone[key]
        finish(note, tick)
        lone[key] = -1
        mended.cut += 1
        mended.firstCut = mended.firstCut ?? notes[note]
      }
      endLone(key, tick)
      while first[key] >= 0 { release(key, tick) }
    }
    return true
  }
}
