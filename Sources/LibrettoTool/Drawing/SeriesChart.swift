import Libretto

/// Draws columns of numbers over time, one below the other: values as a line, what was expected as bands.
struct SeriesChart {
  /// One column.
  struct Panel {
    let name: String
    /// Places along the time axis.
    let rows: Int
    let firstTime, lastTime: String
    /// From the first row on; NaN is a gap.
    var values: [Double] = []
    /// The likeliest course.
    var middle: [(row: Int, value: Double)] = []
    /// Each drawn over the one before.
    var bands: [[(row: Int, low: Double, high: Double)]] = []
    /// What is to be seen.
    var marks: [(row: Int, value: Double)] = []
  }

  private let title: String
  private var panels: [Panel] = []
  /// More would not be looked at.
  private static let mostPanels = 24
  private let width = 860.0
  private let height = 190.0
  private let left = 62.0
  private let right = 18.0

  init(title: String) { self.title = title }

  mutating func add(_ panel: Panel) {
    if panels.count < Self.mostPanels { panels.append(panel) }
  }

  var svg: String {
    let total = 44 + height * Double(panels.count)
    var svg = SVG(width: width, height: total, title: title)
    svg.rect(0, 0, width, total, "fill=\"#ffffff\"")
    svg.label(14, 26, title, "font-size=\"15\" fill=\"#222222\"")
    for (i, panel) in panels.enumerated() { draw(panel, 44 + height * Double(i), &svg) }
    return svg.finished
  }

  private func draw(_ panel: Panel, _ top: Double, _ svg: inout SVG) {
    let all =
      panel.values.filter(\.isFinite) + panel.middle.map(\.value)
      + panel.bands.flatMap { $0.flatMap { [$0.low, $0.high] } }
    guard let least = all.min(), let most = all.max() else { return }
    let margin = most > least ? 0.05 * (most - least) : max(1, abs(most) * 0.05)
    let (low, high) = (least - margin, most + margin)
    let (plotTop, plotHeight) = (top + 20, height - 44)
    func x(_ row: Int) -> Double {
      left + Double(row) / Double(max(1, panel.rows - 1)) * (width - left - right)
    }
    func y(_ value: Double) -> Double { plotTop + (high - value) / (high - low) * plotHeight }
    svg.label(left, top + 13, panel.name, "font-size=\"12\" fill=\"#222222\"")
    for value in ticks(low, high, 4) {
      svg.line(left, y(value), width - right, y(value), "stroke=\"#e4e4e4\"")
      svg.label(
        left - 8, y(value) + 4, trimmed(value, 6),
        "font-size=\"11\" text-anchor=\"end\" fill=\"#666666\"")
    }
    let below = plotTop + plotHeight + 15
    svg.label(left, below, panel.firstTime, "font-size=\"11\" fill=\"#666666\"")
    svg.label(
      width - right, below, panel.lastTime,
      "font-size=\"11\" text-anchor=\"end\" fill=\"#666666\"")
    let shades = ["#f3d9d3", "#e5aca0"]
    for (i, band) in panel.bands.enumerated() where !band.isEmpty {
      let points = thinned(band.count).map { band[$0] }
      let outline =
        points.map { (x($0.row), y($0.high)) } + points.reversed().map { (x($0.row), y($0.low)) }
      svg.path(outline, closed: true, "fill=\"\(shades[min(i, 1)])\"")
    }
    for stretch in stretches(panel.values) {
      svg.path(
        stretch.map { (x($0), y(panel.values[$0])) }, closed: false,
        "fill=\"none\" stroke=\"#3d6591\" stroke-width=\"1.3\" stroke-linejoin=\"round\"")
    }
    svg.path(
      panel.middle.map { (x($0.row), y($0.value)) }, closed: false,
      "fill=\"none\" stroke=\"#c8442c\" stroke-width=\"1.6\" stroke-linejoin=\"round\"")
    for mark in panel.marks {
      svg.circle(
        x(mark.row), y(mark.value), 4.5, "fill=\"none\" stroke=\"#c8442c\" stroke-width=\"1.8\"")
    }
  }

  /// Rows of values between gaps; of many rows those of the smallest and the largest value of each few.
  private func stretches(_ values: [Double]) -> [[Int]] {
    var result: [[Int]] = []
    var stretch: [Int] = []
    let bucket = max(1, values.count / 1600)
    func close() {
      if !stretch.isEmpty { result.append(stretch) }
      stretch = []
    }
    for start in stride(from: 0, to: values.count, by: bucket) {
      let rows = (start..<min(start + bucket, values.count)).filter { values[$0].isFinite }
      guard let low = rows.min(by: { values[$0] < values[$1] }),
        let high = rows.max(by: { values[$0] < values[$1] })
      else {
        close()
        continue
      }
      stretch.append(min(low, high))
      if low != high { stretch.append(max(low, high)) }
    }
    close()
    return result
  }

  /// Some of so many places, evenly.
  private func thinned(_ count: Int) -> [Int] {
    count <= 1600 ? Array(0..<count) : (0..<1600).map { $0 * count / 1600 }
  }
}
