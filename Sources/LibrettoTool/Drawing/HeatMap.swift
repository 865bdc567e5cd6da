/// Colours text by surprise, a character at a time, and keeps the most surprising places.
struct HeatMap {
  private let colored: Bool
  var places: SurprisingPlaces
  private var (line, column) = (1, 1)
  private var character: [UInt8] = []
  private var bits = 0.0
  private var before = ""
  private static let longestLine = 200
  private var group = 0

  init(colored: Bool, places: Int) {
    self.colored = colored
    self.places = SurprisingPlaces(places)
  }

  /// Takes the bytes of a token and its surprise; a character may come in several.
  mutating func note(_ bytes: [UInt8], _ surprise: Double?) {
    for byte in bytes where byte & 0xC0 != 0x80 {
      _ = byte
      emit()
      break
    }
    character += bytes
    bits += surprise ?? 0
  }

  mutating func finish() {
    emit()
    if colored { Terminal.write("\u{1B}[0m\n") }
  }

  private mutating func emit() {
    guard !character.isEmpty else { return }
    let text = String(decoding: character, as: UTF8.self)
    if colored { Terminal.write(color(bits) + text) }
    // A file may be one long line.
    if column % Self.longestLine == 1 { group += 1 }
    if places.wants(bits, group: group) {
      places.keep(bits, "\(line):\(column)", "\(visible(before))[\(visible(text))]")
    }
    if text == "\n" {
      line += 1
      column = 1
    } else {
      column += 1
    }
    before = String((before + text).suffix(24))
    character = []
    bits = 0
  }

  /// A background from the terminal's own, over yellow, to red, at 2, 4, 6, 9 and 12 bits.
  private func color(_ bits: Double) -> String {
    switch bits {
    case ..<2: "\u{1B}[0m"
    case ..<4: "\u{1B}[30;48;5;230m"
    case ..<6: "\u{1B}[30;48;5;228m"
    case ..<9: "\u{1B}[30;48;5;221m"
    case ..<12: "\u{1B}[30;48;5;209m"
    default: "\u{1B}[97;48;5;160m"
    }
  }

  private func visible(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": out += "⏎"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: out += "·"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
