import Foundation
import Kernels
import Testing

@testable import Libretto

@Suite struct SamplerTests {
  /// A sampler and its generator over fixed logits.
  private struct Setup {
    let logits: [Float]
    var sampler: Sampler
    var random: RandomSource
    private var padded: Int { (logits.count + 31) / 32 * 32 }

    init(_ logits: [Float], recent: [Int32] = [], seed: UInt64 = 1) {
      self.logits = logits
      sampler = try! Sampler(
        kernels: .current, vocabulary: logits.count, padded: (logits.count + 31) / 32 * 32)
      for token in recent { sampler.note(token) }
      random = RandomSource(seed: seed)
    }

    mutating func draw(_ settings: SamplerSettings) -> Int32? {
      var weights =
        logits + [Float](repeating: -.infinity, count: padded - logits.count)
      return weights.withUnsafeMutableBufferPointer {
        sampler.draw($0.baseAddress!, settings, &random)
      }
    }

    mutating func counts(_ settings: SamplerSettings, _ draws: Int) -> [Int] {
      var result = [Int](repeating: 0, count: logits.count)
      for _ in 0..<draws { result[Int(draw(settings)!)] += 1 }
      return result
    }
  }

  private func settings(_ change: (inout SamplerSettings) -> Void) -> SamplerSettings {
    var result = SamplerSettings()
    change(&result)
    return result
  }

  /// Which tokens can be drawn at all: all of them are likely enough to turn up in so many draws.
  private func support(
    _ logits: [Float], recent: [Int32] = [], _ change: (inout SamplerSettings) -> Void
  ) -> [Int] {
    var setup = Setup(logits, recent: recent)
    let counts = setup.counts(settings(change), 300)
    return counts.indices.filter { counts[$0] > 0 }
  }

