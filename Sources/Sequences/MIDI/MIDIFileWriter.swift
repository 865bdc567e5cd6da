import Memory

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
  public func encoded() throws(OutOfMemory) -> GrowableBuffer<UInt8> {
    var writer = MIDIFileWriter()
    try writer.write(self)
    return writer.bytes
  }
}

struct MIDIFileWriter {
  let bytes = GrowableBuffer<UInt8>()
  private var tick = 0
  private var running: UInt8 = 0

  /// The largest number that a variable-length quantity of four bytes holds.
  static let largestDelta = 1 << 28 - 1

  mutating func write(_ file: MIDIFile) throws(OutOfMemory) {
    let tracks = file.tracks.prefix(MIDIFile.maximumTracks)
    try append("MThd", number: 6)
    let format = min(max(0, file.format), 2)
    try append(format == 0 && tracks.count > 1 ? 1 : format, bytes: 2)
    try append(tracks.count, bytes: 2)
    switch file.division {
    case .metrical(let ticks): try append(min(max(1, ticks), 0x7FFF), bytes: 2)
    case .timeCode(let frames, let ticks):
      try append(256 - min(max(1, frames), 128), bytes: 1)
      try append(min(max(1, ticks), 255), bytes: 1)
    }
    for track in tracks { try write(track) }
  }

  private mutating func write(_ track: MIDIFile.Track) throws(OutOfMemory) {
    try append("MTrk", number: 0)
    let start = bytes.count
    (tick, running) = (0, 0)
    try track.events.forEach { (record, payload) throws(OutOfMemory) in try write(record, payload) }
    try appendDelta(to: track.end)
    try append(0xFF, 0x2F, 0)
    let length = UInt32(clamping: bytes.count - start)
    for i in 0..<4 { bytes[start - 4 + i] = UInt8(truncatingIfNeeded: length >> (24 - 8 * i)) }
  }

  private mutating func write(
    _ record: MIDIEvents.Record, _ payload: UnsafeBufferPointer<UInt8>
  ) throws(OutOfMemory) {
    switch record.kind {
    case .channel:
      guard (0x80..<0xF0).contains(record.status) else { return }
      try appendDelta(to: record.tick)
      if record.status != running {
        try bytes.append(record.status)
        running = record.status
      }
      try bytes.append(min(record.first, 127))
      if record.status & 0xE0 != 0xC0 { try bytes.append(min(record.second, 127)) }
    case .meta:
      guard record.first != 0x2F else { return }
      try appendDelta(to: record.tick)
      try append(0xFF, record.first)
      try append(payload: payload)
    case .system:
      guard record.status == 0xF0 || record.status == 0xF7 else { return }
      try appendDelta(to: record.tick)
      try bytes.append(record.status)
      try append(payload: payload)
    }
  }

  private mutating func append(payload: UnsafeBufferPointer<UInt8>) throws(OutOfMemory) {
    let payload = UnsafeBufferPointer(rebasing: payload.prefix(Self.largestDelta))
    try append(variableLength: payload.count)
    try bytes.append(contentsOf: payload)
    running = 0
  }

  private mutating func appendDelta(to next: Int) throws(OutOfMemory) {
    let next = min(max(tick, next), MIDIFile.maximumTick)
    while next - tick > Self.largestDelta {
      try append(variableLength: Self.largestDelta)
      try append(0xFF, 0x01, 0)
      running = 0
      tick += Self.largestDelta
    }
    try append(variableLength: next - tick)
    tick = next
  }

  private func append(variableLength value: Int) throws(OutOfMemory) {
    if value < 0x80 {
      try bytes.append(UInt8(truncatingIfNeeded: value))
      return
    }
    var shift = value >= 1 << 21 ? 21 : value >= 1 << 14 ? 14 : 7
    while shift > 0 {
      try bytes.append(UInt8(truncatingIfNeeded: value >> shift) | 0x80)
      shift -= 7
    }
    try bytes.append(UInt8(truncatingIfNeeded: value) & 0x7F)
  }

  private func append(_ name: StaticString, number: Int) throws(OutOfMemory) {
    try bytes.append(
      contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    try append(number, bytes: 4)
  }

  private func append(_ values: UInt8...) throws(OutOfMemory) {
    for value in values { try bytes.append(value) }
  }

  /// In big-endian order.
  private func append(_ value: Int, bytes count: Int) throws(OutOfMemory) {
    for i in 0..<count {
      try bytes.append(UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - i))))
    }
  }
}
