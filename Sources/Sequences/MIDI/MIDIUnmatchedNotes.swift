import Memory

/// The note-ons of a track that no note-off matches, as brackets are matched: reading backwards, each
/// note-on takes a note-off of its key, and what ends all notes of a channel lies between them.
struct MIDIUnmatchedNotes {
  /// A bit for each event of the track.
  private let bits: GrowableBuffer<UInt64>

  /// - `start`: the tick at which the track begins.
  init(_ track: MIDIFile.Track, _ controls: MIDIChannelControls, from start: Int)
    throws(OutOfMemory)
  {
    /// The note-offs of a key that wait for a note-on, in the present section of its channel: from
    /// where all notes of the channel end to where they do so next.
    struct Waiting: BitwiseCopyable {
      var section = 0
      var count = 0
    }
    let waiting = try GrowableBuffer(repeating: Waiting(), count: 16 * 128)
    let bits = try GrowableBuffer<UInt64>(repeating: 0, count: track.events.count / 64 + 1)
    var sections = [(number: Int, from: Int)](repeating: (0, .max), count: 16)
    track.events.withRecords { records in
      for i in records.indices.reversed() where records[i].kind == .channel {
        let record = records[i]
        let kind = record.status & 0xF0
        guard kind == 0x90 || kind == 0x80 else { continue }
        let channel = Int(record.status & 15)
        let tick = start &+ record.tick
        if tick < sections[channel].from {
          sections[channel].number += 1
          sections[channel].from = controls.end(of: channel, notAfter: tick) ?? .min
        }
        let key = channel << 7 | Int(record.first & 127)
        if waiting[key].section != sections[channel].number {
          waiting[key] = Waiting(section: sections[channel].number)
        }
        if kind == 0x80 || record.second == 0 {
          waiting[key].count += 1
        } else if waiting[key].count > 0 {
          waiting[key].count -= 1
        } else {
          bits[i / 64] |= 1 << UInt64(i % 64)
        }
      }
    }
    self.bits = bits
  }

  func contains(_ event: Int) -> Bool { bits[event / 64] >> UInt64(event % 64) & 1 == 1 }
}
