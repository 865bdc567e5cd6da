import Libretto
import Sequences

/// Lists the values of a CSV file that a model least expected.
struct SeriesAnomalies {
  let places: Int
  let plot: String?
  let json: Bool

  func show(_ model: Model, _ file: String) throws {
    let columns = try SeriesInput.read(file, for: model)
    let table = columns.table
    /// By rising probability.
    var found: [SeriesScore] = []
    var (count, nats) = (0, 0.0)
    var panels: [SeriesChart.Panel] = []
    if plot != nil {
      for (i, column) in columns.columns.enumerated() {
        var panel = SeriesChart.Panel(
          name: table.names[column.place], rows: table.rows, firstTime: rowName(table, 0),
          lastTime: rowName(table, table.rows - 1))
        panel.values = Array(columns.values(i))
        panel.bands = [[]]
        panels.append(panel)
      }
    }
    if json { Terminal.write("{\"values\":[") }
    try orFail { () throws(LibrettoError) in
      try model.score(columns) { (score) throws(LibrettoError) in
        if json { printJSON(score, table, columns, isFirst: count == 0) }
        count += 1
        nats -= score.logProbability
        if plot != nil { panels[score.column].bands[0].append((score.row, score.low, score.high)) }
        guard found.count < places || score.tail < found.last?.tail ?? 0 else { return }
        found.insert(score, at: found.firstIndex { $0.tail > score.tail } ?? found.count)
        if found.count > places { found.removeLast() }
      }
    }
    if json {
      print("]}")
    } else if count == 0 {
      print("There is nothing to predict.")
    } else {
      print(
        "\(fixed(nats / Double(count), 3)) nats per value over \(grouped(count)) values")
      list(found, columns)
    }
    guard let plot else { return }
    var chart = SeriesChart(title: "What was expected of \(stem(Streams.name(file)))")
    for i in panels.indices {
      panels[i].marks = found.filter { $0.column == i }.map { ($0.row, $0.value) }
      chart.add(panels[i])
    }
    try writeFile(plot, chart.svg.utf8)
  }

  private func list(_ found: [SeriesScore], _ columns: SeriesColumns) {
    guard !found.isEmpty else { return }
    let table = columns.table
    let lines = found.map { score in
      [
        rowName(table, score.row), table.names[columns.columns[score.column].place],
        SeriesInput.text(score.value), SeriesInput.text(score.median),
        "\(SeriesInput.text(score.low)) to \(SeriesInput.text(score.high))",
        "1 in \(grouped(Int(min(1e9, 1 / max(score.tail, 1e-9)))))",
      ]
    }
    let titles = ["time", "column", "value", "median", "nine of ten", "chance"]
    let widths = titles.indices.map { i in
      max(titles[i].count, lines.map { $0[i].count }.max() ?? 0)
    }
    print("The least expected values:")
    for line in [titles] + lines {
      print(
        "  "
          + line.enumerated().map { i, text in
            i < 2 ? text.padded(widths[i]) : text.paddedLeft(widths[i])
          }.joined(separator: "  "))
    }
  }

  private func printJSON(
    _ score: SeriesScore, _ table: SeriesTable, _ columns: SeriesColumns, isFirst: Bool
  ) {
    if !isFirst { Terminal.write(",") }
    Terminal.write(
      JSON.object([
        ("time", .string(rowName(table, score.row))),
        ("column", .string(table.names[columns.columns[score.column].place])),
        ("value", .number(score.value)), ("tail_probability", .number(score.tail)),
        ("log_probability", .number(score.logProbability)), ("low", .number(score.low)),
        ("median", .number(score.median)), ("high", .number(score.high)),
      ]).text)
  }
}
