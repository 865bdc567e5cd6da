import Memory

/// Fits a `PairAlignment` to pairs, by expectation and maximisation (Baum et al. 1970). Its work is bounded however many
/// pairs there are.
public struct PairAlignmentFit: ~Copyable {
  /// Pairs of the source and the target of each, one after another, and where each ends.
  private let tokens = GrowableBuffer<Int32>()
  private let ends = GrowableBuffer<Ends>()
  private let vocabulary: Int
  private var work = 0

  private struct Ends: BitwiseCopyable {
    let source, target: Int
  }

  /// Places of a source times tokens of its target, of all pairs together.
  public static let mostWork = 4_000_000
  /// Tokens of a source, and of a target, that are read.
  private static let longest = 64
  private static let mostOfPair = longest * longest
  private static let rounds = 8

  public init(vocabulary: Int) { self.vocabulary = vocabulary }

  /// The work of a pair of so many tokens.
  public static func work(source: Int, target: Int) -> Int {
    min(source, longest) * min(target, longest)
  }

  /// Takes a pair, if it has not seen enough; of a long one what it begins with.
  ///
  /// - `token`: gives the token at a place.
  public mutating func add(
    source: Range<Int>, target: Range<Int>, token: (Int) -> Int32
  ) throws(OutOfMemory) {
    let cells = Self.work(source: source.count, target: target.count)
    guard cells > 0, work < Self.mostWork else { return }
    work += cells
    for at in source.prefix(Self.longest) { try tokens.append(token(at)) }
    let middle = tokens.count
    for at in target.prefix(Self.longest) { try tokens.append(token(at)) }
    try ends.append(Ends(source: middle, target: tokens.count))
  }

  /// That of no pairs takes one token of the source for one of the target.
  public consuming func fitted() throws(OutOfMemory) -> PairAlignment? {
    let sources = try Kinds(vocabulary) { self.eachToken(inSource: true, $0) }
    let targets = try Kinds(vocabulary) { self.eachToken(inSource: false, $0) }
    let table = try Table(sources.count, targets.count)
    if ends.count > 0 {
      for _ in 0..<Self.rounds { try refine(table, sources, targets) }
    } else {
      table.jumps = [0.001, 1, 0.001, 0.001, 0.001]
    }
    return try PairAlignment(text: text(table, sources, targets), vocabulary: vocabulary)
  }

  private func eachToken(inSource: Bool, _ body: (Int32) -> Void) {
    var start = 0
    for i in 0..<ends.count {
      let (middle, end) = (ends[i].source, ends[i].target)
      for at in inSource ? start..<middle : middle..<end { body(tokens[at]) }
      start = end
    }
  }

  /// The most frequent tokens, numbered from 1; 0 for all others.
  private struct Kinds {
    let of: GrowableBuffer<UInt8>
    /// The token of each kind.
    let tokens: GrowableBuffer<Int32>
    var count: Int { tokens.count }

    /// - `each`: runs a body with each token there is.
    init(_ vocabulary: Int, _ each: ((Int32) -> Void) -> Void) throws(OutOfMemory) {
      let frequency = try GrowableBuffer<Int>(repeating: 0, count: vocabulary)
      each { frequency[Int($0)] += 1 }
      of = try GrowableBuffer(repeating: 0, count: vocabulary)
      tokens = try GrowableBuffer(repeating: -1, count: 1)
      while tokens.count < PairAlignment.mostKinds {
        var best = -1
        for token in 0..<vocabulary
        where frequency[token] > 0 && (best < 0 || frequency[token] > frequency[best]) {
          best = token
        }
        guard best >= 0 else { break }
        frequency[best] = 0
        of[best] = UInt8(tokens.count)
        try tokens.append(Int32(best))
      }
    }
  }

  /// The probabilities so far, and how often each was used.
  private final class Table {
    let targetKinds: Int
    let emissions, used: GrowableBuffer<Double>
    var jumps: InlineArray<5, Double> = [0.15, 0.7, 0.1, 0.03, 0.02]
    var jumped = InlineArray<5, Double>(repeating: 0)

    init(_ sourceKinds: Int, _ targetKinds: Int) throws(OutOfMemory) {
      self.targetKinds = targetKinds
      let count = sourceKinds * targetKinds
      emissions = try GrowableBuffer(repeating: 1 / Double(targetKinds), count: count)
      used = try GrowableBuffer(repeating: 0, count: count)
    }

