import Memory
import Sequences

/// Reads a MIDI file, without its warnings; `name` is what errors call it.
func readMIDI(_ bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError) -> MIDIFile {
  var warnings: [MIDIWarning] = []
  return try readMIDI(bytes, name: name, warnings: &warnings, checkingNotes: false)
}

/// Likewise, with them.
package func readMIDI(
  _ bytes: UnsafeRawBufferPointer, name: String, warnings: inout [MIDIWarning],
  checkingNotes: Bool = true
) throws(LibrettoError) -> MIDIFile {
  do throws(MIDIError) {
    return try MIDIFile.read(bytes, warnings: &warnings, checkingNotes: checkingNotes)
  } catch {
    switch error {
    case .invalid(let sentence):
      throw LibrettoError(.format, "\(name) cannot be read as MIDI: \(sentence)")
    case .outOfMemory(let error): throw LibrettoError(error)
    }
  }
}

extension MIDIFile {
  /// Writes the file, whole or not at all.
  public func save(_ path: String) throws(LibrettoError) {
    let bytes = try fileBytes()
    try replaceFile(path) { (out) throws(LibrettoError) in
      try out.write(UnsafeRawBufferPointer(bytes.elements))
    }
    withExtendedLifetime(bytes) {}
  }

  /// The bytes of the file.
  package func fileBytes() throws(LibrettoError) -> GrowableBuffer<UInt8> {
    try allocating { () throws(OutOfMemory) in try encoded() }
  }
}
