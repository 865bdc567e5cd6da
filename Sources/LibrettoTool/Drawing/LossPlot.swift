import Libretto

/// Draws the losses of a run as an SVG picture.
struct LossPlot {
  private let training, held: [(step: Int, loss: Double)]
  private let width = 760.0
  private let height = 420.0
  private let left = 58.0
  private let right = 20.0
  private let top = 46.0
  private let bottom = 44.0
  private let lastStep: Double
  private let lowest, highest: Double

  init(_ history: LossHistory) {
    training = history.training.points
    held = history.validation.points
    let all = (training + held).filter { $0.loss.isFinite }
    lastStep = max(1, Double(all.map(\.step).max() ?? 1))
    let least = all.map(\.loss).min() ?? 0
    let most = all.map(\.loss).max() ?? 1
    lowest = max(0, least - 0.08 * (most - least))
    highest = max(most, lowest + 0.1)
  }

  private func x(_ step: Int) -> Double {
    left + Double(step) / lastStep * (width - left - right)
  }
  private func y(_ loss: Double) -> Double {
    top + (highest - loss) / (highest - lowest) * (height - top - bottom)
  }

  func write(_ path: String) throws {
    try writeFile(path, svg.utf8)
  }

  var svg: String {
    var out = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(n(width)) \(n(height))" \
      font-family="Helvetica, Arial, sans-serif" font-size="12">
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="\(n(left))" y="24" font-size="15" fill="#222222">Loss, nats per token</text>

      """
    for loss in ticks(lowest, highest, 6) {
      out += """
        <line x1="\(n(left))" x2="\(n(width - right))" y1="\(n(y(loss)))" y2="\(n(y(loss)))" \
        stroke="#e4e4e4"/>
        <text x="\(n(left - 8))" y="\(n(y(loss) + 4))" text-anchor="end" fill="#666666">\
        \(fixed(loss, 2))</text>

        """
    }
    for step in ticks(0, lastStep, 7) {
      out += """
        <text x="\(n(x(Int(step))))" y="\(n(height - bottom + 18))" text-anchor="middle" \
        fill="#666666">\(grouped(Int(step)))</text>

        """
    }
    out += """
      <text x="\(n((left + width - right) / 2))" y="\(n(height - 8))" text-anchor="middle" \
      fill="#666666">step</text>

      """
    out += line(training, color: "#9db7d5", width: 1.5)
    out += line(held, color: "#c8442c", width: 2)
    for point in held where held.count <= 40 {
      out +=
        "<circle cx=\"\(n(x(point.step)))\" cy=\"\(n(y(point.loss)))\" r=\"2.5\" fill=\"#c8442c\"/>\n"
    }
    out += legend
    return out + "</svg>\n"
  }

  private var legend: String {
    let right = width - right
    var out = """
      <text x="\(n(right))" y="24" text-anchor="end" fill="#5f84ad">training, smoothed</text>

      """
    if let best = held.min(by: { $0.loss < $1.loss }) {
      out += """
        <text x="\(n(right - 130))" y="24" text-anchor="end" fill="#c8442c">validation</text>
        <circle cx="\(n(x(best.step)))" cy="\(n(y(best.loss)))" r="5" fill="none" \
        stroke="#c8442c" stroke-width="1.5"/>
        <text x="\(n(min(x(best.step), right - 20)))" y="\(n(y(best.loss) - 12))" \
        text-anchor="middle" fill="#c8442c">\(fixed(best.loss, 3))</text>

        """
    }
    return out
  }

  private func line(_ points: [(step: Int, loss: Double)], color: String, width: Double) -> String {
    let path = points.filter { $0.loss.isFinite }
      .map { "\(n(x($0.step))),\(n(y($0.loss)))" }.joined(separator: " ")
    return path.isEmpty
      ? ""
      : "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\" stroke-width=\"\(n(width))\" stroke-linejoin=\"round\"/>\n"
  }

  private func n(_ value: Double) -> String { fixed(value, 1) }
}
