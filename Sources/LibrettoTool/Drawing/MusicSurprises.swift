import Sequences

/// The most surprising places of a piece: at most one of each bar, or of each second of a
/// performance.
struct MusicSurprises {
  private let encoding: any MusicEncoding
  private let bars: BarLines
  /// Ticks of the file to one of the encoding, of a grid.
  private let scale: Double
  private let isOnGrid: Bool
  private var tick = 0
  var places: SurprisingPlaces

  init(_ encoding: any MusicEncoding, _ file: MIDIFile, places: Int) {
    self.encoding = encoding
    bars = BarLines(file)
    scale = Double(file.ticksPerQuarter) / Double(encoding.ticksPerQuarter)
    isOnGrid = encoding.hasBars
    self.places = SurprisingPlaces(places)
  }

  /// Takes the next token, and its surprise in bits.
  mutating func note(_ token: Int32, _ bits: Double) {
    if isOnGrid {
      let at = Int((Double(tick) * scale).rounded())
      let bar = bars.bar(at: at)
      if places.wants(bits, group: bar) {
        let beats = Double(at - bars.tick(ofBar: bar)) / bars.section(ofBar: bar).ticksPerBeat
        places.keep(bits, "bar \(bar + 1), beat \(trimmed(1 + beats, 2))", describe(token))
      }
    } else {
      // At 120 quarter notes per minute.
      let seconds = Double(tick) / Double(2 * encoding.ticksPerQuarter)
      if places.wants(bits, group: Int(seconds)) {
        places.keep(bits, "\(fixed(seconds, 2)) s", describe(token))
      }
    }
    tick += encoding.ticks(of: token)
  }

  private func describe(_ token: Int32) -> String {
    let name = encoding.name(of: token)
    return encoding.pitch(of: token).map { "\(name) (\(noteName($0)))" } ?? name
  }
}
