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
