import Memory

/// Chooses an encoding for a collection of files: what most of them ask for.
public struct EncodingChoice: Sendable {
  private var votes: [String: Int] = [:]

  public init() {}

  /// Takes note of a file: drums alone ask for `drums`, playing off the grid for `performance`, one
  /// line for `melody`, and everything else for `polyphony`.
  public mutating func note(_ file: MIDIFile) throws(OutOfMemory) {
    let notes = try file.pairedNotes()
    guard notes.count > 0 else { return }
    notes.keep { $0.channel != drumChannel }
    let name =
      notes.count > 0 ? kind(notes, max(1, file.ticksPerQuarter)) : DrumsEncoding.name
    votes[name, default: 0] += 1
  }

  private func kind(_ notes: GrowableBuffer<MIDINote>, _ quarter: Int) -> String {
    let onGrid = GridFit.count(notes, ticksPerQuarter: quarter, steps: [12, 8])
    // Chance alone puts about two thirds there.
    if Double(onGrid) < 0.85 * Double(notes.count) { return PerformanceEncoding.name }
    var beginnings = 0
    var last = -1
    for note in notes where note.start != last {
      beginnings += 1
      last = note.start
    }
    return Double(beginnings) >= 0.97 * Double(notes.count)
      ? MelodyEncoding.name : PolyphonyEncoding.name
  }

  /// The encodings that files asked for, what of the files did, and how many of them, the most first.
  public var counts: [(name: String, trait: String, files: Int)] {
    votes.map { ($0.key, Self.trait(of: $0.key), $0.value) }
      .sorted { ($1.2, $0.0) < ($0.2, $1.0) }
  }

  private static func trait(of encoding: String) -> String {
    switch encoding {
    case MelodyEncoding.name: "one voice"
    case PolyphonyEncoding.name: "chords"
    case DrumsEncoding.name: "drums alone"
    default: "notes off the grid"
    }
  }

  /// The winner; `polyphony` if no file had notes.
  public var name: String {
    votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? PolyphonyEncoding.name
  }
}
