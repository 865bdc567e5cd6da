/// Keeps a sequence well-formed while it is sampled: it follows the tokens and forbids those that
/// cannot come next. There is always one that can.
///
/// None of its calls allocates, locks or takes a time that depends on the tokens.
public protocol Grammar: AnyObject {
  /// Back to the beginning of a sequence.
  func reset()

  /// Takes note of a token, drawn or fed. A token that is not allowed here is taken all the same,
  /// as the start of something new: what a host feeds is its own affair.
  func advance(_ token: Int32)

  /// Sets the logits of all tokens that cannot come next to minus infinity.
  func forbid(_ logits: UnsafeMutablePointer<Float>)

  /// Whether the sequence could end here and be whole.
  var isComplete: Bool { get }

  /// The state in `stateSize` bytes, for a session's snapshot.
  static var stateSize: Int { get }
  func save(to bytes: UnsafeMutableRawPointer)
  /// Takes a saved state; gives false, and changes nothing, if the bytes cannot be one.
  func restore(from bytes: UnsafeRawPointer) -> Bool
}