    /// Makes probabilities of what was used. A little is added to all, so that nothing becomes impossible.
    func renew() {
      for start in stride(from: 0, to: used.count, by: targetKinds) {
        var sum = 0.0
        for i in start..<start + targetKinds {
          used[i] += 0.01
          sum += used[i]
        }
        for i in start..<start + targetKinds {
          emissions[i] = used[i] / sum
          used[i] = 0
        }
      }
      var sum = 0.0
      for i in 0..<5 {
        jumped[i] += 1
        sum += jumped[i]
      }
      for i in 0..<5 { jumps[i] = jumped[i] / sum }
      jumped = InlineArray(repeating: 0)
    }
  }

  /// One round over all pairs.
  private func refine(_ table: Table, _ sources: Kinds, _ targets: Kinds) throws(OutOfMemory) {
    let forward = try GrowableBuffer<Double>(repeating: 0, count: Self.mostOfPair)
    let backward = try GrowableBuffer<Double>(repeating: 0, count: Self.mostOfPair)
    let most = PairAlignment.mostJump
    var start = 0
    for i in 0..<ends.count {
      let (middle, end) = (ends[i].source, ends[i].target)
      let (places, steps) = (middle - start, end - middle)
      func cell(_ place: Int, _ step: Int) -> Int {
        Int(sources.of[Int(tokens[start + place])]) * table.targetKinds
          + Int(targets.of[Int(tokens[middle + step])])
      }
      // Scaled step by step, so that nothing is too small.
      for step in 0..<steps {
        let row = step * places
        var sum = 0.0
        for place in 0..<places {
          var value = 0.0
          if step == 0 {
            value = place < most ? table.jumps[place + 1] : 0
          } else {
            for jump in 0...min(most, place) {
              value += forward[row - places + place - jump] * table.jumps[jump]
            }
          }
          value *= table.emissions[cell(place, step)]
          forward[row + place] = value
          sum += value
        }
        for place in 0..<places { forward[row + place] /= sum }
      }
      for place in 0..<places { backward[(steps - 1) * places + place] = 1 }
      for step in stride(from: steps - 2, through: 0, by: -1) {
        let row = step * places
        var sum = 0.0
        for place in 0..<places {
          var value = 0.0
          for jump in 0...min(most, places - 1 - place) {
            value +=
              table.jumps[jump] * table.emissions[cell(place + jump, step + 1)]
              * backward[row + places + place + jump]
          }
          backward[row + place] = value
          sum += value
        }
        for place in 0..<places { backward[row + place] /= sum }
      }
      count(table, forward, backward, places, steps, cell)
      start = end
    }
    table.renew()
  }

  /// Adds how probably a pair uses each emission and each jump.
  private func count(
    _ table: Table, _ forward: GrowableBuffer<Double>, _ backward: GrowableBuffer<Double>,
    _ places: Int, _ steps: Int, _ cell: (Int, Int) -> Int
  ) {
    for step in 0..<steps {
      let row = step * places
      var sum = 0.0
      for place in 0..<places { sum += forward[row + place] * backward[row + place] }
      guard sum > 0 else { continue }
      for place in 0..<places {
        table.used[cell(place, step)] += forward[row + place] * backward[row + place] / sum
      }
      guard step > 0 else { continue }
      var jumps = InlineArray<5, Double>(repeating: 0)
      var all = 0.0
      for place in 0..<places {
        let here = table.emissions[cell(place, step)] * backward[row + place]
        for jump in 0...min(PairAlignment.mostJump, place) {
          let value = forward[row - places + place - jump] * table.jumps[jump] * here
          jumps[jump] += value
          all += value
        }
      }
      if all > 0 { for jump in 0..<5 { table.jumped[jump] += jumps[jump] / all } }
    }
  }

  /// As `PairAlignment` reads it.
  private func text(_ table: Table, _ sources: Kinds, _ targets: Kinds) throws(OutOfMemory)
    -> GrowableBuffer<UInt8>
  {
    let text = GrowableBuffer<UInt8>()
    func share(_ probability: Double) -> Int {
      Int((probability * Double(PairAlignment.parts)).rounded())
    }
    func put(_ part: String) throws(OutOfMemory) { try text.append(contentsOf: part.utf8) }
    for i in 0...PairAlignment.mostJump {
      try put("\(i == 0 ? "" : ",")\(max(1, share(table.jumps[i])))")
    }
    for source in 1..<max(1, sources.count) {
      var separator = ";\(sources.tokens[source]):"
      for target in 1..<max(1, targets.count) {
        let share = share(table.emissions[source * table.targetKinds + target])
        guard share > 0 else { continue }
        try put("\(separator)\(targets.tokens[target])=\(share)")
        separator = ","
      }
    }
    return text
  }
}
