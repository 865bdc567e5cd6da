/// What control changes do to notes, by channel over all tracks: when all notes of a channel end, and
/// while its sustain pedal is down (MIDI 1.0, "Channel Mode Messages"; RP-015 for controller 121).
struct MIDIChannelControls {
  /// A time in which the pedal is down.
  private struct Hold {
    var down, up: Int
  }

  /// Sorted by tick in each channel.
  private var ends: [[Int]] = []
  private var holds: [[Hold]] = []

  /// Whether notes are ended anywhere.
  var isEmpty: Bool { ends.isEmpty }

  /// - `count`: how many events there are that count here.
  init(_ file: MIDIFile, count: Int) {
    guard count > 0 else { return }
    struct Change {
      var tick: Int
      var channel, controller, value: UInt8
    }
    var changes: [Change] = []
    changes.reserveCapacity(count)
    for (track, start) in zip(file.tracks, file.trackStarts) {
      var channels: UInt16 = 0
      for record in track.events.records where record.actsOnNotes {
        channels |= 1 << UInt16(record.status & 15)
        changes.append(
          Change(
            tick: start &+ record.tick, channel: record.status & 15, controller: record.first,
            value: record.second))
      }
      guard file.format == 2 else { continue }
      // Tracks one after another know nothing of each other.
      for channel in 0..<16 where channels >> UInt16(channel) & 1 == 1 {
        changes.append(
          Change(
            tick: start &+ track.lastTick, channel: UInt8(channel), controller: 121, value: 0))
      }
    }
    changes.sort { $0.tick < $1.tick }
    ends = Array(repeating: [], count: 16)
    holds = Array(repeating: [], count: 16)
    var downs = [Int?](repeating: nil, count: 16)
    for change in changes {
      let channel = Int(change.channel)
      func lift() {
        if let down = downs[channel] { holds[channel].append(Hold(down: down, up: change.tick)) }
      }
      switch change.controller {
      case 64 where change.value >= 64: downs[channel] = downs[channel] ?? change.tick
      case 64, 121:
        lift()
        downs[channel] = nil
      case 120:
        // What sounds ends; the pedal stays where it is.
        lift()
        if downs[channel] != nil { downs[channel] = change.tick }
        ends[channel].append(change.tick)
      case 123...: ends[channel].append(change.tick)
      default: break
      }
    }
    for channel in 0..<16 {
      if let down = downs[channel] { holds[channel].append(Hold(down: down, up: file.end)) }
    }
  }

  /// The first tick after one at which all notes of a channel end.
  func end(of channel: Int, after tick: Int) -> Int? {
    guard !isEmpty else { return nil }
    let ends = ends[channel]
    let i = partition(ends.count) { ends[$0] <= tick }
    return i < ends.count ? ends[i] : nil
  }

  /// The last such tick that is not after one.
  func end(of channel: Int, notAfter tick: Int) -> Int? {
    guard !isEmpty else { return nil }
    let ends = ends[channel]
    let i = partition(ends.count) { ends[$0] <= tick }
    return i > 0 ? ends[i - 1] : nil
  }

  /// Lengthens notes, which are in their order, by the pedal.
  func sustain(_ notes: UnsafeMutableBufferPointer<MIDINote>) {
    guard holds.contains(where: { !$0.isEmpty }) else { return }
    let strokes = Strokes(notes)
    for i in notes.indices {
      let note = notes[i]
      let holds = holds[note.channel]
      // A pedal pressed in the moment of release is too late.
      let next = partition(holds.count) { holds[$0].down < note.end }
      guard next > 0, note.end < holds[next - 1].up else { continue }
      let struck = strokes.first(Int(note.key), from: max(note.end, note.start + 1))
      notes[i].duration = min(holds[next - 1].up, struck ?? .max) - note.start
    }
  }

  /// When each key is struck.
  private struct Strokes {
    /// Starts of notes, key by key, and where each key's begin.
    private var starts: [Int]
    private var places: [Int]

    /// - `notes`: by their starts.
    init(_ notes: UnsafeMutableBufferPointer<MIDINote>) {
      places = Array(repeating: 0, count: 16 * 128 + 1)
      for note in notes { places[Int(note.key) + 1] += 1 }
      for key in 1..<places.count { places[key] += places[key - 1] }
      starts = Array(repeating: 0, count: notes.count)
      var next = places
      for note in notes {
        starts[next[Int(note.key)]] = note.start
        next[Int(note.key)] += 1
      }
    }

    func first(_ key: Int, from tick: Int) -> Int? {
      let (low, high) = (places[key], places[key + 1])
      let i = low + partition(high - low) { starts[low + $0] < tick }
      return i < high ? starts[i] : nil
    }
  }
}

/// The first number below `count` for which something does not hold that holds up to some point.
private func partition(_ count: Int, _ holds: (Int) -> Bool) -> Int {
  var (low, high) = (0, count)
  while low < high {
    let middle = (low + high) / 2
    if holds(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}
