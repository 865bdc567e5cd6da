import Memory
import Sequences
import Testing

@testable import Libretto

/// Models of numbers: what they learn from, and what they forecast.
@Suite struct SeriesTests {
  static func wave(_ row: Int) -> Double {
    [0, 0.7, 1, 0.7, 0, -0.7, -1, -0.7][row % 8] + Double(row * 7919 % 13 - 6) * 0.02
  }

  static func table(_ rows: Range<Int> = 0..<400, gaps: Bool = false) throws -> SeriesTable {
    let table = SeriesTable(names: ["small", "large"])
    table.step = .seconds(3600)
    table.start = table.step!.time(rows.lowerBound, after: SeriesTime(clamping: 1_467_331_200))
    for (place, row) in rows.enumerated() {
      try table.appendRow()
      table[place, 0] = gaps && row % 10 == 3 ? .nan : wave(row)
      table[place, 1] = 5000 - 1000 * wave(row)
    }
    return table
  }

  static func options(steps: Int) -> TrainingOptions {
    var options = TrainingOptions()
    options.encoding = "series"
    options.hidden = 32
    options.layers = 1
    options.embedding = 16
    options.batch = 8
    options.sequence = 64
    options.threads = 1
    options.dropout = 0
    options.learningRate = 0.02
    options.patience = 0
    options.steps = steps
    return options
  }

  static func trainer(steps: Int, gaps: Bool = false) throws -> Trainer {
    let trainer = try Trainer(options(steps: steps))
    try trainer.add(series: try table(gaps: gaps))
    return trainer
  }

  @Test func windowsHaveEveryValueAndNoGapsAsTargets() throws {
    let material = SeriesMaterial(nil)
    try material.add(try Self.table(gaps: true), path: nil, name: "t", validation: false)
    let corpus = try material.corpus(TrainingOptions(), fraction: 0.25)
    let encoding = try #require(corpus.encoding.series)
    #expect(encoding.season == 8 && encoding.context == 32)
    let pieces = try #require(corpus.training.pieces)
    let targets = try #require(corpus.training.targets)
    var seen = Set<String>()
    for piece in 0..<pieces.count {
      let tokens = pieces.tokens(of: piece)
      let facts = pieces.series(of: piece)
      let start = Int((facts.time!.seconds - 1_467_331_200) / 3600)
      #expect(corpus.training.tokens[tokens.lowerBound] == encoding.startToken)
      #expect(targets[tokens.upperBound - 1] == -1)
      for at in tokens.dropLast() {
        let row = start + at - tokens.lowerBound
        let isGap = facts.column == 1 && row % 10 == 3
        #expect(targets[at] == (isGap ? -1 : corpus.training.tokens[at + 1]))
        seen.insert("\(facts.column) \(row)")
      }
    }
    #expect(seen.count == 2 * 300)
    #expect(corpus.training.count == 600 && corpus.validation.count == 200)
  }

  @Test func aResumedRunIsTheRunThatWasNotStopped() throws {
    let whole = try Self.trainer(steps: 12)
    _ = try whole.run()
    let half = try Self.trainer(steps: 12)
    for _ in 0..<6 { _ = try half.step() }
    let folder = try Folder()
    let path = folder("series.safetensors")
    try half.save(checkpoint: path)
    let rest = try Trainer(resume: path)
    try rest.add(series: try Self.table())
    _ = try rest.run()
    let (a, b) = (try whole.model().parameters(), try rest.model().parameters())
    #expect(a.count == b.count && (0..<a.count).allSatisfy { a.pointer[$0] == b.pointer[$0] })
    // Other material is noticed.
    let other = try Trainer(resume: path)
    try other.add(series: try Self.table(gaps: true))
    #expect(throws: LibrettoError.self) { try other.run() }
  }

  @Test func forecastsFollowTheWaveAndDoNotDependOnThreads() throws {
    let trainer = try Self.trainer(steps: 200)
    _ = try trainer.run()
    let model = try trainer.model()
    let columns = try SeriesColumns(try Self.table(400..<500), model, name: "t")
    var results: [[Double]] = []
    for threads in [1, 3] {
      var means: [Double] = []
      try Forecaster(model, samples: 20, threads: threads).forecast(
        count: 30, horizon: 9,
        request: { columns.request($0 % 2, 10 + $0..<42 + $0, seed: UInt64($0)) }
      ) { (i, futures) throws(LibrettoError) in
        for step in 0..<9 {
          let truth = Self.wave(400 + 42 + i + step)
          let mean = i % 2 == 0 ? futures.means[step] : (5000 - futures.means[step]) / 1000
          #expect(abs(mean - truth) < 0.5)
          #expect(futures.quantile(step, 0) <= futures.quantile(step, 0.5))
          #expect(futures.quantile(step, 0.5) <= futures.quantile(step, 1))
          means.append(futures.means[step])
        }
      }
      results.append(means)
    }
    #expect(results[0].count == results[1].count)
    for (a, b) in zip(results[0], results[1]) { #expect(abs(a - b) <= 0.05 * max(1, abs(a))) }
    // Better than the season before, which has the noise twice.
    let test = try Forecaster(model, samples: 20).test(
      columns, context: 32, horizon: 8, every: 3, seed: 1)
    #expect(test.model.meanSquaredError < test.naive.meanSquaredError)
    #expect(test.forecasts == 2 * 21 && test.model.count == 8 * test.forecasts)
  }

  @Test func everyValueIsScoredOnceAndAStrangerStandsOut() throws {
    let trainer = try Self.trainer(steps: 200)
    _ = try trainer.run()
    let table = try Self.table(400..<531)
    table[77, 0] = 5
    table[90, 0] = .nan
    var scores: [SeriesScore] = []
    try trainer.model().score(try SeriesColumns(table, trainer.model(), name: "t")) {
      (score) throws(LibrettoError) in scores.append(score)
    }
    #expect(scores.map(\.row) == Array(1..<131).filter { $0 != 90 } + Array(1..<131))
    #expect(
      scores.map(\.column) == Array(repeating: 0, count: 129) + Array(repeating: 1, count: 130))
    for score in scores {
      #expect(score.low <= score.median && score.median <= score.high)
      #expect((0...1).contains(score.tail) && score.logProbability < 0)
    }
    let least = try #require(scores.min { $0.tail < $1.tail })
    #expect(least.row == 77 && least.value == 5)
    // The tails of what is usual are spread evenly: as many in each half.
    let usual = scores.count { $0.tail < 0.5 }
    #expect(usual > scores.count / 5 && usual < scores.count * 4 / 5)
  }

  @Test func tablesThatDoNotFitAreRefused() throws {
    let trainer = try Self.trainer(steps: 1)
    let other = SeriesTable(names: ["small"])
    for value in [1.0, 2] {
      try other.appendRow()
      other[other.rows - 1, 0] = value
    }
    #expect(throws: LibrettoError.self) { try trainer.add(series: other) }
    let daily = try Self.table()
    daily.step = .seconds(86_400)
    #expect(throws: LibrettoError.self) { try trainer.add(series: daily) }
    #expect(throws: LibrettoError.self) {
      try trainer.set(label: "a"); try trainer.add(series: other)
    }
    let text = try Trainer()
    try Array("some text".utf8).withUnsafeBytes { try text.add(text: $0) }
    #expect(throws: LibrettoError.self) { try text.add(series: other) }
  }
}
