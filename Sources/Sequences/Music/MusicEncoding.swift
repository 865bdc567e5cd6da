import Memory

/// An encoding of music: pieces, each from a start token to an end token.
public protocol MusicEncoding: Encoding {
  /// The ticks that events of this encoding are counted in.
  var ticksPerQuarter: Int { get }

  /// The notes of a file that this encoding writes down, in the order of their starts.
  func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote>

  /// The tokens of a piece, `START` and `END` included; nil if it holds nothing this encoding can
  /// say. What is lost (quantisation, other channels) is stated at each encoding. Throws if there are
  /// too many: on a grid a small file can say that many notes sound for a very long time.
  func tokens(of file: MIDIFile) throws(EncodingError) -> GrowableBuffer<Int32>?

  /// Removes the bars before the first one with a note: nobody wants to learn to wait.
  func removeOpeningSilence(from tokens: GrowableBuffer<Int32>)

  /// Removes silence after the bar of the last note. `tokens` leaves it out already.
  func removeClosingSilence(from tokens: GrowableBuffer<Int32>)

  /// Steps of the grid in a piece, for the loss per step; nil where there is no grid.
  func steps(of tokens: UnsafeBufferPointer<Int32>) -> Int?

  /// The ticks that pass with a token; 0 for those that say what happens.
  func ticks(of token: Int32) -> Int

  /// The token for the same sound so many semitones higher; other tokens stay.
  func transposed(_ token: Int32, by semitones: Int) -> Int32

  /// The pitch a token names, from 0 to 127 before and after transposition; nil if it names none,
  /// or one that must not be transposed.
  func pitch(of token: Int32) -> Int?
  /// The pitches that have tokens.
  var pitchRange: ClosedRange<Int> { get }

  /// What a token says, for people.
  func name(of token: Int32) -> String

  /// Writes the side values of a place of a piece, one for each of `sideInputs`.
  ///
  /// - `bars`: complete bars of the piece.
  func writeSides(bars: Int, _ facts: SideFacts, into values: UnsafeMutablePointer<Int32>)

  func makeMusicGrammar() throws(OutOfMemory) -> any MusicGrammar
  func makeEventDecoder() -> any EventDecoder
  func makeEventEncoder() -> any EventEncoder
}

extension MusicEncoding {
  public var startToken: Int32 { 0 }
  public var endToken: Int32? { 1 }
  public func makeGrammar() throws(OutOfMemory) -> any Grammar { try makeMusicGrammar() }

  public func transposed(_ facts: SideFacts, by semitones: Int) -> SideFacts {
    var facts = facts
    facts.key = MusicKey.transposed(facts.key, by: semitones)
    return facts
  }

  /// Whether a piece can be moved by so many semitones and stay in range.
  public func transpositions(of tokens: some Sequence<Int32>) -> ClosedRange<Int> {
    var lowest = Int.max
    var highest = Int.min
    for token in tokens {
      guard let pitch = pitch(of: token) else { continue }
      lowest = min(lowest, pitch)
      highest = max(highest, pitch)
    }
    guard lowest <= highest else { return 0...0 }
    return min(0, pitchRange.lowerBound - lowest)...max(0, pitchRange.upperBound - highest)
  }

  // The same as arrays, for what is small: where there is no memory for them, these do not return.

  public func select(_ file: MIDIFile) -> [MIDINote] { try! Array(selected(file)) }

  public func encode(_ file: MIDIFile) throws(EncodingError) -> [Int32]? {
    try tokens(of: file).map { Array($0) }
  }

  public func withoutOpeningSilence(_ tokens: [Int32]) -> [Int32] {
    let buffer = GrowableBuffer<Int32>()
    try! buffer.append(contentsOf: tokens)
    removeOpeningSilence(from: buffer)
    return Array(buffer)
  }

  public func withoutClosingSilence(_ tokens: [Int32]) -> [Int32] {
    let buffer = GrowableBuffer<Int32>()
    try! buffer.append(contentsOf: tokens)
    removeClosingSilence(from: buffer)
    return Array(buffer)
  }

