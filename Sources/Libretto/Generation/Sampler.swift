import GRU
import Kernels

/// How a token is chosen from the model's probabilities. The steps act in this order, and each one
/// left at its default changes nothing.
public struct SamplerSettings: Equatable, Sendable {
  /// Logits of tokens among the last `repetitionWindow` are divided by this if positive, multiplied
  /// if negative (Keskar et al. 2019). 1 for no penalty; from 0.1 to 10.
  public var repetitionPenalty: Float = 1
  /// From 0 to `Sampler.longestWindow`.
  public var repetitionWindow = 64
  /// Divides the logits. Below 1 the likely becomes likelier; 0 always takes the likeliest. To 100.
  public var temperature: Float = 1
  /// Only this many of the likeliest tokens stay; 0 for all.
  public var topK = 0
  /// Of these the likeliest stay that together have this share of the probability (Holtzman et al.
  /// 2020); 1 for all. Above 0.
  public var topP: Float = 1
  /// Of these stay those at least this much as likely as the likeliest; 0 for all. To 1.
  public var minP: Float = 0

  public init() {}

  /// Throws if a setting is out of its range.
  public func validate() throws(LibrettoError) {
    func require(_ holds: Bool, _ sentence: @autoclosure () -> Sentence) throws(LibrettoError) {
      if !holds { throw LibrettoError(.argument, sentence()) }
    }
    try require(
      repetitionPenalty >= 0.1 && repetitionPenalty <= 10,
      "the repetition penalty is \(repetitionPenalty); it must be from 0.1 to 10, with 1 for none")
    try require(
      repetitionWindow >= 0 && repetitionWindow <= Sampler.longestWindow,
      "the repetition window is \(repetitionWindow); it must be from 0 to \(Sampler.longestWindow)")
    try require(
      temperature >= 0 && temperature <= 100,
      "temperature is \(temperature); it must be from 0 to 100")
    try require(topK >= 0, "top-k is \(topK); it must be 0 or more, with 0 for no limit")
    try require(topP > 0 && topP <= 1, "top-p is \(topP); it must be above 0 and at most 1")
    try require(minP >= 0 && minP <= 1, "min-p is \(minP); it must be from 0 to 1")
  }
}

/// Draws tokens. Its work depends on the size of the vocabulary and on which steps are in use, not
/// on the probabilities; after `init` it allocates nothing.
struct Sampler {
  /// The most tokens a repetition penalty can look back on.
  static let longestWindow = 256

  private let kernels: KernelTable
  private let vocabulary: Int
  private let padded: Int
  /// The last tokens, as a ring.
  private(set) var recent: Recent
  /// Sums of 32 weights each.
  private let blocks: FloatBuffer

  init(kernels: KernelTable, vocabulary: Int, padded: Int) throws(LibrettoError) {
    self.kernels = kernels
    blocks = try FloatBuffer.make(padded / 32)
    self.vocabulary = vocabulary
    self.padded = padded
    recent = Recent()
  }

  /// The tokens drawn and fed last.
  struct Recent {
    var tokens: InlineArray<256, Int32> = .init(repeating: -1)
    var count = 0

    mutating func append(_ token: Int32) {
      tokens[count & 255] = token
      count &+= 1
    }
  }

  mutating func note(_ token: Int32) { recent.append(token) }
  mutating func forget() { recent = Recent() }
  mutating func setRecent(_ value: Recent) { recent = value }

  /// Draws from `logits`, which it uses up: `[padded]`, minus infinity where a token is not allowed
  /// and beyond the vocabulary. nil if none is allowed.
  func draw(
    _ logits: UnsafeMutablePointer<Float>, _ settings: SamplerSettings, _ random: inout RandomSource
  ) -> Int32? {
    penalizeRepetition(logits, settings)
    let inverse = 1 / max(settings.temperature, 1e-6)
    guard kernels.expNormalized(padded, inverse, logits, logits) > -.infinity else { return nil }
    // Now the likeliest token has the weight 1 and the others theirs relative to it.
    // One number is drawn whatever the settings, so that settings do not shift later draws.
    let unit = random.unit()
    if settings.temperature == 0 { return firstLikeliest(logits) }
    if settings.topK > 0 && settings.topK < vocabulary { keepMostLikely(logits, settings.topK) }
    if settings.topP < 1 { keepNucleus(logits, settings.topP) }
    if settings.minP > 0 {
      for i in 0..<vocabulary where logits[i] < settings.minP { logits[i] = 0 }
    }
    return choose(logits, unit)
  }

