import Memory

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

/// The events of a track: 16 bytes each, and the bytes of meta and system events beside them. It may be
/// a part of the events of a file, which it then keeps in memory.
public struct MIDIEvents: Equatable, Sendable {
  /// An event without the bytes it may have.
  struct Record: BitwiseCopyable, Sendable {
    var tick: Int
    var kind: Kind
    /// That of a channel message or system event; 0xFF for a meta event.
    var status: UInt8
    /// The data bytes of a channel message, or the type of a meta event.
    var first: UInt8 = 0
    var second: UInt8 = 0
    /// How many events with bytes there are before this one: of those that have bytes, the place in
    /// `Store.ends`. 0 in channel messages.
    var payload: UInt32 = 0

    enum Kind: UInt8, BitwiseCopyable { case channel, meta, system }

    @inline(__always)
    init(tick: Int, _ kind: Kind, _ status: UInt8, _ first: UInt8 = 0, _ second: UInt8 = 0) {
      (self.tick, self.kind, self.status) = (tick, kind, status)
      (self.first, self.second) = (first, second)
    }
  }

  /// The events of tracks, one track after another. It only grows.
  final class Store: Sendable {
    let records = GrowableBuffer<Record>()
    /// The bytes of meta and system events, one after another.
    let bytes = GrowableBuffer<UInt8>()
    /// Where in `bytes` those of each such event end.
    let ends = GrowableBuffer<Int>()

    func append(_ event: MIDIEvent) throws(OutOfMemory) {
      switch event.message {
      case .channel(let status, let first, let second):
        try records.append(Record(tick: event.tick, .channel, status, first, second))
      case .meta(let type, let bytes):
        try append(Record(tick: event.tick, .meta, 0xFF, type), bytes)
      case .system(let status, let bytes):
        try append(Record(tick: event.tick, .system, status), bytes)
      }
    }

    func append(_ record: Record, _ payload: some Sequence<UInt8>) throws(OutOfMemory) {
      var record = record
      record.payload = UInt32(truncatingIfNeeded: ends.count)
      try bytes.append(contentsOf: payload)
      try ends.append(bytes.count)
      try records.append(record)
    }

    /// The bytes of a meta or system event, as long as nothing is appended.
    func payload(_ record: Record) -> UnsafeBufferPointer<UInt8> {
      let i = Int(record.payload)
      let bytes = bytes.elements[(i == 0 ? 0 : ends[i - 1])..<ends[i]]
      return UnsafeBufferPointer(rebasing: bytes)
    }
  }

  private let store: Store
  private let range: Range<Int>

  init(_ store: Store, _ range: Range<Int>) {
    self.store = store
    self.range = range
  }

  /// For a few events: it does not return where there is no memory for them.
  public init(_ events: some Sequence<MIDIEvent> = []) {
    let store = Store()
    for event in events { try! store.append(event) }
    self.init(store, 0..<store.records.count)
  }

  /// Runs a body with the events, which live as long as it runs.
  @inline(__always)
  func withRecords<Value, Failure: Error>(
    _ body: (UnsafeBufferPointer<Record>) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    defer { withExtendedLifetime(store) {} }
    return try body(UnsafeBufferPointer(rebasing: store.records.elements[range]))
  }

  /// Likewise, for each meta event of one type, with its bytes.
  func forEachMeta<Failure: Error>(
    _ type: UInt8, _ body: (Record, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    try withRecords { (records) throws(Failure) in
      for record in records where record.kind == .meta && record.first == type {
        try body(record, store.payload(record))
      }
    }
  }

  /// Appends them to other events.
  func append(to other: Store) throws(OutOfMemory) {
    try withRecords { (records) throws(OutOfMemory) in
      try other.records.reserve(records.count)
      for record in records {
        if record.kind == .channel {
          try other.records.append(record)
        } else {
          try other.append(record, store.payload(record))
        }
      }
    }
  }

  /// Writes them down.
  func forEach<Failure: Error>(
    _ body: (Record, UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    try withRecords { (records) throws(Failure) in
      let none = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
      for record in records {
        try body(record, record.kind == .channel ? none : store.payload(record))
      }
    }
  }

  var lastTick: Int? { range.isEmpty ? nil : store.records[range.upperBound - 1].tick }

  /// How many bytes the meta and system events have.
  var payloadBytes: Int {
    var count = 0
    forEach { _, payload in count += payload.count }
    return count
  }
}

extension MIDIEvents: RandomAccessCollection, ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: MIDIEvent...) { self.init(elements) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { range.count }

  public subscript(index: Int) -> MIDIEvent {
    let record = store.records[range.lowerBound + index]
    let message: MIDIEvent.Message =
      switch record.kind {
      case .channel: .channel(status: record.status, record.first, record.second)
      case .meta: .meta(type: record.first, Array(store.payload(record)))
      case .system: .system(status: record.status, Array(store.payload(record)))
      }
    return MIDIEvent(tick: record.tick, message)
  }

  public static func == (a: MIDIEvents, b: MIDIEvents) -> Bool { a.elementsEqual(b) }
}
