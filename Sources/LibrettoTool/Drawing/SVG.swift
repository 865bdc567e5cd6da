/// Writes the elements of an SVG picture.
struct SVG {
  private(set) var text = ""

  init(width: Double, height: Double, title: String) {
    text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.n(width))" height="\(Self.n(height))" \
      viewBox="0 0 \(Self.n(width)) \(Self.n(height))" \
      font-family="Helvetica Neue, Helvetica, Arial, sans-serif" role="img">
      <title>\(Self.escaped(title))</title>

      """
  }

  /// The whole picture.
  var finished: String { text + "</svg>\n" }

  mutating func open(_ attributes: String) { text += "<g \(attributes)>\n" }
  mutating func close() { text += "</g>\n" }

  mutating func rect(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, radius: Double = 0,
    _ attributes: String = "", tip: String? = nil
  ) {
    let round = radius > 0 ? " rx=\"\(Self.n(radius))\"" : ""
    text +=
      "<rect x=\"\(Self.n(x))\" y=\"\(Self.n(y))\" width=\"\(Self.n(width))\" "
      + "height=\"\(Self.n(height))\"\(round)\(Self.spaced(attributes))"
    end("rect", tip)
  }

  mutating func circle(
    _ x: Double, _ y: Double, _ radius: Double, _ attributes: String = "", tip: String? = nil
  ) {
    text +=
      "<circle cx=\"\(Self.n(x))\" cy=\"\(Self.n(y))\" r=\"\(Self.n(radius))\""
      + Self.spaced(attributes)
    end("circle", tip)
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ attributes: String = ""
  ) {
    text +=
      "<path d=\"M\(Self.n(x1)) \(Self.n(y1))L\(Self.n(x2)) \(Self.n(y2))\""
      + "\(Self.spaced(attributes))/>\n"
  }

  mutating func path(_ points: [(Double, Double)], closed: Bool, _ attributes: String) {
    guard let first = points.first else { return }
    text += "<path d=\"M\(Self.n(first.0)) \(Self.n(first.1))"
    for (x, y) in points.dropFirst() { text += "L\(Self.n(x)) \(Self.n(y))" }
    text += "\(closed ? "Z" : "")\"\(Self.spaced(attributes))/>\n"
  }

  mutating func label(_ x: Double, _ y: Double, _ label: String, _ attributes: String = "") {
    text +=
      "<text x=\"\(Self.n(x))\" y=\"\(Self.n(y))\"\(Self.spaced(attributes))>"
      + "\(Self.escaped(label))</text>\n"
  }

  private mutating func end(_ element: String, _ tip: String?) {
    if let tip {
      text += "><title>\(Self.escaped(tip))</title></\(element)>\n"
    } else {
      text += "/>\n"
    }
  }

  private static func spaced(_ attributes: String) -> String {
    attributes.isEmpty ? "" : " " + attributes
  }

  private static func n(_ value: Double) -> String { trimmed(value, 2) }

  /// About how wide some text is.
  static func width(_ text: String, size: Double) -> Double { 0.54 * size * Double(text.count) }

  /// Text for an XML document, without the characters that none may hold.
  static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"": out += "&quot;"
      case "\u{FFFE}", "\u{FFFF}": break
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

/// A colour, mixed as paint programs do.
struct Color {
  let red, green, blue: Double

  init(_ hex: Int) {
    red = Double(hex >> 16 & 0xFF)
    green = Double(hex >> 8 & 0xFF)
    blue = Double(hex & 0xFF)
  }

  private init(_ red: Double, _ green: Double, _ blue: Double) {
    (self.red, self.green, self.blue) = (red, green, blue)
  }

  func mixed(with other: Color, _ share: Double) -> Color {
    func mix(_ a: Double, _ b: Double) -> Double { a + (b - a) * share }
    return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
  }

  var hex: String {
    let value = Int(red.rounded()) << 16 | Int(green.rounded()) << 8 | Int(blue.rounded())
    let digits = String(value, radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }

  static let white = Color(0xFFFFFF)
  static let black = Color(0)
}
