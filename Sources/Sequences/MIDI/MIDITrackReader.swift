import Memory

/// Reads the events of one track chunk.
struct MIDITrackReader {
  private let source: MIDISource
  /// Where reading goes on.
  private(set) var place: Int
  /// Where the chunk ends, and whether its length says so.
  private let end: Int
  private let isEndKnown: Bool
  private let strict: Bool
  private(set) var log: MIDIWarnings
  /// Whether an end-of-track event was read.
  private(set) var ended = false

  private var tick = 0
  /// The status of the last channel message; 0 before the first.
  private var running: UInt8 = 0
  /// Whether a meta or system event came after it.
  private var interrupted = false
  private let events: MIDIEvents.Store

  /// - `events`: takes the events; it has room for half as many as the chunk has bytes.
  init(
    source: MIDISource, place: Int, end: Int, isEndKnown: Bool, strict: Bool, log: MIDIWarnings,
    events: MIDIEvents.Store
  ) {
    (self.source, self.place, self.end, self.isEndKnown) = (source, place, end, isEndKnown)
    (self.strict, self.log) = (strict, log)
    self.events = events
  }

  /// Reads the track, from `place` to the end-of-track event or the end of the chunk. An end-of-track event
  /// within a chunk is passed over where the chunk's length and what follows say that it is too early.
  /// Gives the tick of its end.
  mutating func read() throws(OutOfMemory) -> Int {
    try readEvents()
    return tick
  }

  /// Reads all events. One takes two bytes at least, its delta time and one more, which bounds their
  /// number.
  private mutating func readEvents() throws(OutOfMemory) {
    while place < end {
      readPlainMessages()
      guard place < end, let delta = variableLength() else { return }
      tick += delta
      if tick > MIDIFile.maximumTick {
        log.add(place, "the tick is above \(MIDIFile.maximumTick); it is taken as that")
        tick = MIDIFile.maximumTick
      }
      guard place < end else { return cutShort(at: place) }
      guard try readEvent() else { return }
    }
  }

  /// Reads channel messages as long as they are as most are: right, with a delta time of two bytes
  /// at most, and not the last ones. The fast path, with its state in local variables.
  private mutating func readPlainMessages() {
    var p = source.base + place
    let last = source.base + end - 5
    var tick = self.tick
    var running = interrupted ? 0 : self.running
    while p <= last {
      var q = p + 1
      var delta = Int(p[0])
      if delta >= 0x80 {
        guard q[0] < 0x80 else { break }
        delta = (delta & 0x7F) << 7 | Int(q[0])
        q += 1
      }
      let byte = q[0]
      if byte >= 0x80 {
        guard byte < 0xF0 else { break }
        running = byte
        q += 1
      } else if running == 0 {
        break
      }
      let isShort = running & 0xE0 == 0xC0
      let (first, second) = (q[0], isShort ? 0 : q[1])
      guard (first | second) < 0x80, tick &+ delta <= MIDIFile.maximumTick else { break }
      tick &+= delta
      events.records.appendReserved(.init(tick: tick, .channel, running, first, second))
      p = q + (isShort ? 1 : 2)
    }
    if running != 0 { (self.running, interrupted) = (running, false) }
    self.tick = tick
    place = p - source.base
  }

  /// Reads the data bytes of a channel message whose status is `running`. False at the end.
  private mutating func readData() -> Bool {
    let p = source.base + place
    let isShort = running & 0xE0 == 0xC0
    let length = isShort ? 1 : 2
    guard end - place >= length else {
      cutShort(at: place)
      return false
    }
    var (first, second) = (p[0], isShort ? 0 : p[1])
    if (first | second) >= 0x80 {
      log.add(place, "a data byte is above 127; it is taken as 127")
      (first, second) = (min(first, 127), min(second, 127))
    }
    place += length
    events.records.appendReserved(.init(tick: tick, .channel, running, first, second))
    return true
  }

