import Sequences

/// A small piano roll of block characters: four squares to a character, two semitones and two
/// sixteenth notes.
struct TerminalRoll {
  private let notes: [MIDINote]
  private let lines: BarLines
  /// The last tick.
  private let end: Int
  /// Bars, and of these how many are shown.
  private let bars: Int
  private let clock: MIDITempoMap
  private let colored, inSeconds: Bool
  private let rows: [Row]
  /// Ticks of half a character.
  private let square: Int
  private let barsPerSystem: Int
  /// Characters for notes.
  private let room: Int

  /// A line of text: the pitches of its upper and lower half.
  private struct Row {
    let upper, lower: Int
    let label: String
  }

  private static let labelWidth = 4
  private static let mostSystems = 2
  private static let mostBars = 16

  /// - `inSeconds`: whether the music has no bars, so that the ruler shows seconds.
  init(_ file: MIDIFile, width: Int, colored: Bool, inSeconds: Bool) {
    notes = file.notes()
    let lines = BarLines(file)
    self.lines = lines
    clock = file.tempoMap
    end = file.end
    bars = max(1, Int((lines.position(file.end) - 1e-9).rounded(.up)))
    self.colored = colored
    self.inSeconds = inSeconds
    let room = max(16, width - Self.labelWidth - 2)
    self.room = room
    rows = Self.rows(notes)
    // Sixteenths; coarser where four bars would not fit.
    var square = max(1, file.ticksPerQuarter / 4)
    let bar = Int(lines.section(ofBar: 0).ticksPerBar.rounded())
    func fit(_ square: Int) -> Int { room / max(1, Self.characters(bar, square)) }
    while fit(square) < min(4, bars) && square < bar { square *= 2 }
    self.square = square
    let count = max(1, min(fit(square), Self.mostBars, bars))
    barsPerSystem = count > 4 && count < bars ? count / 4 * 4 : count
  }

  private static func characters(_ ticks: Int, _ square: Int) -> Int {
    (ticks + 2 * square - 1) / (2 * square)
  }

  /// A pair of pitches to a row, named for its white key; drums one to a row.
  private static func rows(_ notes: [MIDINote]) -> [Row] {
    let drums = Set(notes.filter { $0.channel == GeneralMIDI.drumChannel }.map(\.pitch))
    let pitches = notes.filter { $0.channel != GeneralMIDI.drumChannel }.map(\.pitch)
    guard let low = pitches.min(), let high = pitches.max() else {
      return drums.sorted(by: >).map {
        Row(upper: $0, lower: $0, label: String(GeneralMIDI.drum($0).filter(\.isLetter).prefix(4)))
      }
    }
    return (low / 2...high / 2).reversed().map { pair in
      let white = isBlackKey(2 * pair) ? 2 * pair + 1 : 2 * pair
      return Row(upper: 2 * pair + 1, lower: 2 * pair, label: noteName(white))
    }
  }

  /// The lines, each with its end; nothing where there are no notes.
  var text: String {
    guard !rows.isEmpty else { return "" }
    let systems = rows.count > 20 ? 1 : Self.mostSystems
    let shown = min(bars, barsPerSystem * systems)
    var out = ""
    for first in stride(from: 0, to: shown, by: barsPerSystem) {
      out += system(first..<min(shown, first + barsPerSystem))
    }
    if shown < bars {
      let rest = bars - shown
      let unit = rest == 1 ? "bar" : "bars"
      out +=
        inSeconds
        ? "and \(length(clock.seconds(at: end) - seconds(ofBar: shown))) more\n"
        : "and \(rest) \(unit) more\n"
    }
    return out + "\n"
  }

  private func system(_ bars: Range<Int>) -> String {
    var begins: [Int] = []
    var width = 0
    for bar in bars {
      begins.append(width)
      let ticks = lines.tick(ofBar: bar + 1) - lines.tick(ofBar: bar)
      width = min(room, width + Self.characters(ticks, square))
    }
    /// For each row four squares to a character: 1 and 2 above, 4 and 8 below.
    var squares = [[UInt8]](repeating: [UInt8](repeating: 0, count: width), count: rows.count)
    for (number, bar) in bars.enumerated() {
      draw(bar, begins[number], &squares)
    }
    var out =
      dim(String(repeating: " ", count: Self.labelWidth) + ruler(bars, begins, width)) + "\n"
    let starts = Set(begins.dropFirst())
    for (row, line) in zip(rows, squares) {
      out += dim(row.label.padded(Self.labelWidth) + "│")
      out += characters(line, starts)
      out += dim("│") + "\n"
    }
    return out
  }

  /// Marks the squares of a bar.
  private func draw(_ bar: Int, _ column: Int, _ squares: inout [[UInt8]]) {
    let start = lines.tick(ofBar: bar)
    let end = lines.tick(ofBar: bar + 1)
    let width = squares.first?.count ?? 0
    func place(_ tick: Int) -> Int { (tick - start + square / 2) / square }
    for note in notes where note.start < end && note.end > start {
      let from = place(max(note.start, start))
      var to = max(from + 1, place(min(note.end, end)))
      // Two notes of one pitch must not look like one.
      if to - from > 1 && note.end <= end && isStruckAgain(note) { to -= 1 }
      guard let row = rows.firstIndex(where: { $0.upper == note.pitch || $0.lower == note.pitch })
      else { continue }
      for i in from..<to where column + i / 2 < width {
        let bit: UInt8 = i % 2 == 0 ? 1 : 2
        if rows[row].upper == note.pitch { squares[row][column + i / 2] |= bit }
        if rows[row].lower == note.pitch { squares[row][column + i / 2] |= bit << 2 }
      }
    }
  }

  /// Whether a note of the same pitch begins about where this one ends.
  private func isStruckAgain(_ note: MIDINote) -> Bool {
    let near = max(1, square / 2)
    var (low, high) = (0, notes.count)
    while low < high {
      let middle = (low + high) / 2
      if notes[middle].start < note.end - near { low = middle + 1 } else { high = middle }
    }
    while low < notes.count && notes[low].start <= note.end + near {
      if notes[low].pitch == note.pitch && notes[low].start > note.start { return true }
      low += 1
    }
    return false
  }

  private func seconds(ofBar bar: Int) -> Double { clock.seconds(at: lines.tick(ofBar: bar)) }

  /// The numbers of the bars, or the seconds, above where they begin.
  private func ruler(_ bars: Range<Int>, _ begins: [Int], _ width: Int) -> String {
    var text = " "
    for (number, bar) in bars.enumerated() {
      let label = inSeconds ? "\(trimmed(seconds(ofBar: bar), 1))s" : "\(bar + 1)"
      let at = begins[number] + 1
      if text.count < at || number == 0 { text = text.padded(at) + label }
    }
    return String(text.prefix(width + 1))
  }

  private static let blocks = Array(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")

  private func characters(_ line: [UInt8], _ starts: Set<Int>) -> String {
    var out = ""
    var isNote = false
    for (column, bits) in line.enumerated() {
      let hasNote = bits != 0
      if colored && hasNote != isNote { out += hasNote ? "\u{1B}[38;5;75m" : "\u{1B}[0m" }
      isNote = hasNote
      if hasNote {
        out.append(Self.blocks[Int(bits)])
      } else {
        out += starts.contains(column) ? dim("┊") : " "
      }
    }
    return isNote && colored ? out + "\u{1B}[0m" : out
  }

  private func dim(_ text: String) -> String {
    colored ? "\u{1B}[2m\(text)\u{1B}[0m" : text
  }
}
