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
    throw LibrettoError(.format, "\(name) cannot be read as MIDI: \(error.message)")
  }
}

extension MIDIFile {
  /// Writes the file, whole or not at all.
  public func save(_ path: String) throws(LibrettoError) {
    try replaceFile(path, with: write())
  }
}
