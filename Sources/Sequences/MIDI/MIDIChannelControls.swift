import Memory

/// What control changes do to notes, by channel over all tracks: when all notes of a channel end, and
/// while its sustain pedal is down (MIDI 1.0, "Channel Mode Messages"; RP-015 for controller 121).
struct MIDIChannelControls {
  /// A time in which the pedal is down.
  private struct Hold: BitwiseCopyable {
    var down, up: Int
  }

  /// By channel, and sorted by tick in each.
  private let ends = GrowableBuffer<Int>()
  private let holds = GrowableBuffer<Hold>()
  /// Where those of each channel begin, and where those of the last one end.
  private var endPlaces = [0]
  private var holdPlaces = [0]

  /// Whether notes are ended anywhere.
  var isEmpty: Bool { ends.count == 0 }

  /// - `count`: how many events there are that count here.
  init(_ file: MIDIFile, count: Int) throws(OutOfMemory) {
    let changes = count > 0 ? try Self.changes(in: file, count: count) : GrowableBuffer()
    var next = 0
    for channel in 0..<16 {
      /// When the pedal went down, if it is down.
      var down: Int?
      func lift(_ tick: Int) throws(OutOfMemory) {
        if let down { try holds.append(Hold(down: down, up: tick)) }
      }
      while next < changes.count && changes[next].channel == channel {
        let change = changes[next]
        next += 1
        switch change.controller {
        case 64 where change.value >= 64: down = down ?? change.tick
        case 64, 121:
          try lift(change.tick)
          down = nil
        case 120:
          // What sounds ends; the pedal stays where it is.
          try lift(change.tick)
          if down != nil { down = change.tick }
          try ends.append(change.tick)
        case 123...: try ends.append(change.tick)
        default: break
        }
      }
      try lift(file.end)
      endPlaces.append(ends.count)
      holdPlaces.append(holds.count)
    }
  }

  private struct Change: BitwiseCopyable {
    var tick: Int
    var channel, controller, value: UInt8
  }

  /// The control changes of all tracks by channel and tick.
  private static func changes(in file: MIDIFile, count: Int) throws(OutOfMemory) -> GrowableBuffer<
    Change
  > {
    let changes = try GrowableBuffer<Change>(capacity: count)
    try file.forEachTrack { (track, _, start) throws(OutOfMemory) in
      var channels: UInt16 = 0
      try track.events.withRecords { (records) throws(OutOfMemory) in
        for record in records where record.actsOnNotes {
          channels |= 1 << UInt16(record.status & 15)
          try changes.append(
            Change(
              tick: start &+ record.tick, channel: record.status & 15, controller: record.first,
              value: record.second))
        }
      }
      guard file.format == 2 else { return }
      // Tracks one after another know nothing of each other.
      for channel in 0..<16 where channels >> UInt16(channel) & 1 == 1 {
        try changes.append(
          Change(
            tick: start &+ track.lastTick, channel: UInt8(channel), controller: 121, value: 0))
      }
    }
    try changes.sort { ($0.channel, $0.tick) < ($1.channel, $1.tick) }
    return changes
  }

  /// The first tick after one at which all notes of a channel end.
  func end(of channel: Int, after tick: Int) -> Int? {
    let (first, last) = (endPlaces[channel], endPlaces[channel + 1])
    let i = partition(first, last) { ends[$0] <= tick }
    return i < last ? ends[i] : nil
  }

  /// The last such tick that is not after one.
  func end(of channel: Int, notAfter tick: Int) -> Int? {
    let first = endPlaces[channel]
    let i = partition(first, endPlaces[channel + 1]) { ends[$0] <= tick }
    return i > first ? ends[i - 1] : nil
  }

  /// Lengthens notes, which are in their order, by the pedal.
  func sustain(_ notes: GrowableBuffer<MIDINote>) throws(OutOfMemory) {
    guard holds.count > 0 else { return }
    let strokes = try Strokes(notes)
    for i in 0..<notes.count {
      let note = notes[i]
      let first = holdPlaces[note.channel]
      // A pedal pressed in the moment of release is too late.
      let next = partition(first, holdPlaces[note.channel + 1]) { holds[$0].down < note.end }
      guard next > first, note.end < holds[next - 1].up else { continue }
      let struck = strokes.first(Int(note.key), from: max(note.end, note.start + 1))
      notes[i].duration = min(holds[next - 1].up, struck ?? .max) - note.start
    }
  }

  /// When each key is struck.
  private struct Strokes {
    /// Starts of notes, key by key, and where each key's begin.
    private let starts: GrowableBuffer<Int>
    private let places: GrowableBuffer<Int>

    /// - `notes`: by their starts.
    init(_ notes: GrowableBuffer<MIDINote>) throws(OutOfMemory) {
      places = try GrowableBuffer(repeating: 0, count: 16 * 128 + 1)
      for note in notes { places[Int(note.key) + 1] += 1 }
      for key in 1..<places.count { places[key] += places[key - 1] }
      starts = try GrowableBuffer(repeating: 0, count: notes.count)
      // The places of keys move to those of the next keys meanwhile.
      for note in notes {
        starts[places[Int(note.key)]] = note.start
        places[Int(note.key)] += 1
      }
    }

    func first(_ key: Int, from tick: Int) -> Int? {
      let last = places[key]
      let i = partition(key > 0 ? places[key - 1] : 0, last) { starts[$0] < tick }
      return i < last ? starts[i] : nil
    }
  }
}

/// The first number from `low` on for which something does not hold that holds up to some point; `high`
/// if there is none.
private func partition(_ low: Int, _ high: Int, _ holds: (Int) -> Bool) -> Int {
  var (low, high) = (low, high)
  while low < high {
    let middle = (low + high) / 2
    if holds(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}
