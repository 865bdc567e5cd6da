/// One event of a track.
public struct MIDIEvent: Equatable, Sendable {
  /// Ticks since the beginning of the track.
  public var tick: Int
  public var message: Message

  public init(tick: Int, _ message: Message) {
    self.tick = tick
    self.message = message
  }

  public enum Message: Equatable, Sendable {
    /// A channel message: status 0x80 to 0xEF with the channel in its low four bits, and two data
    /// bytes of 7 bits, the second 0 where there is but one. A note-on of velocity 0 stays one.
    case channel(status: UInt8, UInt8, UInt8)
    /// A meta event (FF): its type and its bytes.
    case meta(type: UInt8, [UInt8])
    /// A system exclusive event: 0xF0 (begins one) or 0xF7 (goes on, or escapes), and its bytes.
    case system(status: UInt8, [UInt8])
  }
}

/// The events of a track: 16 bytes each, and the bytes of all meta and system events in one array.
public struct MIDIEvents: Equatable, Sendable {
  /// An event without the bytes it may have.
  struct Record: Equatable, Sendable {
    var tick: Int
    var kind: Kind
    /// That of a channel message or system event; 0xFF for a meta event.
    var status: UInt8
    /// The data bytes of a channel message, or the type of a meta event.
    var first: UInt8 = 0
    var second: UInt8 = 0
    /// How many events with bytes there are before this one in the track: of those that have bytes,
    /// the place in `ends`. 0 in channel messages.
    var payload: UInt32 = 0

    enum Kind: UInt8 { case channel, meta, system }

    @inline(__always)
    init(tick: Int, _ kind: Kind, _ status: UInt8, _ first: UInt8 = 0, _ second: UInt8 = 0) {
      (self.tick, self.kind, self.status) = (tick, kind, status)
      (self.first, self.second) = (first, second)
    }
  }

  var records: [Record] = []
  /// The bytes of meta and system events, one after another.
  var bytes: [UInt8] = []
  /// Where in `bytes` those of each such event end.
  var ends: [Int] = []

  public init() {}

  public init(_ events: some Sequence<MIDIEvent>) {
    records.reserveCapacity(events.underestimatedCount)
    for event in events { append(event) }
  }

  public mutating func append(_ event: MIDIEvent) {
    switch event.message {
    case .channel(let status, let first, let second):
      records.append(Record(tick: event.tick, .channel, status, first, second))
    case .meta(let type, let bytes):
      append(Record(tick: event.tick, .meta, 0xFF, type), bytes)
    case .system(let status, let bytes):
      append(Record(tick: event.tick, .system, status), bytes)
    }
  }

  mutating func append(_ record: Record, _ payload: some Sequence<UInt8>) {
    var record = record
    record.payload = UInt32(truncatingIfNeeded: ends.count)
    records.append(record)
    bytes.append(contentsOf: payload)
    ends.append(bytes.count)
  }

  /// The bytes of a meta or system event.
  func payload(_ record: Record) -> ArraySlice<UInt8> {
    let i = Int(record.payload)
    return bytes[(i == 0 ? 0 : ends[i - 1])..<ends[i]]
  }
}

extension MIDIEvents: RandomAccessCollection, ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: MIDIEvent...) { self.init(elements) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { records.count }

  public subscript(index: Int) -> MIDIEvent {
    let record = records[index]
    let message: MIDIEvent.Message =
      switch record.kind {
      case .channel: .channel(status: record.status, record.first, record.second)
      case .meta: .meta(type: record.first, Array(payload(record)))
      case .system: .system(status: record.status, Array(payload(record)))
      }
    return MIDIEvent(tick: record.tick, message)
  }
}
