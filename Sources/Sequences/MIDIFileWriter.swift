extension MIDIFile {
  /// The bytes of a Standard MIDI File that every sequencer opens.
  ///
  /// Running status is used, and given up at meta and system events (RP-001). Each track ends with
  /// an end-of-track event at `Track.end`, or at its last event if that is later. Reading the bytes
  /// gives this file again, as long as it is one: events that are none (a status out of its range, an
  /// end of track among the events) are left out, data bytes above 127 are written as 127, ticks that
  /// go back are written as those before them, ticks above `maximumTick` as that, tracks above
  /// `maximumTracks` not at all, and a format 0 of several tracks as format 1. A pause of more than
  /// 2^28 - 1 ticks, the longest delta time there is, is filled up with empty text events.
  public func write() -> [UInt8] {
    var writer = MIDIFileWriter()
    writer.write(self)
    return writer.bytes
  }
}

struct MIDIFileWriter {
  private(set) var bytes: [UInt8] = []
  private var tick = 0
  private var running: UInt8 = 0

  /// The largest number that a variable-length quantity of four bytes holds.
  static let largestDelta = 1 << 28 - 1

  mutating func write(_ file: MIDIFile) {
    let tracks = file.tracks.prefix(MIDIFile.maximumTracks)
    bytes.reserveCapacity(
      14 + tracks.reduce(0) { $0 + 16 + 4 * $1.events.count + $1.events.bytes.count })
    append("MThd", number: 6)
    let format = min(max(0, file.format), 2)
    append(format == 0 && tracks.count > 1 ? 1 : format, bytes: 2)
    append(tracks.count, bytes: 2)
    switch file.division {
    case .metrical(let ticks): append(min(max(1, ticks), 0x7FFF), bytes: 2)
    case .timeCode(let frames, let ticks):
      append(256 - min(max(1, frames), 128), bytes: 1)
      append(min(max(1, ticks), 255), bytes: 1)
    }
    for track in tracks { write(track) }
  }

  private mutating func write(_ track: MIDIFile.Track) {
    append("MTrk", number: 0)
    let start = bytes.count
    (tick, running) = (0, 0)
    for record in track.events.records { write(record, of: track.events) }
    appendDelta(to: track.end)
    bytes += [0xFF, 0x2F, 0]
    let length = UInt32(clamping: bytes.count - start)
    for i in 0..<4 { bytes[start - 4 + i] = UInt8(truncatingIfNeeded: length >> (24 - 8 * i)) }
  }

  private mutating func write(_ record: MIDIEvents.Record, of events: MIDIEvents) {
    switch record.kind {
    case .channel:
      guard (0x80..<0xF0).contains(record.status) else { return }
      appendDelta(to: record.tick)
      if record.status != running {
        bytes.append(record.status)
        running = record.status
      }
      bytes.append(min(record.first, 127))
      if record.status & 0xE0 != 0xC0 { bytes.append(min(record.second, 127)) }
    case .meta:
      guard record.first != 0x2F else { return }
      appendDelta(to: record.tick)
      bytes += [0xFF, record.first]
      append(payload: events.payload(record))
    case .system:
      guard record.status == 0xF0 || record.status == 0xF7 else { return }
      appendDelta(to: record.tick)
      bytes.append(record.status)
      append(payload: events.payload(record))
    }
  }

  private mutating func append(payload: ArraySlice<UInt8>) {
    let payload = payload.prefix(Self.largestDelta)
    append(variableLength: payload.count)
    bytes += payload
    running = 0
  }

  private mutating func appendDelta(to next: Int) {
    let next = min(max(tick, next), MIDIFile.maximumTick)
    while next - tick > Self.largestDelta {
      append(variableLength: Self.largestDelta)
      bytes += [0xFF, 0x01, 0]
      running = 0
      tick += Self.largestDelta
    }
    append(variableLength: next - tick)
    tick = next
  }

  private mutating func append(variableLength value: Int) {
    if value < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: value))
      return
    }
    var shift = value >= 1 << 21 ? 21 : value >= 1 << 14 ? 14 : 7
    while shift > 0 {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift) | 0x80)
      shift -= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value) & 0x7F)
  }

  private mutating func append(_ name: StaticString, number: Int) {
    bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    append(number, bytes: 4)
  }

  /// In big-endian order.
  private mutating func append(_ value: Int, bytes count: Int) {
    for i in 0..<count {
      bytes.append(UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - i))))
    }
  }
}
