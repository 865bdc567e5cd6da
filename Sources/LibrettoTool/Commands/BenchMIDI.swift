import ArgumentParser
import Libretto
import Sequences

struct BenchMIDI: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "midi",
    abstract: "Reading MIDI files: open, read the events, make notes of them, one after another.")

  @Argument(help: "A folder, searched with all its folders for MIDI files.")
  var folder: String

  @Option(help: "Measure for about this long. (default: 3)", transform: number(benchSeconds))
  var seconds = 3.0

  @Flag(help: "Print JSON.")
  var json = false

  private struct Tally {
    var (notes, bytes, warnings, refused) = (0, 0, 0, 0)

    mutating func read(_ path: String) {
      var found: [MIDIWarning] = []
      guard let data = try? FileContents(path, most: MIDIFile.maximumSize),
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
    let paths = FolderWalk(folder).music
    guard !paths.isEmpty else { throw Failure("no MIDI files under \(folder)", code: 2) }
    var tally = Tally()
    let timings = Timings(for: seconds) {
      tally = Tally()
      for path in paths { tally.read(path) }
    }
    let median = timings.quantile(0.5)
    let counts = [
      ("files", paths.count), ("refused", tally.refused), ("warnings", tally.warnings),
      ("bytes", tally.bytes), ("notes", tally.notes),
    ]
    let times = [
      ("milliseconds_per_pass", median * 1e3), ("fastest", timings.quantile(0) * 1e3),
      ("slowest", timings.quantile(1) * 1e3),
      ("megabytes_per_second", Double(tally.bytes) / median / 1e6),
    ]
    if json {
      let members = counts.map { ($0.0, JSON.number($0.1)) } + times.map { ($0.0, .number($0.1)) }
      print(JSON.object(members).text)
    } else {
      let lines = counts.map { ($0.0, "\($0.1)") } + times.map { ($0.0, fixed($0.1, 2)) }
      for (key, value) in lines {
        print(key.split(separator: "_").joined(separator: " ").padded(26) + value)
      }
    }
  }
}
