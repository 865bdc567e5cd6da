import ArgumentParser
import Libretto
import Memory
import Sequences

struct Forecast: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Forecast numbers: how they may go on, from many sampled futures.",
    discussion: """
      Reads a CSV file, and prints one with a line for each column and time to come: the mean and quantiles. The model \
      was trained with `libretto train FILE.csv`.
      """)

  @Argument(help: "A model file or a checkpoint.")
  var model: String

  @Argument(help: "A CSV file with the model's columns; - for standard input, as without any.")
  var file = "-"

  @Option(
    help: ArgumentHelp(
      "Values to forecast. (default: a season, or 1 without one)", valueName: "values"),
    transform: number(.from(1, to: Forecaster.mostHorizon)))
  var horizon: Int?

  @Option(
    help: "Futures to draw. (default: 200)",
    transform: number(.from(1, to: Forecaster.mostSamples)))
  var samples = 200

  @Option(
    help: ArgumentHelp(
      "Quantiles to print, with commas between them. (default: 0.1,0.5,0.9)", valueName: "shares"),
    transform: shares)
  var quantiles = [0.1, 0.5, 0.9]

  @Option(help: ArgumentHelp("Forecast these columns alone.", valueName: "names"))
  var columns: String?

  @Option(help: "Starts the futures. (default: 0)", transform: number(.from(0, to: UInt64.max)))
  var seed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Draw past and future into an SVG file.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Sendable static func shares(_ text: String) throws -> [Double] {
    let shares = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    guard !shares.isEmpty, shares.count <= 100,
      shares.allSatisfy({ $0.map { $0 >= 0 && $0 <= 1 } ?? false })
    else { throw ValidationError("expected numbers from 0 to 1 with commas between them") }
    return shares.compactMap { $0 }
  }

  func run() throws {
    try Outputs([], text: [plot].compactMap { $0 }).spare([model, file])
    if let plot { try FileName.check(plot, "--plot", FileName.picture) }
    let loaded = try ModelFiles.read(model)
    let encoding = try orFail { () throws(LibrettoError) in try loaded.seriesEncoding() }
    let columns = try SeriesInput.read(
      file, for: loaded, columns: SeriesInput.names(self.columns))
    let horizon = horizon ?? encoding.season
    let rows = columns.table.rows
    let context = min(rows, encoding.context)
    for i in columns.columns.indices
    where !columns.values(i)[(rows - context)...].contains(where: \.isFinite) {
      throw Failure(
        "\(Streams.name(file)): the column \"\(name(i, columns))\" has no number in its last \(grouped(context)) rows",
        code: 2)
    }
    var chart = SeriesChart(title: "Forecast of \(stem(Streams.name(file)))")
    var parts: [JSON] = []
    if !json {
      let names = quantiles.map { "quantile \(trimmed($0, 6))" }
      print((["time", "column", "mean"] + names).joined(separator: ","))
    }
    let quantiles = quantiles
    try orFail { () throws(LibrettoError) in
      try Forecaster(loaded, samples: samples).forecast(
        count: columns.columns.count, horizon: horizon,
        request: { columns.request($0, rows - context..<rows, seed: seed &+ UInt64($0)) }
      ) { (i, futures) throws(LibrettoError) in
        if json {
          parts.append(object(i, futures, columns, quantiles))
        } else {
          printLines(i, futures, columns, quantiles)
        }
        if plot != nil { chart.add(panel(i, futures, columns, context)) }
      }
    }
    if json { print(JSON.object([("columns", .array(parts))]).text) }
    if let plot { try writeFile(plot, chart.svg.utf8) }
  }

  private func name(_ i: Int, _ columns: SeriesColumns) -> String {
    columns.table.names[columns.columns[i].place]
  }

  private func printLines(
    _ i: Int, _ futures: Forecaster.Result, _ columns: SeriesColumns, _ quantiles: [Double]
  ) {
    let name = Self.field(name(i, columns))
    for step in 0..<futures.horizon {
      let values =
        [futures.means[step]] + quantiles.map { futures.quantile(step, $0) }
      print(
        ([rowName(columns.table, columns.table.rows + step), name]
          + values.map(SeriesInput.text)).joined(separator: ","))
    }
  }

  /// A field of CSV, in quotes where it needs them.
  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  private func object(
    _ i: Int, _ futures: Forecaster.Result, _ columns: SeriesColumns, _ quantiles: [Double]
  ) -> JSON {
    .object([
      ("name", .string(name(i, columns))),
      (
        "values",
        .array(
          (0..<futures.horizon).map { step in
            .object([
              ("time", .string(rowName(columns.table, columns.table.rows + step))),
              ("mean", .number(futures.means[step])),
              (
                "quantiles",
                .object(
                  quantiles.map { (trimmed($0, 6), .number(futures.quantile(step, $0))) })
              ),
            ])
          })
      ),
    ])
  }

  /// The last values, as many as are forecast and at least a context, and the fan.
  private func panel(
    _ i: Int, _ futures: Forecaster.Result, _ columns: SeriesColumns, _ context: Int
  ) -> SeriesChart.Panel {
    let rows = columns.table.rows
    let past = min(rows, max(context, futures.horizon))
    let horizon = futures.horizon
    var panel = SeriesChart.Panel(
      name: name(i, columns), rows: past + horizon,
      firstTime: rowName(columns.table, rows - past),
      lastTime: rowName(columns.table, rows + horizon - 1))
    panel.values = Array(columns.values(i)[(rows - past)...])
    panel.middle = (0..<horizon).map { (past + $0, futures.quantile($0, 0.5)) }
    for (low, high) in [(0.05, 0.95), (0.25, 0.75)] {
      panel.bands.append(
        (0..<horizon).map {
          (past + $0, futures.quantile($0, low), futures.quantile($0, high))
        })
    }
    return panel
  }
}
