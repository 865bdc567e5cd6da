/// A note: a note-on and the note-off that ends it.
public struct MIDINote: BitwiseCopyable, Equatable, Sendable {
  /// The beginning and the length in ticks of the file; the length is at least 0.
  public var start: Int
  public var duration: Int
  /// 128 times the channel, and the pitch: what notes of one start are sorted by.
  private(set) var key: UInt16
  private var velocityByte: UInt8
  private var trackNumber: Int32

  /// Values out of their range are taken as the nearest in it.
  public init(start: Int, duration: Int, channel: Int, pitch: Int, velocity: Int, track: Int = 0) {
    self.init(
      start: start, duration: duration,
      key: UInt16(min(max(0, channel), 15)) << 7 | UInt16(min(max(0, pitch), 127)),
      velocity: UInt8(min(max(1, velocity), 127)), track: Int32(clamping: track))
  }

  @inline(__always)
  init(start: Int, duration: Int, key: UInt16, velocity: UInt8, track: Int32) {
    (self.start, self.duration, self.key) = (start, duration, key)
    (velocityByte, trackNumber) = (velocity, track)
  }

  /// What stands where a note is to be.
  static let none = MIDINote(start: 0, duration: 0, key: 0, velocity: 1, track: 0)

  /// 0 to 15; 9 is the channel of drums by General MIDI.
  public var channel: Int {
    get { Int(key >> 7) }
    set { key = UInt16(min(max(0, newValue), 15)) << 7 | key & 0x7F }
  }

  /// 0 to 127; 60 is middle C.
  public var pitch: Int {
    get { Int(key & 0x7F) }
    set { key = key & 0xFF80 | UInt16(min(max(0, newValue), 127)) }
  }

  /// 1 to 127.
  public var velocity: Int {
    get { Int(velocityByte) }
    set { velocityByte = UInt8(min(max(1, newValue), 127)) }
  }

  /// The track it came from.
  public var track: Int {
    get { Int(trackNumber) }
    set { trackNumber = Int32(clamping: newValue) }
  }

  /// The tick where it ends.
  public var end: Int { start &+ duration }

  /// Whether it comes before another in the order of `MIDIFile.notes`. Without a branch, which would
  /// be mispredicted where tracks are merged.
  @inline(__always)
  func precedes(_ other: MIDINote) -> Bool {
    let (earlier, together) = (start < other.start, start == other.start)
    return earlier || (together && key < other.key)
  }
}
