/// Events a player has made and nobody has had yet, and the time since the last one. Its room is
/// allocated once; an event beyond it is dropped.
struct EventQueue: ~Copyable {
  private let events: UnsafeMutablePointer<MusicEvent>
  private let capacity: Int
  private var first = 0
  private var count = 0
  /// Ticks since the last event: the delta of the next one.
  var waiting = 0

  init(capacity: Int) {
    self.capacity = capacity
    events = .allocate(capacity: capacity)
  }

  deinit { events.deallocate() }

  var isEmpty: Bool { count == 0 }

  /// Forgets the events, not the time.
  mutating func discard() { (first, count) = (0, 0) }

  mutating func reset() {
    discard()
    waiting = 0
  }

  mutating func put(_ kind: MusicEvent.Kind, channel: Int = 0, pitch: Int = 0, velocity: Int = 0) {
    guard first + count < capacity else { return }
    events[first + count] = MusicEvent(
      delta: waiting, kind, channel: channel, pitch: pitch, velocity: velocity)
    waiting = 0
    count += 1
  }

  mutating func next() -> MusicEvent? {
    guard count > 0 else { return nil }
    let event = events[first]
    first += 1
    count -= 1
    if count == 0 { first = 0 }
    return event
  }
}
