import ArgumentParser
import Libretto
import Sequences

struct MIDIInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Show what a MIDI file consists of, and what is wrong with it.",
    discussion: """
      Channels are counted from 0 to 15, drums being on 9, and programs from 0 to 127. Where the file \
      names no key, the one its notes fit best is shown. What was read leniently is listed with its \
      place in bytes.
      """)

  @Argument(help: "A MIDI file.")
  var file: String

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    var warnings: [MIDIWarning] = []
    let midi = try readMIDI(file, warnings: &warnings)
    let facts = MIDIFacts(midi)
    if json {
      print(facts.json(warnings).text)
    } else {
      show(facts, warnings)
    }
  }

  private func show(_ facts: MIDIFacts, _ warnings: [MIDIWarning]) {
    let file = facts.file
    let kinds = ["one track", "tracks that sound together", "tracks one after another"]
    print("\(self.file): format \(file.format) (\(kinds[file.format])), \(division(file))")
    print("")
    print(
      "Track".padded(24) + "Channels".padded(12) + "Programs".padded(26) + "Events".paddedLeft(9)
        + "Notes".paddedLeft(9) + "  Range")
    let rule = String(repeating: "─", count: 92)
    print(rule)
    for (number, track) in facts.tracks.enumerated() {
      if number == 64 {
        print("and \(grouped(facts.tracks.count - number)) more")
        break
      }
      let name = [String(number + 1), track.name.map(printable)].compactMap { $0 }
        .joined(separator: "  ")
      let programs = track.programs.map { "\($0) \(GeneralMIDI.instruments[$0])" }
        .joined(separator: ", ")
      let range = track.range.map { "\(noteName($0.lowerBound))–\(noteName($0.upperBound))" } ?? ""
      print(
        short(name, 23).padded(24)
          + short(track.channels.map(String.init).joined(separator: ","), 11).padded(12)
          + short(programs, 25).padded(26) + grouped(track.events).paddedLeft(9)
          + grouped(track.notes).paddedLeft(9) + "  " + range)
    }
    print(rule)
    print("Notes           \(grouped(facts.notes.count))")
    print(
      "Length          \(bars(facts.barCount)), \(length(facts.seconds)), \(grouped(file.end)) ticks"
    )
    list("Tempo", facts.tempos) { "\(trimmed($0.beatsPerMinute, 2)) a minute" }
    list("Time signature", facts.timeSignatures) { $0.name }
    list("Key signature", facts.keys) { $0.name }
    if facts.keys.isEmpty, let key = facts.likelyKey {
      print("Key             \(key), by the notes")
    }
    guard !warnings.isEmpty else { return }
    print("")
    print("Read leniently:")
    for warning in warnings {
      print("  byte \(String(warning.offset).padded(9)) \(printable(warning.message))")
    }
  }

  private func division(_ file: MIDIFile) -> String {
    switch file.division {
    case .metrical(let ticks): "\(ticks) ticks per quarter note"
    case .timeCode(let frames, let ticks): "\(frames) frames a second of \(ticks) ticks"
    }
  }

  private func bars(_ count: Double) -> String {
    let text = trimmed(count, 2)
    return text == "1" ? "1 bar" : "\(text) bars"
  }

  /// A list of changes with the bars they come at.
  private func list<Change>(
    _ title: String, _ changes: [(position: Double, change: Change)], _ name: (Change) -> String
  ) {
    for (i, (position, change)) in changes.enumerated() {
      let label = (i == 0 ? title : "").padded(16)
      if i == 12 && changes.count > 13 {
        print(label + "and \(grouped(changes.count - i)) more")
        return
      }
      let at = position < 1e-9 ? "" : "  from bar \(trimmed(position + 1, 2)) on"
      print(label + name(change) + at)
    }
  }

  private func short(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : String(text.prefix(width - 1)) + "…"
  }
}

/// Minutes and seconds, with tenths below one minute.
func length(_ seconds: Double) -> String {
  seconds < 60 ? "\(fixed(seconds, 1))s" : duration(seconds)
}

/// A number with at most so many decimals.
func trimmed(_ value: Double, _ decimals: Int) -> String {
  var text = fixed(value, decimals)
  guard text.contains(".") else { return text }
  while text.hasSuffix("0") { text.removeLast() }
  if text.hasSuffix(".") { text.removeLast() }
  return text
}
