import Libretto
import Sequences

/// Reads a MIDI file; what was wrong with it is appended to the warnings.
func readMIDI(_ path: String, warnings: inout [MIDIWarning]) throws -> MIDIFile {
  let file = try Streams.file(path)
  let data = try orFail { () throws(LibrettoError) in
    try FileContents(file, most: MIDIFile.maximumSize)
  }
  defer { withExtendedLifetime(data) {} }
  do throws(MIDIError) {
    return try MIDIFile.read(data.bytes, warnings: &warnings, checkingNotes: true)
  } catch {
    throw Failure("\(Streams.name(path)): \(error.message)", code: 2)
  }
}

func readMIDI(_ path: String) throws -> MIDIFile {
  var warnings: [MIDIWarning] = []
  return try readMIDI(path, warnings: &warnings)
}

/// Writes a file, whole or not at all; `-` is standard output.
func writeFile(_ path: String, _ bytes: some Collection<UInt8>) throws {
  if path == "-" { return try StandardOutput.write(bytes) }
  try orFail { () throws(LibrettoError) in try replaceFile(path, with: Array(bytes)) }
}

/// A name for what is made of a file: its own without folder and ending, and without dots at its
/// beginning, which would hide what is made; for `.` and the like that of the folder they stand for.
func stem(_ path: String) -> String {
  func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }
  var name = last(path)
  if name.allSatisfy({ $0 == "." }) { name = last(resolved(path)) }
  if let ending = [ModelFiles.checkpointEnding, ModelFiles.ending].first(where: name.hasSuffix) {
    name.removeLast(ending.count)
  } else if let dot = name.lastIndex(of: "."), dot != name.startIndex {
    name = String(name[..<dot])
  }
  name = String(name.drop { $0 == "." })
  return name.isEmpty || path == "-" ? "libretto" : name
}

/// What a file says of itself may hold anything; on a terminal it must do no harm.
func printable(_ text: String) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
    out.unicodeScalars.append(isControl ? "·" : scalar)
  }
  return out
}
