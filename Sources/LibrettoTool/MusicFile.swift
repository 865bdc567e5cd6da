import Libretto
import Sequences

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads a MIDI file; what was wrong with it is appended to the warnings.
func readMIDI(_ path: String, warnings: inout [MIDIWarning]) throws -> MIDIFile {
  let data = try orFail { () throws(LibrettoError) in try MappedFile(path) }
  defer { withExtendedLifetime(data) {} }
  do throws(MIDIError) {
    return try MIDIFile.read(data.bytes, warnings: &warnings)
  } catch {
    throw Failure("\(path): \(error.message)", code: 2)
  }
}

func readMIDI(_ path: String) throws -> MIDIFile {
  var warnings: [MIDIWarning] = []
  return try readMIDI(path, warnings: &warnings)
}

/// Writes a whole file.
func writeFile(_ path: String, _ bytes: some Collection<UInt8>) throws {
  func failure() -> Failure {
    Failure("cannot write \(path): \(String(cString: strerror(errno)))", code: 2)
  }
  guard let file = fopen(path, "w") else { throw failure() }
  let bytes = Array(bytes)
  guard fwrite(bytes, 1, bytes.count, file) == bytes.count, fflush(file) == 0 else {
    defer { fclose(file) }
    throw failure()
  }
  guard fclose(file) == 0 else { throw failure() }
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