  /// Reads any event from its status on, or its data if that is left out. False at the end of the
  /// track.
  private mutating func readEvent() throws(OutOfMemory) -> Bool {
    if source.base[place] < 0x80 {
      if running != 0 && !(interrupted && strict) {
        if interrupted {
          log.add(place, "running status goes on after a meta or system event")
          interrupted = false
        }
        return readData()
      }
      guard skipData() else { return false }
    }
    let status = source.base[place]
    place += 1
    switch status {
    case 0xFF: return try readMeta()
    case 0xF0, 0xF7:
      interrupted = true
      guard let length = variableLength() else { return false }
      let payload = payload(length)
      try events.append(.init(tick: tick, .system, status), payload)
    case 0xF1...0xFE:
      log.add(place - 1, "a status of \(status) has no place in a file; it is skipped")
      let data = status == 0xF2 ? 2 : status == 0xF1 || status == 0xF3 ? 1 : 0
      place = min(place + data, end)
    default:
      (running, interrupted) = (status, false)
      return readData()
    }
    return true
  }

  /// Skips data bytes that no status precedes. False if nothing but such is left.
  private mutating func skipData() -> Bool {
    let start = place
    while place < end && source.base[place] < 0x80 { place += 1 }
    log.add(start, "\(place - start) data bytes without a status are skipped")
    return place < end
  }

  /// Reads a meta event from its type on. False if it ends the track.
  private mutating func readMeta() throws(OutOfMemory) -> Bool {
    let start = place - 1
    interrupted = true
    guard place < end else {
      cutShort(at: place)
      return false
    }
    let type = source.base[place]
    place += 1
    guard let length = variableLength() else { return false }
    let payload = payload(length)
    if type == 0x2F {
      if length > 0 { log.add(start, "the end-of-track event has \(length) bytes and needs none") }
      ended = true
      guard isEndKnown && startsEvent(at: place) else { return false }
      log.add(start, "an end-of-track event within the track is ignored; the chunk goes on")
      (ended, running) = (false, 0)
      return true
    }
    if let fault = MIDIMeta.fault(type, payload) { log.add(start, fault) }
    try events.append(.init(tick: tick, .meta, 0xFF, type), payload)
    return true
  }

  /// Whether a delta time stands here, and an event with a status of its own.
  private func startsEvent(at start: Int) -> Bool {
    let delta = (start..<min(start + 4, end)).first { source.base[$0] < 0x80 }
    guard let delta, end - delta >= 3 else { return false }
    let (status, next) = (source.base[delta + 1], source.base[delta + 2])
    return status == 0xF0 || status == 0xF7
      || (status == 0xFF || (0x80..<0xF0).contains(status)) && next < 0x80
  }

  /// The next bytes, as many as wanted if there are so many.
  private mutating func payload(_ length: Int) -> UnsafeBufferPointer<UInt8> {
    let rest = end - place
    if length > rest {
      log.add(place, "an event says \(length) bytes; the track has \(rest) more")
    }
    let bytes = UnsafeBufferPointer(start: source.base + place, count: min(length, rest))
    place += bytes.count
    return bytes
  }

  /// Reads a variable-length quantity; nil if the track ends within it. Above four bytes, against
  /// the standard, the value is at most that of four.
  private mutating func variableLength() -> Int? {
    let start = place
    var value = 0
    while place < end {
      let byte = source.base[place]
      place += 1
      value = min(value << 7 | Int(byte & 0x7F), MIDIFileWriter.largestDelta)
      if byte < 0x80 {
        if place - start > 4 {
          log.add(
            start, "a number has \(place - start) bytes, not 4 at most; it is read as \(value)")
        }
        return value
      }
    }
    cutShort(at: start)
    return nil
  }

  private mutating func cutShort(at offset: Int) {
    log.add(offset, "the track ends within an event, which is left out")
    place = end
  }
}
