import Memory

/// An encoding of music: pieces, each from a start token to an end token.
public protocol MusicEncoding: Encoding {
  /// The ticks that events of this encoding are counted in.
  var ticksPerQuarter: Int { get }
  /// Steps of the grid per quarter note; 0 without a grid, and then there are no bars.
  var stepsPerQuarter: Int { get }
  /// Whether its notes have pitches, and so a key; those of drums do not.
  var hasPitches: Bool { get }
  /// The MIDI channel that its events go to.
  var channel: Int { get }
  /// The time signatures it has beside those that every grid has.
  var extraTimeSignatures: [(numerator: Int, denominator: Int)] { get }

  /// The encoding for a collection, before any of its files becomes tokens.
  ///
  /// - `firstFiles`: hands on the first files of it, read once more.
  func fitted(
    to timeSignatures: TimeSignatureSurvey,
    firstFiles: ((MIDIFile) throws(EncodingError) -> Void) throws(EncodingError) -> Void
  ) throws(EncodingError) -> any MusicEncoding
  /// For a model that learns from these tokens: it draws nothing but what is found in them, and what it
  /// drew before, where the encoding can tell.
  func fitted(to tokens: some Sequence<Int32>) -> Self

  /// The notes of a file that this encoding writes down, in the order of their starts.
  func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote>

  /// The tokens of a piece, `START` and `END` included; nil if it holds nothing this encoding can
  /// say. What is lost (quantisation, other channels) is stated at each encoding. Throws if there are
  /// too many: on a grid a small file can say that many notes sound for a very long time.
  func tokens(of file: MIDIFile) throws(EncodingError) -> GrowableBuffer<Int32>?

  /// How many times as long a piece may be played, beside 1, to learn more from it.
  var stretches: [Double] { get }
  /// The tokens of a piece played `stretch` times as long.
  func tokens(of file: MIDIFile, stretch: Double) throws(EncodingError) -> GrowableBuffer<Int32>?
  /// The phrases of a piece, for variants of other forms; nil where it has none.
  func form(of piece: GrowableBuffer<Int32>) throws(OutOfMemory) -> PieceForm?
  /// The time signatures of a file, by name, that its notes contradict, and those that have no token;
  /// the bars under them are read as those before.
  func timeSignatureFaults(_ file: MIDIFile) throws(OutOfMemory)
    -> (doubted: [String], unknown: [String])
  /// What of a file no part is made of; nothing where all notes are of one part.
  func partsLeftOut(_ file: MIDIFile) throws(OutOfMemory) -> PartsLeftOut
  /// Whether the parts of a piece may stand in other orders, which `reorder` makes by chance.
  var hasOrders: Bool { get }
  /// Puts the parts of a piece into another order. Allocates nothing.
  ///
  /// - `room`: for as many tokens as the piece has.
  func reorder(
    _ piece: UnsafeMutableBufferPointer<Int32>, chance: UInt64, room: UnsafeMutablePointer<Int32>)
  /// The share of the notes of a file that do not begin on the grid.
  func offGrid(_ file: MIDIFile) -> Double
  /// Steps per quarter note of a grid that fits a file; nil if there is none, or no grid is wanted.
  func fittingSteps(_ file: MIDIFile) -> Int?
  /// The MIDI pitch that a note of this one sounds at again; nil if it is not written.
  func written(_ pitch: Int) -> Int?

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

  /// Writes the side values of a place of a piece, one for each of `ownSideInputs`.
  ///
  /// - `bars`: complete bars of the piece.
  func writeSides(bars: Int, _ facts: SideFacts, into values: UnsafeMutablePointer<Int32>)

  /// A reader at the beginning of a sequence.
  func makeReader() throws(OutOfMemory) -> MusicReader
}

extension MusicEncoding {
  public static var kind: EncodingKind { .music }
  public var music: (any MusicEncoding)? { self }
  public var hasBars: Bool { stepsPerQuarter > 0 }

  // What holds without a grid.
  public var stepsPerQuarter: Int { 0 }
  public var hasPitches: Bool { true }
  public var channel: Int { 0 }
  public var extraTimeSignatures: [(numerator: Int, denominator: Int)] { [] }
  public func fitted(
    to timeSignatures: TimeSignatureSurvey,
    firstFiles: ((MIDIFile) throws(EncodingError) -> Void) throws(EncodingError) -> Void
  ) throws(EncodingError) -> any MusicEncoding { self }
  public func fitted(to tokens: some Sequence<Int32>) -> Self { self }
  public var stretches: [Double] { [] }
  public func tokens(of file: MIDIFile, stretch: Double) throws(EncodingError)
    -> GrowableBuffer<Int32>?
  { try tokens(of: file) }
  public func form(of piece: GrowableBuffer<Int32>) throws(OutOfMemory) -> PieceForm? { nil }
  public func timeSignatureFaults(_ file: MIDIFile) throws(OutOfMemory)
    -> (doubted: [String], unknown: [String])
  { ([], []) }
  public func partsLeftOut(_ file: MIDIFile) throws(OutOfMemory) -> PartsLeftOut { PartsLeftOut() }
  public var hasOrders: Bool { false }
  public func reorder(
    _ piece: UnsafeMutableBufferPointer<Int32>, chance: UInt64, room: UnsafeMutablePointer<Int32>
  ) {}
  public func offGrid(_ file: MIDIFile) -> Double { 0 }
  public func fittingSteps(_ file: MIDIFile) -> Int? { nil }
  public func written(_ pitch: Int) -> Int? { pitch }

  public var startToken: Int32 { 0 }
  public var endToken: Int32? { 1 }
  public func makeMusicGrammar() throws(OutOfMemory) -> any MusicGrammar {
    try makeReader().grammar
  }
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
    let reader = try makeReader()
    for token in tokens {
      reader.take(token, .drawn)
      while let event = reader.decoder.next() { try builder.add(event) }
    }
    return try builder.finish()
  }
}
