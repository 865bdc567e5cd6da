import Memory

/// The tracks of a file, whose events stand one track after another in memory.
public struct MIDITracks: Sendable {
  /// Where the events of a track end among those of all, and its end.
  private struct Span: BitwiseCopyable {
    var events, end: Int
  }

  private let store: MIDIEvents.Store
  private let spans = GrowableBuffer<Span>()

  /// - `store`: takes the events; see `endTrack`.
  init(_ store: MIDIEvents.Store) { self.store = store }

  /// For a few tracks: it does not return where there is no memory for them.
  public init(_ tracks: some Sequence<MIDIFile.Track>) {
    self.init(MIDIEvents.Store())
    for track in tracks {
      try! track.events.append(to: store)
      try! endTrack(at: track.end)
    }
  }

  /// Makes a track of the events appended to the store since the track before. For who makes the tracks:
  /// not after they were handed on.
  func endTrack(at tick: Int) throws(OutOfMemory) {
    try spans.append(Span(events: store.records.count, end: tick))
  }

  /// Gives back memory that is not used.
  func trim() {
    store.records.trim()
    store.bytes.trim()
    store.ends.trim()
  }
}

extension MIDITracks: RandomAccessCollection, ExpressibleByArrayLiteral, Equatable {
  public init(arrayLiteral elements: MIDIFile.Track...) { self.init(elements) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { spans.count }

  public subscript(index: Int) -> MIDIFile.Track {
    let start = index > 0 ? spans[index - 1].events : 0
    return MIDIFile.Track(
      events: MIDIEvents(store, start..<spans[index].events), end: spans[index].end)
  }

  public static func == (a: MIDITracks, b: MIDITracks) -> Bool { a.elementsEqual(b) }
}

extension MIDIFile {
  /// The file without some of its events.
  ///
  /// - `keeps`: gets each event and its tick in the file.
  func filtered(
    _ keeps: (MIDIEvents.Record, _ tick: Int) -> Bool
  ) throws(OutOfMemory) -> MIDIFile {
    let store = MIDIEvents.Store()
    let tracks = MIDITracks(store)
    try forEachTrack { (track, _, start) throws(OutOfMemory) in
      try track.events.forEach { (record, payload) throws(OutOfMemory) in
        guard keeps(record, start &+ record.tick) else { return }
        if record.kind == .channel {
          try store.records.append(record)
        } else {
          try store.append(record, payload)
        }
      }
      try tracks.endTrack(at: track.end)
    }
    return MIDIFile(format: format, division: division, tracks: tracks)
  }
}
