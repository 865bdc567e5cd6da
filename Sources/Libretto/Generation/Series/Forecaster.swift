import GRU
import Memory
import Sequences

/// Samples many futures of series at once.
///
/// One thread at a time may use it.
public final class Forecaster {
  /// A series to forecast.
  public struct Request: BitwiseCopyable {
    /// The facts of the series before its first value, its last values, and how many.
    let facts: SeriesFacts
    let values: UnsafePointer<Double>
    let count: Int
    /// Starts the samples; the same gives the same.
    let seed: UInt64

    public init(facts: SeriesFacts, values: UnsafePointer<Double>, count: Int, seed: UInt64) {
      (self.facts, self.values, self.count, self.seed) = (facts, values, count, seed)
    }
  }

  /// The futures of one series.
  public final class Result {
    public let horizon, samples: Int
    /// `[horizon][samples]`, each step's in rising order once `sort` was called.
    public let values: GrowableBuffer<Double>
    /// The mean of each step: that of the distributions the samples were drawn from, which is more exact than that of the
    /// samples.
    public let means: GrowableBuffer<Double>

    init(horizon: Int, samples: Int) throws(OutOfMemory) {
      (self.horizon, self.samples) = (horizon, samples)
      values = try GrowableBuffer(repeating: 0, count: horizon * samples)
      means = try GrowableBuffer(repeating: 0, count: horizon)
    }

    func sort() {
      for step in 0..<horizon {
        var row = UnsafeMutableBufferPointer(
          rebasing: values.elements[step * samples..<(step + 1) * samples])
        row.sort()
      }
    }

    /// A quantile of a step, between two samples by their distance, once they are sorted.
    ///
    /// - `share`: from 0 to 1.
    public func quantile(_ step: Int, _ share: Double) -> Double {
      let place = max(0, min(1, share)) * Double(samples - 1)
      let low = Int(place)
      let high = min(low + 1, samples - 1)
      let row = step * samples
      return values[row + low] + (place - Double(low)) * (values[row + high] - values[row + low])
    }
  }

  /// Rows that are stepped at a time, by one thread.
  private static let rows = 256

  private let model: Model
  public let encoding: SeriesEncoding
  public let samples: Int
  private let team: ThreadTeam
  private let batches = ObjectList<SeriesBatch>()
  /// What each batch forecasts, and the order of the shares that its samples draw from.
  private let requests = ObjectList<GrowableBuffer<Request>>()
  private let orders = ObjectList<GrowableBuffer<Int32>>()
  /// Series that a batch forecasts at a time.
  private let together: Int

  /// - `samples`: futures of each series, 1 to `mostSamples`.
  /// - `threads`: nil for one per processor, at most 8.
  public init(_ model: Model, samples: Int, threads: Int? = nil) throws(LibrettoError) {
    encoding = try model.seriesEncoding()
    guard (1...Self.mostSamples).contains(samples) else {
      throw LibrettoError(
        .argument, "the number of samples is \(samples); expected 1 to \(Self.mostSamples)")
    }
    self.model = model
    self.samples = samples
    together = max(1, Self.rows / samples)
    let count = threads ?? min(processorCount(), 8)
    team = try network { () throws(NetworkError) in try ThreadTeam(count) }
    for _ in 0..<team.count {
      let batch = try SeriesBatch(model, rows: together * samples)
      let together = together
      try allocating { () throws(OutOfMemory) in
        try batches.append(batch)
        try requests.append(try GrowableBuffer(capacity: together))
        try orders.append(try GrowableBuffer(repeating: 0, count: samples))
      }
    }
  }

  public static let mostSamples = 10_000
  public static let mostHorizon = 100_000
  static let mostValues = 100_000_000

  /// Forecasts series, several at a time.
  ///
  /// - `horizon`: 1 to `mostHorizon`; times the samples at most `mostValues`.
  /// - `request`: gives each, on any thread.
  /// - `result`: takes the futures of each, on the calling thread, in order.
  public func forecast(
    count: Int, horizon: Int, request: (Int) -> Request,
    result: (Int, Result) throws(LibrettoError) -> Void
  ) throws(LibrettoError) {
    guard (1...Self.mostHorizon).contains(horizon) else {
      throw LibrettoError(
        .argument, "the horizon is \(horizon); expected 1 to \(Self.mostHorizon)")
    }
    guard horizon * samples <= Self.mostValues else {
      throw LibrettoError(
        .argument,
        "\(samples) samples of \(horizon) values are more than \(Self.mostValues); ask for fewer")
    }
    let width = together * team.count
    let results = ObjectList<Result>()
    try allocating { () throws(OutOfMemory) in
      for _ in 0..<min(width, count) {
        try results.append(try Result(horizon: horizon, samples: samples))
      }
    }
    var first = 0
    while first < count {
      let here = min(width, count - first)
      team.run { thread in
        let start = thread * together
        guard start < here else { return }
        let requests = self.requests[thread]
        requests.truncate(to: 0)
        for i in start..<min(start + together, here) {
          requests.appendReserved(request(first + i))
        }
        self.run(self.batches[thread], requests, self.orders[thread], horizon) {
          results[start + $0]
        }
      }
      for i in 0..<here {
        results[i].sort()
        try result(first + i, results[i])
      }
      first += here
    }
  }

  /// Forecasts some series with one batch.
  private func run(
    _ batch: SeriesBatch, _ requests: GrowableBuffer<Request>, _ order: GrowableBuffer<Int32>,
    _ horizon: Int,
    _ result: (Int) -> Result
  ) {
    let count = requests.count
    var longest = 0
    for i in 0..<count {
      batch.begin(i, requests[i].facts)
      longest = max(longest, requests[i].count)
    }
    // Those that begin later have the start token still to read.
    for step in 0..<longest {
      batch.step(count, wantsProbabilities: false)
      for i in 0..<count {
        let request = requests[i]
        let place = step - (longest - request.count)
        if place < 0 {
          batch.begin(i, request.facts)
        } else {
          batch.read(batch.reader(i).token(of: request.values[place]), i)
        }
      }
    }
    for i in (0..<count).reversed() {
      for sample in (0..<samples).reversed() { batch.copy(i, to: i * samples + sample) }
    }
    let rows = count * samples
    for step in 0..<horizon {
      batch.step(rows, wantsProbabilities: true)
      for i in 0..<count {
        let result = result(i)
        var random = RandomSource(
          seed: requests[i].seed &+ UInt64(step) &* 0x9E37_79B9_7F4A_7C15)
        // Each sample draws from an equal share of the probability of its own, which changes from step to step: together
        // they cover it more evenly than independent ones would, so their mean and quantiles are more exact (Latin hypercube
        // sampling: McKay, Beckman and Conover 1979).
        for sample in 0..<samples {
          let other = Int(random.next() % UInt64(sample + 1))
          order[sample] = order[other]
          order[other] = Int32(sample)
        }
        var mean = 0.0
        for sample in 0..<samples {
          let row = i * samples + sample
          let reader = batch.reader(row)
          mean += reader.mean(of: batch.probabilities(row))
          let share = (Float(order[sample]) + random.unit()) / Float(samples)
          let token = encoding.token(ofBin: batch.bin(row, at: share))
          result.values[step * samples + sample] = reader.value(of: token)
          batch.read(token, row)
        }
        result.means[step] = mean / Double(samples)
      }
    }
  }
}
