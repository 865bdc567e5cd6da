import ArgumentParser
import Libretto
import Sequences

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

struct BenchMIDI: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "midi",
    abstract: "Reading MIDI files: open, read the events, make notes of them, one after another.")

  @Argument(help: "A folder, searched with all its folders for files that end in .mid or .midi.")
  var folder: String

  @Option(help: "Measure for about this long.")
  var seconds = 3.0

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if !(seconds > 0 && seconds <= 3600) {
      throw ValidationError("--seconds must be above 0 and at most 3600")
    }
  }

  private struct Tally {
    var (notes, bytes, warnings, refused) = (0, 0, 0, 0)

    mutating func read(_ path: String) {
      var found: [MIDIWarning] = []
      guard let data = try? MappedFile(path),
        let file = withExtendedLifetime(
          data, { try? MIDIFile.read(data.bytes, warnings: &found) })
      else {
        refused += 1
        return
      }
      notes += file.notes().count
      bytes += data.bytes.count
      warnings += found.count
    }
  }

  func run() throws {
    let paths = midiFiles(in: folder).sorted()
    guard !paths.isEmpty else { throw Failure("no MIDI files under \(folder)", code: 2) }
    var tally = Tally()
    let timings = Timings(for: seconds) {
      tally = Tally()
      for path in paths { tally.read(path) }
    }
    let median = timings.quantile(0.5)
    let figures = [
      ("files", Double(paths.count)), ("refused", Double(tally.refused)),
      ("bytes", Double(tally.bytes)),
      ("notes", Double(tally.notes)), ("warnings", Double(tally.warnings)),
      ("milliseconds_per_pass", median * 1e3), ("fastest", timings.quantile(0) * 1e3),
      ("slowest", timings.quantile(1) * 1e3),
      ("megabytes_per_second", Double(tally.bytes) / median / 1e6),
    ]
    if json {
      print(JSON.object(figures.map { ($0.0, .number($0.1)) }).text)
    } else {
      for (key, value) in figures {
        print("\(key.split(separator: "_").joined(separator: " ").padded(26))\(fixed(value, 2))")
      }
    }
  }

  /// The MIDI files of a folder and of the folders in it; links are not followed.
  private func midiFiles(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var paths: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      let path = folder + "/" + name
      var facts = stat()
      guard lstat(path, &facts) == 0 else { continue }
      if facts.st_mode & S_IFMT == S_IFDIR {
        paths += midiFiles(in: path)
      } else if [".mid", ".midi"].contains(where: { name.lowercased().hasSuffix($0) }) {
        paths.append(path)
      }
    }
    return paths
  }
}