  /// The events of a sequence of tokens, as a file: melodies and chords on channel 0.
  public func decode(_ tokens: some Sequence<Int32>, tempo: Double = 120, program: Int = 0)
    -> MIDIFile
  {
    try! decoded(tokens, tempo: tempo, program: program)
  }

  /// Likewise, with an error where there is no memory for it.
  public func decoded(_ tokens: some Sequence<Int32>, tempo: Double = 120, program: Int = 0)
    throws(OutOfMemory) -> MIDIFile
  {
    var builder = try FileBuilder(ticksPerQuarter: ticksPerQuarter, tempo: tempo, program: program)
    let player = makeEventDecoder()
    for token in tokens {
      player.take(token, heard: false)
      while let event = player.next() { try builder.add(event) }
    }
    return try builder.finish()
  }
}

/// The grammar of music, which also keeps to a musician's constraints.
public protocol MusicGrammar: Grammar {
  var constraints: MusicConstraints { get set }

  /// The first of these constraints that the encoding cannot keep to, if there is one.
  func unsupported(_ constraints: MusicConstraints) -> UnsupportedConstraint?

  /// Whether notes can be forced: only on a grid.
  var canForceNotes: Bool { get }
  /// Asks for a note at a place still to come, in ticks from the beginning of the piece; false if
  /// there is no room for more, it is past, or out of the encoding's range.
  func force(start: Int, duration: Int, pitch: Int) -> Bool
  /// Forgets what was asked for.
  func clearForcedNotes()

  /// Bars that are complete; 0 where there are none.
  var bars: Int { get }
}

/// A constraint that an encoding cannot keep to.
public enum UnsupportedConstraint: Sendable {
  /// It has no pitches.
  case pitchRange, scale, key
  /// It has no bars.
  case bars, ending
  /// It has no bars, or none of this time signature.
  case timeSignature
}

/// What a musician can ask for while music is made. It holds for certain: tokens that would go
/// against it are not drawn.
public struct MusicConstraints: Equatable, Sendable {
  /// Notes begin only inside this range of pitches; 0 to 127.
  public var lowest = 0
  public var highest = 127
  /// Notes begin only on these pitch classes: bit 0 is C, bit 11 is B. All of them to begin with.
  public var scale: UInt32 = 0xFFF
  /// The most notes at a time.
  public var voices = 128
  /// Added to the logits of tokens that begin a note: above 0 for more of them, below 0 for fewer.
  public var density: Float = 0
  /// The piece ends after so many bars, at the bar line; 0 to leave it to the model.
  public var bars = 0
  /// When the piece may end, if `bars` is 0.
  public var ending = Ending.anywhere
  /// The key the piece is in, a `MusicKey`; 0 to leave it to the model, or to what is fed. It forbids
  /// nothing: models that know keys are told.
  public var key: Int32 = 0
  /// The time signature to begin with: its numerator and denominator; 0 to leave it to the model.
  public var numerator = 0
  public var denominator = 0

  public enum Ending: Int32, Sendable {
    case anywhere = 0
    /// At a bar line.
    case barLine = 1
    case never = 2
  }

  public init() {}
}

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
  /// Takes the next token; the events it leads to can be had from `next`. A token that was `heard`,
  /// because somebody else plays it, leads to none but the ends of this player's own notes.
  func take(_ token: Int32, heard: Bool)
  /// The next event, if there is one before another token is needed. When time has passed and
  /// nothing happened, that is an event.
  func next() -> MusicEvent?
  static var stateSize: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  func restore(from bytes: UnsafeRawPointer) -> Bool
}

/// Turns events into tokens as they come. None of its calls allocates.
public protocol EventEncoder: AnyObject {
  func reset()
  /// Takes an event and hands on the tokens that are certain now.
  func take(_ event: MusicEvent, _ each: (Int32) -> Void)
  /// Hands on the tokens of what was heard of the present moment, though it may not be over.
  func finish(_ each: (Int32) -> Void)
  /// Takes note of a token that did not come from here, so as to know where the music is.
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
