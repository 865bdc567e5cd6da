/// Something that happens in music, some ticks after what happened before.
public struct MusicEvent: BitwiseCopyable, Equatable, Sendable {
  public enum Kind: Int32, BitwiseCopyable, Sendable {
    /// Time passes and nothing else happens.
    case time = 0
    case noteOn = 1
    case noteOff = 2
    /// A time signature: numerator in `pitch`, denominator in `velocity`.
    case timeSignature = 3
    /// The piece is over.
    case end = 4
    /// A part is played on `channel`, with the program in `pitch`, from here on; comes before its first note.
    case program = 5
  }

  /// Ticks since the event before.
  public var delta: Int
  public var kind: Kind
  public var channel = 0
  public var pitch = 0
  public var velocity = 0

  public init(delta: Int, _ kind: Kind, channel: Int = 0, pitch: Int = 0, velocity: Int = 0) {
    self.delta = delta
    self.kind = kind
    self.channel = channel
    self.pitch = pitch
    self.velocity = velocity
  }
}

/// Turns tokens into events as they come. None of its calls allocates.
public protocol EventDecoder: AnyObject {
  func reset()
  /// Takes the next token, before the grammar does; the events it leads to can be had from `next`. A token that was `heard`,
  /// because somebody else plays it, leads to none but the ends of this player's own notes.
  func take(_ token: Int32, heard: Bool)
  /// The next event, if there is one before another token is needed. When time has passed and
  /// nothing happened, that is an event.
  func next() -> MusicEvent?
  /// Ticks by which the tokens have gone beyond the last event: they will be part of the next delta.
  var waiting: Int { get }
  /// Leaves them out of it.
  func skipTime()
  static var stateSize: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  func restore(from bytes: UnsafeRawPointer) -> Bool
}

/// Turns events into tokens as they come. None of its calls allocates.
public protocol EventEncoder: AnyObject {
  func reset()
  /// Takes an event and hands on the tokens that are certain now. Each must be taken by the grammar before
  /// the next is handed on.
  func take(_ event: MusicEvent, _ each: (Int32) -> Void)
  /// Hands on the tokens of what was heard of the present moment, though it may not be over.
  func finish(_ each: (Int32) -> Void)
  /// Takes note of a token that did not come from here, after the grammar took it.
  func follow(_ token: Int32)
  /// Ticks by which the last event came after the moment the tokens have reached; below 0 if it came
  /// before, because its time was rounded up.
  var ahead: Int { get }
  /// Goes on from the moment the tokens have reached: who asked for `ahead` adds it to a later event.
  func catchUp()

  static var stateSize: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  func restore(from bytes: UnsafeRawPointer) -> Bool
}
