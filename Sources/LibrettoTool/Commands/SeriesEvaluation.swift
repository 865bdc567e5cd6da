import ArgumentParser
import Libretto
import Sequences

/// How forecasts are measured.
struct SeriesOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Values that each forecast is of. (default: a season, or 1 without one)", valueName: "values"),
    transform: number(.from(1, to: Forecaster.mostHorizon)))
  var horizon: Int?

  @Option(
    help: ArgumentHelp(
      "Values that each forecast looks back at. (default: the model's context)",
      valueName: "values"),
    transform: number(.from(1, to: SeriesEncoding.longest)))
  var lookBack: Int?

  @Option(
    help: ArgumentHelp(
      "Values from one forecast to the next. (default: so many that there are about 2,000 forecasts)",
      valueName: "values"),
    transform: number(.from(1, to: 1_000_000_000)))
  var every: Int?

  @Option(
    help: "Futures that each forecast draws. (default: 100)",
    transform: number(.from(1, to: Forecaster.mostSamples)))
  var samples: Int?

  @Option(
    help: "Starts the futures. (default: 0)", transform: number(.from(0, to: UInt64.max)))
  var seed: UInt64?

  /// Those that were given.
  var given: [String] {
    [
      ("--horizon", horizon != nil), ("--look-back", lookBack != nil), ("--every", every != nil),
      ("--samples", samples != nil), ("--seed", seed != nil),
    ].filter(\.1).map(\.0)
  }
}

/// Measures forecasts of CSV files against what came.
struct SeriesEvaluation {
  let options: SeriesOptions
  let json: Bool

  init(_ options: SeriesOptions, json: Bool) { (self.options, self.json) = (options, json) }

  func show(_ model: Model, _ files: [String]) throws {
    let encoding = try orFail { () throws(LibrettoError) in try model.seriesEncoding() }
    guard files.count == 1 else {
      throw Failure("there are \(files.count) files; expected one CSV file of numbers", code: 64)
    }
    let columns = try SeriesInput.read(files[0], for: model)
    let horizon = options.horizon ?? encoding.season
    let context = options.lookBack ?? encoding.context
    let places = columns.table.rows - context - horizon + 1
    let every = options.every ?? max(1, places * columns.columns.count / 2000)
    let start = now()
    let result = try orFail { () throws(LibrettoError) in
      try Forecaster(model, samples: options.samples ?? 100).test(
        columns, context: context, horizon: horizon, every: every, seed: options.seed ?? 0)
    }
    let naive = encoding.season > 1 && encoding.season <= context ? "season before" : "last value"
    if json {
      func object(_ errors: ForecastErrors) -> JSON {
        .object([
          ("mean_squared_error", .number(errors.meanSquaredError)),
          ("mean_absolute_error", .number(errors.meanAbsoluteError)),
          ("quantile_loss", .number(errors.quantileLoss)),
        ])
      }
      print(
        JSON.object([
          ("forecasts", .number(result.forecasts)), ("values", .number(result.model.count)),
          ("context", .number(context)), ("horizon", .number(horizon)),
          ("every", .number(every)), ("model", object(result.model)),
          ("baseline", .string(naive)), ("baseline_errors", object(result.naive)),
          ("seconds", .number(now() - start)),
        ]).text)
      return
    }
    print(String(repeating: " ", count: 20) + "model".paddedLeft(10) + naive.paddedLeft(16))
    for (name, value) in [
      ("mean squared error", \ForecastErrors.meanSquaredError),
      ("mean absolute error", \ForecastErrors.meanAbsoluteError),
      ("quantile loss", \ForecastErrors.quantileLoss),
    ] {
      print(
        name.padded(20) + fixed(result.model[keyPath: value], 4).paddedLeft(10)
          + fixed(result.naive[keyPath: value], 4).paddedLeft(16))
    }
    say(
      "\(grouped(result.forecasts)) forecasts of \(grouped(horizon)) values from the \(grouped(context)) before each; errors are in standard deviations of the training material, the first of means, the second of medians"
    )
  }
}
