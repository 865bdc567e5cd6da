/// Events a player has made and nobody has had yet, and the time since the last one. Its room is
/// allocated once; an event beyond it is dropped.
struct EventQueue: ~Copyable {
  /// An end and a beginning for each pitch, a time signature and an end of the piece, the most one token makes;
  /// and the ends of what was begun so, where others play on before these events are taken.
  static let capacity = 3 * 128 + 2
  /// Each event in a word, as snapshots have it: its kind in the lowest byte, then channel, pitch and
  /// velocity, and its delta in the upper half.
  private let events: UnsafeMutablePointer<UInt64>
  private var first = 0
  private var count = 0
  /// Ticks since the last event: the delta of the next one.
  var waiting = 0

  init() { events = .allocate(capacity: Self.capacity) }

  deinit { events.deallocate() }

  var isEmpty: Bool { count == 0 }

  mutating func reset() { (first, count, waiting) = (0, 0, 0) }

  mutating func put(_ kind: MusicEvent.Kind, channel: Int = 0, pitch: Int = 0, velocity: Int = 0) {
    guard first + count < Self.capacity else { return }
    events[first + count] = Self.pack(
      MusicEvent(delta: waiting, kind, channel: channel, pitch: pitch, velocity: velocity))
    waiting = 0
    count += 1
  }

  mutating func next() -> MusicEvent? {
    guard count > 0 else { return nil }
    let event = Self.unpack(events[first])
    first += 1
    count -= 1
    if count == 0 { first = 0 }
    return event
  }

  private static func pack(_ event: MusicEvent) -> UInt64 {
    let low =
      UInt64(event.velocity & 0x7F) << 24 | UInt64(event.pitch & 0x7F) << 16
      | UInt64(event.channel & 0xF) << 8 | UInt64(event.kind.rawValue)
    return UInt64(UInt32(clamping: event.delta)) << 32 | low
  }

  /// nil if the kind is none.
  private static func unpack(_ word: UInt64) -> MusicEvent? {
    guard let kind = MusicEvent.Kind(rawValue: Int32(word & 0xFF)) else { return nil }
    return MusicEvent(
      delta: Int(word >> 32), kind, channel: Int(word >> 8 & 0xF), pitch: Int(word >> 16 & 0x7F),
      velocity: Int(word >> 24 & 0x7F))
  }

  /// The time, the number of events and the events, eight bytes each.
  static let stateSize = 8 * (2 + capacity)

  func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(waiting))
    bytes.setWord(1, UInt64(count))
    for i in 0..<Self.capacity {
      let word = i < count ? events[first + i] : 0
      bytes.setWord(2 + i, word)
    }
  }

  /// Leaves the queue as it is, and gives false, if no queue was ever saved as these bytes.
  mutating func restore(from bytes: UnsafeRawPointer) -> Bool {
    func word(_ i: Int) -> UInt64 { bytes.word(i) }
    guard word(0) < 1 << 31, word(1) <= Self.capacity else { return false }
    let saved = Int(word(1))
    for i in 0..<saved where Self.unpack(word(2 + i)) == nil { return false }
    waiting = Int(word(0))
    (first, count) = (0, saved)
    for i in 0..<saved { events[i] = word(2 + i) }
    return true
  }
}
