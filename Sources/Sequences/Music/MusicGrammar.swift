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

  /// What can be asked of pieces with parts; nil where all notes are of one part.
  var parts: (any PartGrammar)? { get }
  /// Writes those side values of the place that was reached which `MusicEncoding.writeSides` cannot know.
  func writeSides(into values: UnsafeMutablePointer<Int32>)
}

extension MusicGrammar {
  public var parts: (any PartGrammar)? { nil }
  public func writeSides(into values: UnsafeMutablePointer<Int32>) {}
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
