import Libretto
import Sequences

/// Reads a MIDI file; what was wrong with it is appended to the warnings.
func readMIDI(_ path: String, warnings: inout [MIDIWarning]) throws -> MIDIFile {
  let data = try orFail { () throws(LibrettoError) in
    try FileContents(path, most: MIDIFile.maximumSize)
  }
  defer { withExtendedLifetime(data) {} }
  do throws(MIDIError) {
    return try MIDIFile.read(data.bytes, warnings: &warnings, checkingNotes: true)
  } catch {
    throw Failure("\(path): \(error.message)", code: 2)
  }
}

func readMIDI(_ path: String) throws -> MIDIFile {
  var warnings: [MIDIWarning] = []
  return try readMIDI(path, warnings: &warnings)
}

/// Writes a file, whole or not at all.
func writeFile(_ path: String, _ bytes: some Collection<UInt8>) throws {
  try orFail { () throws(LibrettoError) in try replaceFile(path, with: Array(bytes)) }
}

/// A file's name without its folder and its ending.
func stem(_ path: String) -> String {
  var name = path.split(separator: "/").last.map(String.init) ?? path
  for ending in [".checkpoint.safetensors", ".safetensors"] where name.hasSuffix(ending) {
    return String(name.dropLast(ending.count))
  }
  if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = String(name[..<dot]) }
  return name
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
