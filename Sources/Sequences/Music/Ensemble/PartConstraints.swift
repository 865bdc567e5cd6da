/// What a musician can ask of one part. It holds beside the `MusicConstraints` of the piece.
public struct PartConstraints: BitwiseCopyable, Equatable, Sendable {
  /// Its notes begin only inside this range of pitches; drums have none.
  public var lowest = 0
  public var highest = 127
  /// The most of its notes at a time.
  public var voices = 128
  /// Added to the logits of tokens that begin one of its notes.
  public var density: Float = 0
  /// It is silent.
  public var isMuted = false
  /// All parts are silent but those with this, and given ones.
  public var isSolo = false
  /// It has the notes that the host gives, and no others.
  public var isGiven = false

  public init() {}
}

/// What a grammar of pieces with parts can be asked besides. None of its calls allocates.
public protocol PartGrammar: AnyObject {
  /// The parts of the present piece, declared so far, or of the one before.
  var partCount: Int { get }
  func part(_ number: Int) -> Part

  /// The programs of the parts that pieces begin with; none to leave them to the model.
  var wantedCount: Int { get }
  func wanted(_ number: Int) -> Int
  /// Sets them: at most `Part.most`, of which at most `Part.mostPitched` have pitches and one is drums.
  func want(_ programs: UnsafeBufferPointer<Int32>)

  /// By the number of the part, 0 to below `Part.most`.
  func partConstraints(_ number: Int) -> PartConstraints
  func set(_ constraints: PartConstraints, of number: Int)
  /// Takes over what another grammar of the same encoding was asked for; not the notes it was given.
  func copy(_ other: any PartGrammar)

  /// Wants a note of a part, in ticks from the beginning of the piece; false if it is past, out of range or one too
  /// many. A velocity of 0 leaves the level to the model, or to what it was.
  func give(part: Int, start: Int, duration: Int, pitch: Int, velocity: Int) -> Bool
}
