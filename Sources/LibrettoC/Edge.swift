import CLibrary
import CLibretto
import Libretto
import Platform
import Synchronization

// The edge between C and Swift: every call that can fail passes through here, and nothing a host can
// pass may trap beyond it.

/// Runs the body of a C function. An error becomes the status and the thread's error text.
@inline(__always)
func call(_ body: () throws(LibrettoError) -> Void) -> retto_status {
  do throws(LibrettoError) {
    try body()
    return RETTO_OK
  } catch {
    keep(error.sentence)
    return retto_status(error.kind.rawValue)
  }
}

/// Keeps a sentence for `retto_last_error`. If it is in pieces it stays so until then: a call that is
/// real-time may end here.
private func keep(_ sentence: Sentence) {
  let note = UnsafeMutableRawPointer(error_note())
  if sentence.rest.isEmpty {
    note.storeBytes(of: sentence.pieces, as: Sentence.Pieces.self)
  } else {
    note.storeBytes(of: Sentence.Pieces(), as: Sentence.Pieces.self)
    setErrorText(sentence.description)
  }
}

/// The thread's last error.
func errorText() -> UnsafePointer<CChar> {
  let note = UnsafeMutableRawPointer(error_note())
  let pieces = note.load(as: Sentence.Pieces.self)
  if !pieces.isEmpty {
    note.storeBytes(of: Sentence.Pieces(), as: Sentence.Pieces.self)
    setErrorText(pieces.description)
  }
  return error_text()
}

/// Puts a sentence together, cut at a character if it is too long.
private func setErrorText(_ message: String) {
  guard let text = error_text_room() else { return }
  var length = 0
  for scalar in message.unicodeScalars {
    let bytes = UTF8.encode(scalar)!
    guard length + bytes.count < Int(ERROR_TEXT_SIZE) else { break }
    for byte in bytes {
      text[length] = CChar(bitPattern: byte)
      length += 1
    }
  }
  text[length] = 0
}

func missing(_ what: Sentence) -> LibrettoError {
  LibrettoError(.argument, "\(what) is NULL; pass a pointer to it")
}

/// Unwraps a pointer, or throws what was missing.
@inline(__always)
func require<Pointer>(_ pointer: Pointer?, _ what: StaticString) throws(LibrettoError) -> Pointer {
  guard let pointer else { throw missing("\(what)") }
  return pointer
}

/// A path or a name from C.
func string(_ text: UnsafePointer<CChar>?, _ what: StaticString) throws(LibrettoError) -> String {
  let text = try require(text, what)
  guard let string = String(validatingCString: text) else {
    throw LibrettoError(.argument, "\(what) is not UTF-8")
  }
  guard !string.isEmpty else { throw LibrettoError(.argument, "\(what) is empty") }
  return string
}

/// Bytes from C: NULL is fine where there are none.
func bytes(_ base: UnsafeRawPointer?, _ count: Int, _ what: StaticString) throws(LibrettoError)
  -> UnsafeRawBufferPointer
{
  try checkCount(count, what)
  guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
  return UnsafeRawBufferPointer(start: try require(base, what), count: count)
}

/// An array from C: NULL is fine where there is nothing in it.
func array<Element>(_ base: UnsafePointer<Element>?, _ count: Int, _ what: StaticString)
  throws(LibrettoError) -> UnsafeBufferPointer<Element>
{
  try checkCount(count, what)
  guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
  return UnsafeBufferPointer(start: try require(base, what), count: count)
}

/// A size_t beyond what any array can have arrives as a negative number.
func checkCount(_ count: Int, _ what: StaticString) throws(LibrettoError) {
  guard count >= 0, count <= 1 << 46 else {
    throw LibrettoError(
      .argument, "the length of \(what) is \(UInt(bitPattern: count)), which no buffer can have")
  }
}

/// Tells the size needed and whether the buffer has it: false if the host only asked.
func hasRoom(
  for needed: Int, _ buffer: UnsafeRawPointer?, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>?, _ what: StaticString
) throws(LibrettoError) -> Bool {
  size?.pointee = needed
  if buffer == nil && capacity == 0 {
    guard size != nil else { throw missing("the pointer for the length of \(what)") }
    return false
  }
  guard buffer != nil || needed == 0 else { throw missing("\(what)") }
  try checkCount(capacity, what)
  guard capacity >= needed else {
    throw LibrettoError(
      .buffer, "\(what) has room for \(capacity) and needs \(needed)")
  }
  return true
}

/// What a handle points to that one thread at a time may use.
class GuardedHandle {
  final let gate = Gate()
}

/// Frees what a handle points to; does nothing, and says why, if a call on it has not returned yet.
func release(_ handle: OpaquePointer?, _ what: StaticString) {
  guard let handle else { return }
  let object = Unmanaged<GuardedHandle>.fromOpaque(UnsafeRawPointer(handle))
  let status = object._withUnsafeGuaranteedRef { object in
    call { () throws(LibrettoError) in try object.gate.enter(what) }
  }
  if status == RETTO_OK { object.release() }
}

/// Lets one thread at a time into a handle.
final class Gate {
  private let owner = Atomic<UInt>(0)

  /// Whether the calling thread is inside already: it calls from within a callback.
  var isMine: Bool { owner.load(ordering: .relaxed) == Self.thread }

  func enter(_ what: StaticString) throws(LibrettoError) {
    let (entered, holder) = owner.compareExchange(
      expected: 0, desired: Self.thread, ordering: .acquiring)
    guard entered else {
      throw LibrettoError(
        .state,
        holder == Self.thread
          ? "this call cannot be made on \(what) from within its own callback"
          : "another thread is using \(what); use one thread at a time, or one handle per thread")
    }
  }

  func leave() { owner.store(0, ordering: .releasing) }

  private static var thread: UInt {
    #if canImport(Darwin)
      UInt(bitPattern: pthread_self())
    #else
      UInt(pthread_self())
    #endif
  }
}
