import Platform

/// How often each label was taken for each.
struct Confusion {
  private let names: [String]
  /// `[truth][found]`
  private var counts: [[Int]]
  /// Minus the sum of the logarithms of the probabilities that the true labels got.
  private var surprise = 0.0
  private(set) var total = 0

  init(_ names: [String]) {
    self.names = names
    counts = Array(repeating: Array(repeating: 0, count: names.count), count: names.count)
  }

  mutating func note(_ truth: Int, _ found: Int, _ probability: Double) {
    counts[truth][found] += 1
    surprise -= log(max(probability, 1e-300))
    total += 1
  }

  private var right: Int { names.indices.reduce(0) { $0 + counts[$1][$1] } }

  /// Prints how many were right, and which labels were taken for which.
  func show() {
    print(
      "\(grouped(right)) of \(grouped(total)) right (\(fixed(100 * Double(right) / Double(total), 1)) %), \(fixed(surprise / Double(total), 3)) nats per label"
    )
    // A wide table would not be read.
    guard names.count <= 12 else { return }
    let width = 2 + max(6, names.map(\.count).max() ?? 0)
    func cell(_ text: String) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    print("\n" + "true \\ found".padded(max(14, width)) + names.map(cell).joined())
    for truth in names.indices where counts[truth].contains(where: { $0 > 0 }) {
      print(
        names[truth].padded(max(14, width)) + counts[truth].map { cell(grouped($0)) }.joined())
    }
  }

  func write(_ path: String) throws { try writeFile(path, svg.utf8) }

  /// The matrix as a picture: each row is a true label, each cell darker the larger its share of the row.
  var svg: String {
    let cell = names.count <= 16 ? 44.0 : max(12, 700 / Double(names.count))
    let letters = min(13, cell * 0.5)
    let left = 24 + (names.map { SVG.width($0, size: letters) }.max() ?? 0)
    let top = 46 + left * 0.75
    let side = cell * Double(names.count)
    var svg = SVG(
      width: max(left + side + 24, 300), height: top + side + 24, title: "Confusion matrix")
    svg.rect(0, 0, max(left + side + 24, 300), top + side + 24, "fill=\"#ffffff\"")
    svg.label(
      14, 24,
      "\(fixed(100 * Double(right) / Double(max(total, 1)), 1)) % of \(grouped(total)) right",
      "font-size=\"15\" fill=\"#222222\"")
    for (i, name) in names.enumerated() {
      let middle = (Double(i) + 0.5) * cell
      svg.label(
        left - 8, top + middle + letters * 0.35, name,
        "font-size=\"\(trimmed(letters, 1))\" text-anchor=\"end\" fill=\"#444444\"")
      let (x, y) = (left + middle + letters * 0.35, top - 8)
      svg.label(
        x, y, name,
        "font-size=\"\(trimmed(letters, 1))\" fill=\"#444444\" transform=\"rotate(-60 \(trimmed(x, 1)) \(trimmed(y, 1)))\""
      )
    }
    for truth in names.indices {
      let row = max(1, counts[truth].reduce(0, +))
      for found in names.indices {
        let count = counts[truth][found]
        let share = Double(count) / Double(row)
        let ink = Color(truth == found ? 0x2F6DA8 : 0xC8442C)
        let (x, y) = (left + Double(found) * cell, top + Double(truth) * cell)
        svg.rect(
          x + 0.5, y + 0.5, cell - 1, cell - 1,
          "fill=\"\(Color.white.mixed(with: ink, share.squareRoot()).hex)\" stroke=\"#dddddd\"",
          tip: "\(names[truth]) taken for \(names[found]): \(count)")
        if count > 0 && cell >= 24 {
          svg.label(
            x + cell / 2, y + cell / 2 + 4, grouped(count),
            "font-size=\"12\" text-anchor=\"middle\" fill=\"\(share > 0.4 ? "#ffffff" : "#333333")\""
          )
        }
      }
    }
    return svg.finished
  }
}
