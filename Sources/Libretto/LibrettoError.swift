import GRU
import Memory
import Sequences

/// What went wrong: a kind for the program, a sentence for the person.
public struct LibrettoError: Error, Equatable, CustomStringConvertible {
  /// The kinds, with the values the C API has for them (`retto_status`).
  public enum Kind: Int32, Sendable {
    /// An argument is outside its range, or missing.
    case argument = -1
    /// The call does not fit what was called before it.
    case state = -2
    /// A file could not be opened, read or written.
    case file = -3
    /// A file or a buffer does not hold what it should.
    case format = -4
    /// It may be right, but this version cannot do it.
    case unsupported = -5
    /// There is not enough memory.
    case memory = -6
    /// A buffer is too small; nothing was written to it.
    case buffer = -7
    /// The material to learn from cannot be used.
    case corpus = -8
    /// Training diverged; the best weights are kept, or earlier ones if there is no validation part.
    case diverged = -9
    /// No token is allowed to come next.
    case exhausted = -10
    /// A MIDI file contains no notes, or none that the encoding can represent.
    case empty = -11
  }

  public let kind: Kind
  /// What was wrong, where, and what to do.
  public let sentence: Sentence
  public var message: String { sentence.description }

  public init(_ kind: Kind, _ sentence: Sentence) {
    self.kind = kind
    self.sentence = sentence
  }

  public var description: String { message }

  package init(_ error: NetworkError) {
    switch error {
    case .outOfMemory(let floats):
      self.init(
        .memory, "there is no memory for \(floats) floats; choose smaller sizes or batches")
    case .invalidShape(let sentence): self.init(.argument, Sentence(sentence))
    case .noThread(let wanted):
      self.init(.memory, "the system gave no \(wanted) threads; ask for fewer")
    }
  }

  package init(_ error: OutOfMemory) {
    self.init(.memory, "not enough memory: an allocation of \(error.bytes) bytes failed")
  }

  init(_ error: EncodingError) {
    switch error {
    case .unknown(let name):
      let known = Encodings.names.joined(separator: ", ")
      self.init(.unsupported, "there is no encoding \"\(printable(name))\"; there are \(known)")
    case .invalid(let sentence): self.init(.format, Sentence(sentence))
    case .outOfMemory(let error): self.init(error)
    case .tooLong(let tokens):
      self.init(
        .corpus,
        "this piece has notes for up to \(tokens) tokens, more than the \(Grid.mostTokens) a piece can have; shorten its notes or leave it out"
      )
    }
  }
}

/// Runs something of the network's and turns its errors into ours.
func network<Value>(_ body: () throws(NetworkError) -> Value) throws(LibrettoError) -> Value {
  do { return try body() } catch { throw LibrettoError(error) }
}

/// Runs something that allocates and turns its error into ours.
@inline(__always)
package func allocating<Value>(_ body: () throws(OutOfMemory) -> Value) throws(LibrettoError)
  -> Value
{
  do { return try body() } catch { throw LibrettoError(error) }
}

/// A name out of a file, fit to be shown: cut to 60 characters, control characters replaced.
package func printable(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars.prefix(60) {
    result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "?" : scalar)
  }
  return result
}
