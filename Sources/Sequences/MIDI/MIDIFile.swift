import Memory

/// A Standard MIDI File (SMF 1.0, RP-001) in memory: tracks of events at absolute ticks.
public struct MIDIFile: Equatable, Sendable {
  /// 0: one track; 1: tracks that sound together; 2: tracks one after another.
  public var format: Int
  public var division: Division
  public var tracks: MIDITracks

  /// What a tick is.
  public enum Division: Equatable, Sendable {
    /// Pulses per quarter note, 1 to 32767.
    case metrical(ticksPerQuarter: Int)
    /// Fractions of a second: 24, 25, 29 (for 29.97) or 30 frames, and ticks per frame, 1 to 255.
    /// Any number of frames from 1 to 128 is read and written.
    case timeCode(framesPerSecond: Int, ticksPerFrame: Int)
  }

  public struct Track: Equatable, Sendable {
    /// In the order of their ticks. The end-of-track event is not among them; see `end`.
    public var events: MIDIEvents
    /// The tick of the end-of-track event; at least that of the last event.
    public var end: Int

    public init(events: MIDIEvents = [], end: Int = 0) {
      self.events = events
      self.end = end
    }

    public init(events: some Sequence<MIDIEvent>, end: Int = 0) {
      self.init(events: MIDIEvents(events), end: end)
    }

    /// `end`, or the tick of the last event if somebody set `end` before it.
    var lastTick: Int { max(0, end, events.lastTick ?? 0) }
  }

  public init(format: Int = 1, division: Division, tracks: MIDITracks = []) {
    self.format = format
    self.division = division
    self.tracks = tracks
  }

  /// For a few tracks, as `MIDITracks` of them.
  public init(format: Int = 1, division: Division, tracks: [Track]) {
    self.init(format: format, division: division, tracks: MIDITracks(tracks))
  }

  /// Runs a body with each track, its number and the tick at which it begins: 0, but in format 2 where
  /// the one before ends.
  func forEachTrack<Failure: Error>(
    _ body: (_ track: Track, _ number: Int, _ start: Int) throws(Failure) -> Void
  ) throws(Failure) {
    var start = 0
    for (number, track) in tracks.enumerated() {
      try body(track, number, start)
      if format == 2 { start &+= track.lastTick }
    }
  }

  /// Files of more bytes than this are refused: 1 GiB.
  public static let maximumSize = 1 << 30
  /// The most tracks that a header can count; more are neither read nor written.
  public static let maximumTracks = 65_535
  /// Later ticks are read and written as this one: 23 days into a file of 32767 ticks per quarter
  /// note at 1000 quarter notes a minute. No sum of ticks in this module can overflow.
  public static let maximumTick = 1 << 40
}

/// Something in a file that was not as the standard wants it, and was read all the same.
public struct MIDIWarning: Equatable, Sendable {
  /// Bytes from the beginning of the file.
  public let offset: Int
  /// One sentence: what was found and what was made of it.
  public let message: String

  public init(offset: Int, _ message: String) {
    self.offset = offset
    self.message = message
  }

  /// The most warnings that reading one file gives; one more then says how many were left out.
  public static let limit = 100
}

/// Why a file could not be read at all.
public enum MIDIError: Error, Equatable, Sendable {
  /// It is no MIDI file; one sentence says why.
  case invalid(String)
  case outOfMemory(OutOfMemory)

  public var message: String {
    switch self {
    case .invalid(let message): message
    case .outOfMemory(let error): "an allocation of \(error.bytes) bytes failed"
    }
  }
}