  private func firstLikeliest(_ weights: UnsafeMutablePointer<Float>) -> Int32 {
    var best = 0
    for i in 1..<vocabulary where weights[i] > weights[best] { best = i }
    return Int32(best)
  }

  private func penalizeRepetition(
    _ logits: UnsafeMutablePointer<Float>, _ settings: SamplerSettings
  ) {
    guard settings.repetitionPenalty != 1, settings.repetitionWindow > 0 else { return }
    let window = min(settings.repetitionWindow, recent.count, 256)
    for back in stride(from: 1, through: window, by: 1) {
      let token = Int(recent.tokens[(recent.count - back) & 255])
      // A token that occurred twice is penalised once: the more recent time.
      var seen = false
      for later in stride(from: 1, to: back, by: 1)
      where Int(recent.tokens[(recent.count - later) & 255]) == token { seen = true }
      if seen { continue }
      let x = logits[token]
      logits[token] = x > 0 ? x / settings.repetitionPenalty : x * settings.repetitionPenalty
    }
  }

  private func keepMostLikely(_ weights: UnsafeMutablePointer<Float>, _ k: Int) {
    let threshold = largestThreshold { bits in
      bits == 0 || kernels.countAtLeast(padded, Float(bitPattern: bits), weights) >= k
    }
    var above = 0
    for i in 0..<vocabulary where weights[i].bitPattern > threshold { above += 1 }
    // Of equals the first ones stay.
    for i in 0..<vocabulary where weights[i].bitPattern <= threshold {
      if weights[i].bitPattern == threshold && above < k {
        above += 1
      } else {
        weights[i] = 0
      }
    }
  }

  private func keepNucleus(_ weights: UnsafeMutablePointer<Float>, _ share: Float) {
    let wanted = share * sum(weights, from: 0)
    let threshold = largestThreshold { bits in
      sum(weights, from: Float(bitPattern: bits)) >= wanted
    }
    for i in 0..<vocabulary where weights[i].bitPattern < threshold { weights[i] = 0 }
  }

  /// The sum of the weights at or above a limit.
  private func sum(_ weights: UnsafeMutablePointer<Float>, from least: Float) -> Float {
    kernels.blockSums(padded, least, weights, blocks.pointer)
    var sum: Float = 0
    for i in 0..<padded / 32 { sum += blocks.pointer[i] }
    return sum
  }

  /// The largest weight, by its bits, for which the condition holds; it holds at 0 and, once false,
  /// stays so. Weights are from 0 to 1, where the order of the bits is that of the numbers.
  private func largestThreshold(_ holds: (UInt32) -> Bool) -> UInt32 {
    var threshold: UInt32 = 0
    var bit: UInt32 = 1 << 29
    while bit > 0 {
      let candidate = threshold | bit
      if candidate <= Float(1).bitPattern && holds(candidate) { threshold = candidate }
      bit >>= 1
    }
    return threshold
  }

  /// The token at a place from 0 to 1 of all weights laid end to end: first the block of 32 it is in.
  private func choose(_ weights: UnsafeMutablePointer<Float>, _ unit: Float) -> Int32 {
    let wanted = unit * sum(weights, from: 0)
    var below: Float = 0
    var start: Float = 0
    var block = 0
    var found = false
    for i in 0..<padded / 32 {
      let sum = blocks.pointer[i]
      // What rounding leaves at the end falls to the last block with a weight.
      if !found && sum > 0 { (block, start) = (i, below) }
      below += sum
      if below > wanted { found = true }
    }
    below = start
    var chosen = 32 * block
    found = false
    for i in 32 * block..<32 * block + 32 {
      if !found && weights[i] > 0 { chosen = i }
      below += weights[i]
      if below > wanted { found = true }
    }
    return Int32(chosen)
  }
}
