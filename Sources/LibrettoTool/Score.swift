import ArgumentParser
import Libretto
import Sequences

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what in a file surprises a model.",
    discussion: """
      On a terminal the text is coloured by surprise, in bits: from none over yellow to red. Then \
      come the most surprising places, by line and column: typing errors and strangers stand out.
      """)

  @Argument(help: "A model file, or a checkpoint.")
  var model: String

  @Argument(help: "A text file.")
  var file: String

  @Option(help: "How many of the most surprising places to list.")
  var places = 10

  @Flag(help: "Print every token with its log-probability as JSON.")
  var json = false

  func validate() throws {
    if places < 0 { throw ValidationError("--places must be 0 or more") }
  }

  func run() throws {
    let loaded = try orFail { () throws(LibrettoError) in try Model(path: model) }
    try FileKind.refuseAsText(file, for: loaded)
    if json { return try printJSON(loaded) }
    let encoding = try orFail { () throws(LibrettoError) in try loaded.textEncoding() }
    func bytes(_ token: Int32) -> [UInt8] { Self.bytes(encoding, token) }
    var map = HeatMap(colored: Terminal.isInteractive, places: places)
    var evaluation = Evaluation()
    try orFail { () throws(LibrettoError) in
      try loaded.score(file: file) { input, token, logProbability in
        if evaluation.tokens == 0 { map.note(bytes(input), nil) }
        evaluation.tokens += 1
        evaluation.characters += encoding.characters(in: token)
        evaluation.nats -= logProbability
        map.note(bytes(token), -logProbability / 0.693147180559945309)
      }
    }
    map.finish()
    if let bits = evaluation.bitsPerCharacter {
      print(
        "\(fixed(bits, 3)) bits per character over \(grouped(evaluation.characters)) characters")
    } else {
      print("There is nothing to predict.")
    }
    map.printPlaces()
  }

  private static func bytes(_ encoding: any TextEncoding, _ token: Int32) -> [UInt8] {
    let (packed, count) = encoding.bytes(of: token)
    return (0..<count).map { UInt8(truncatingIfNeeded: packed >> UInt32(8 * $0)) }
  }

  private func printJSON(_ model: Model) throws {
    func text(_ token: Int32) -> String {
      if let text = model.encoding as? any TextEncoding {
        return String(decoding: Self.bytes(text, token), as: UTF8.self)
      }
      return (model.encoding as? any MusicEncoding)?.name(of: token) ?? ""
    }
    Terminal.write("{\"tokens\":[")
    var first = true
    try orFail { () throws(LibrettoError) in
      try model.score(file: file) { input, token, logProbability in
        if !first { Terminal.write(",") }
        first = false
        Terminal.write(
          JSON.object([
            ("input", .number(Int(input))), ("token", .number(Int(token))),
            ("text", .string(text(token))), ("log_probability", .number(logProbability)),
          ]).text)
      }
    }
    print("]}")
  }
}

/// Colours text by surprise, a character at a time, and keeps the most surprising places.
struct HeatMap {
  private struct Place {
    let line, column: Int
    let bits: Double
    let text, before: String
  }

  private let colored: Bool
  private let wanted: Int
  private var places: [Place] = []
  private var (line, column) = (1, 1)
  private var character: [UInt8] = []
  private var bits = 0.0
  private var before = ""

  init(colored: Bool, places: Int) {
    self.colored = colored
    wanted = places
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
    if places.count < wanted || bits > (places.last?.bits ?? 0) {
      places.append(Place(line: line, column: column, bits: bits, text: text, before: before))
      places.sort { $0.bits > $1.bits }
      if places.count > wanted { places.removeLast() }
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

  func printPlaces() {
    guard !places.isEmpty else { return }
    print("The most surprising places:")
    for place in places {
      let at = "\(place.line):\(place.column)".padded(10)
      print(
        "  \(at)\(fixed(place.bits, 1).paddedLeft(5)) bits  \(visible(place.before))[\(visible(place.text))]"
      )
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