  private func softmax(_ logits: [Float], _ temperature: Double = 1) -> [Double] {
    let weights = logits.map { exp(Double($0) / temperature) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// The chi-square statistic over tokens expected at least five times, and its degrees of freedom.
  private func chiSquare(_ counts: [Int], _ probabilities: [Double]) -> (
    value: Double, freedom: Int
  ) {
    let draws = Double(counts.reduce(0, +))
    var value = 0.0
    var freedom = -1
    var rest = (0.0, 0.0)
    for (count, p) in zip(counts, probabilities) {
      let expected = p * draws
      if expected < 5 {
        rest = (rest.0 + Double(count), rest.1 + expected)
      } else {
        value += (Double(count) - expected) * (Double(count) - expected) / expected
        freedom += 1
      }
    }
    if rest.1 >= 5 {
      value += (rest.0 - rest.1) * (rest.0 - rest.1) / rest.1
      freedom += 1
    }
    return (value, freedom)
  }

  /// Chi-square is about normal with the mean f and the variance 2f; five deviations never happen.
  private func expectFit(
    _ counts: [Int], _ probabilities: [Double], _ location: SourceLocation = #_sourceLocation
  ) {
    let (value, freedom) = chiSquare(counts, probabilities)
    #expect(freedom > 3, sourceLocation: location)
    #expect(
      value < Double(freedom) + 5 * (2 * Double(freedom)).squareRoot(), "\(value) of \(freedom)",
      sourceLocation: location)
    for (count, p) in zip(counts, probabilities) where p == 0 {
      #expect(count == 0, sourceLocation: location)
    }
  }

  private func someLogits(_ count: Int, _ seed: UInt64, spread: Float = 6) -> [Float] {
    var random = RandomSource(seed: seed)
    return (0..<count).map { _ in (random.unit() - 0.5) * spread }
  }

  @Test(arguments: [0.5, 1, 2, 10] as [Float])
  func drawsFollowSoftmax(temperature: Float) {
    for (vocabulary, seed) in [(40, 1), (257, 2)] as [(Int, UInt64)] {
      let logits = someLogits(vocabulary, seed)
      var setup = Setup(logits, seed: seed)
      let counts = setup.counts(settings { $0.temperature = temperature }, 6000)
      expectFit(counts, softmax(logits, Double(temperature)))
      // The test can tell: another temperature does not fit.
      let other = chiSquare(counts, softmax(logits, Double(temperature) * 2))
      #expect(temperature == 10 || other.value > Double(other.freedom) * 2)
    }
  }

  @Test func temperatureZeroTakesTheLikeliestAndOfEqualsTheFirst() {
    let logits = someLogits(300, 3)
    let best = logits.indices.max { logits[$0] < logits[$1] }!
    var setup = Setup(logits)
    for _ in 0..<20 { #expect(setup.draw(settings { $0.temperature = 0 }) == Int32(best)) }
    var equal = Setup([1, 5, 2, 5, 5])
    #expect(equal.draw(settings { $0.temperature = 0 }) == 1)
    // Hardly warmer is no different, and does not overflow.
    for temperature in [1e-30, 1e-6, 1e-3] as [Float] {
      #expect(setup.draw(settings { $0.temperature = temperature }) == Int32(best))
    }
  }

  @Test func topKKeepsExactlyThatMany() {
    let logits: [Float] = [0.1, 0.9, 0.5, 0.7, 0.3, 0.8]
    for (k, wanted) in [
      (1, [1]), (2, [1, 5]), (3, [1, 3, 5]), (5, [1, 2, 3, 4, 5]), (6, [0, 1, 2, 3, 4, 5]),
      (7, [0, 1, 2, 3, 4, 5]), (.max, [0, 1, 2, 3, 4, 5]), (0, [0, 1, 2, 3, 4, 5]),
    ] { #expect(support(logits) { $0.topK = k } == wanted, "\(k)") }
    // Of equals the first ones stay.
    #expect(support([1, 2, 2, 2, 1, 2]) { $0.topK = 2 } == [1, 2])
    #expect(support([1, 2, 2, 2, 1, 2]) { $0.topK = 5 } == [0, 1, 2, 3, 5])
    #expect(support([1, 1, 1, 1]) { $0.topK = 3 } == [0, 1, 2])
    // Tokens that are not allowed are not among the k.
    #expect(support([1, -.infinity, 1.5, -.infinity, 1.2]) { $0.topK = 2 } == [2, 4])
    #expect(support([-.infinity, 1, -.infinity]) { $0.topK = 2 } == [1])
    // Nor are those so unlikely that their weight is zero.
    #expect(support([0, -200, -300, 1]) { $0.topK = 3 } == [0, 3])
  }

  @Test func whatTopKKeepsStaysInProportion() {
    let logits = someLogits(100, 4, spread: 3)
    var setup = Setup(logits, seed: 4)
    let counts = setup.counts(settings { $0.topK = 10 }, 6000)
    let kept = logits.indices.sorted { logits[$0] > logits[$1] }.prefix(10)
    var wanted = [Double](repeating: 0, count: 100)
    for i in kept { wanted[i] = softmax(kept.map { logits[$0] })[kept.firstIndex(of: i)!] }
    expectFit(counts, wanted)
  }

  @Test func topPKeepsTheSmallestSetThatHasTheShare() {
    // Probabilities 0.4, 0.3, 0.2, 0.1, not in order.
    let logits = [0.2, 0.4, 0.1, 0.3].map { Float(log($0)) }
    for (p, wanted) in [
      (0.01, [1]), (0.39, [1]), (0.41, [1, 3]), (0.69, [1, 3]), (0.71, [0, 1, 3]),
      (0.89, [0, 1, 3]),
      (0.91, [0, 1, 2, 3]), (1, [0, 1, 2, 3]),
    ] as [(Float, [Int])] { #expect(support(logits) { $0.topP = p } == wanted, "\(p)") }
    // Equals stay or go together.
    #expect(support([0, 0, 0, 0]) { $0.topP = 0.1 } == [0, 1, 2, 3])
    #expect(support([2, 0, 0, 0, 2]) { $0.topP = 0.5 } == [0, 4])
    #expect(support([1, -.infinity, -.infinity]) { $0.topP = 0.5 } == [0])
  }

  @Test func minPKeepsWhatIsLikelyEnough() {
    let logits = [0.2, 0.4, 0.1, 0.3].map { Float(log($0)) }
    for (p, wanted) in [
      (0, [0, 1, 2, 3]), (0.24, [0, 1, 2, 3]), (0.26, [0, 1, 3]), (0.49, [0, 1, 3]),
      (0.51, [1, 3]),
      (0.74, [1, 3]), (0.76, [1]), (1, [1]),
    ] as [(Float, [Int])] { #expect(support(logits) { $0.minP = p } == wanted, "\(p)") }
    #expect(support([3, 3, 2]) { $0.minP = 1 } == [0, 1])
  }

  @Test func theRepetitionPenaltyDividesAndMultiplies() {
    let logits: [Float] = [2, -1, 1, 0.5, 0, -2, 1.5, 0.25]
    for penalty in [0.5, 1.3, 2] as [Float] {
      // Token 1 and 5 are below zero, 4 is zero; 0 occurred three times, which counts once.
      var setup = Setup(logits, recent: [0, 1, 4, 0, 5, 0], seed: 6)
      var wanted = logits
      for i in [0, 4] { wanted[i] /= penalty }
      for i in [1, 5] { wanted[i] *= penalty }
      let counts = setup.counts(settings { $0.repetitionPenalty = penalty }, 6000)
      expectFit(counts, softmax(wanted))
    }
  }

  @Test func theRepetitionPenaltyLooksBackAsFarAsTold() {
    func penalized(_ recent: [Int32], _ window: Int, of vocabulary: Int = 12) -> [Int] {
      let settings = self.settings {
        $0.repetitionPenalty = 10
        $0.repetitionWindow = window
        $0.temperature = 0
      }
      // The likeliest token stays so unless it is penalised.
      return (0..<vocabulary).filter { token in
        var logits = [Float](repeating: 1, count: vocabulary)
        logits[token] = 2
        var setup = Setup(logits, recent: recent)
        return setup.draw(settings) != Int32(token)
      }
    }
    #expect(penalized([7, 8, 9], 2) == [8, 9])
    #expect(penalized([7, 8, 9], 1) == [9])
    #expect(penalized([7, 8, 9], 0) == [])
    #expect(penalized([7, 8, 9], 64) == [7, 8, 9])
    #expect(penalized([], 64) == [])
    // Round the ring: of 300 tokens the last 256 are known.
    let long = (0..<300).map { Int32($0) }
    #expect(penalized(long, 3, of: 300) == [297, 298, 299])
    #expect(penalized(long, 256, of: 300) == Array(44..<300))
  }

  @Test func theStepsActInTheirOrder() {
    // The penalty comes before top-k: token 0 is out.
    #expect(
      support([4, 3, 2, 1], recent: [0]) {
        $0.repetitionPenalty = 8
        $0.topK = 2
      } == [1, 2])
    // The temperature comes before top-p: flatter, one token has less of a share.
    let logits = [0.6, 0.3, 0.1].map { Float(log($0)) }
    #expect(support(logits) { $0.topP = 0.5 } == [0])
    #expect(
      support(logits) {
        $0.topP = 0.5
        $0.temperature = 3
      } == [0, 1])
    // And before min-p.
    #expect(
      support(logits) {
        $0.minP = 0.4
        $0.temperature = 3
      } == [0, 1, 2])
    // Top-k comes before top-p: of two left, the first has two thirds.
    #expect(support(logits) { $0.topP = 0.65 } == [0, 1])
    #expect(
      support(logits) {
        $0.topP = 0.65
        $0.topK = 2
      } == [0])
    // Min-p goes by the likeliest, whatever was removed.
    #expect(
      support(logits) {
        $0.minP = 0.2
        $0.topK = 2
      } == [0, 1])
    // The penalty comes before temperature 0.
    var setup = Setup([4, 3], recent: [0])
    #expect(
      setup.draw(
        settings {
          $0.repetitionPenalty = 2
          $0.temperature = 0
        }) == 1)
  }

  @Test func whatIsForbiddenIsNeverDrawn() {
    var random = RandomSource(seed: 8)
    for round in 0..<40 {
      var logits = someLogits(64, UInt64(round))
      for i in logits.indices where random.next() % 4 != 0 { logits[i] = -.infinity }
      logits[Int(random.next() % 64)] = 0
      var setup = Setup(logits, recent: [1, 2, 3, 4, 5, 6, 7, 8])
      let s = settings {
        $0.temperature = [0, 0.3, 1, 100][round % 4]
        $0.topK = [0, 3, 60][round % 3]
        $0.topP = [1, 0.9][round % 2]
        $0.repetitionPenalty = [1, 0.1, 10][round % 3]
      }
      for _ in 0..<100 { #expect(logits[Int(setup.draw(s)!)] > -.infinity) }
    }
  }

  @Test func whereNothingIsAllowedNothingIsDrawn() {
    var setup = Setup([Float](repeating: -.infinity, count: 50))
    for temperature in [0, 1] as [Float] {
      #expect(setup.draw(settings { $0.temperature = temperature }) == nil)
    }
    // Nor is a random number used up.
    #expect(setup.random == RandomSource(seed: 1))
    var one = Setup([-.infinity, 3])
    for _ in 0..<50 { #expect(one.draw(SamplerSettings()) == 1) }
    var only = Setup([2])
    #expect(only.draw(SamplerSettings()) == 0)
  }

  @Test func theSameSeedDrawsTheSameAndOneNumberIsUsedWhateverTheSettings() {
    let logits = someLogits(100, 9)
    func draws(_ seed: UInt64) -> [Int32] {
      var setup = Setup(logits, seed: seed)
      return (0..<50).map { _ in setup.draw(SamplerSettings())! }
    }
    #expect(draws(5) == draws(5))
    #expect(draws(5) != draws(6))
    var ends: [RandomSource] = []
    for change in [
      { _ in }, { $0.temperature = 0 }, { $0.topK = 1 }, { $0.topP = 0.1 }, { $0.minP = 1 },
      { $0.repetitionPenalty = 3 },
    ] as [(inout SamplerSettings) -> Void] {
      var setup = Setup(logits, recent: [3])
      for _ in 0..<10 { _ = setup.draw(settings(change)) }
      ends.append(setup.random)
    }
    #expect(ends.allSatisfy { $0 == ends[0] })
  }

  @Test func settingsOutOfRangeAreRefusedBySentences() {
    for (change, words) in [
      ({ $0.temperature = -0.1 }, "temperature is -0.1"),
      ({ $0.temperature = 101 }, "temperature is 101"),
      ({ $0.temperature = .nan }, "temperature is nan"), ({ $0.temperature = .infinity }, "inf"),
      ({ $0.topK = -1 }, "top-k is -1"), ({ $0.topP = 0 }, "top-p is 0"),
      ({ $0.topP = 1.01 }, "1.01"),
      ({ $0.topP = .nan }, "top-p is nan"), ({ $0.minP = -0.5 }, "min-p is -0.5"),
      ({ $0.minP = 1.5 }, "1.5"),
      ({ $0.minP = .nan }, "min-p is nan"), ({ $0.repetitionPenalty = 0 }, "penalty is 0"),
      ({ $0.repetitionPenalty = 11 }, "penalty is 11"), ({ $0.repetitionPenalty = .nan }, "nan"),
      ({ $0.repetitionWindow = -1 }, "window is -1"),
      ({ $0.repetitionWindow = 257 }, "window is 257"),
    ] as [((inout SamplerSettings) -> Void, String)] {
      refusal(.argument, words, "must be") { try settings(change).validate() }
    }
    for change in [
      { $0.temperature = 0 }, { $0.temperature = 100 }, { $0.topK = .max }, { $0.topP = 1e-30 },
      { $0.minP = 1 }, { $0.repetitionPenalty = 0.1 }, { $0.repetitionPenalty = 10 },
      { $0.repetitionWindow = 256 }, { $0.repetitionWindow = 0 },
    ] as [(inout SamplerSettings) -> Void] {
      #expect(throws: Never.self) { try settings(change).validate() }
    }
  }
}
