import Testing

@testable import Libretto

@Suite struct TextBatchesTests {
  /// Tokens that are their own places.
  private func store(_ count: Int) throws -> TokenStore {
    let store = try TokenStore(capacity: count)
    for i in 0..<count { store.append(Int32(i)) }
    return store
  }

  private struct Window {
    /// Per row: the places read and those to predict, of -1 those that do not count.
    var inputs: [[Int32]]
    var targets: [[Int32]]
  }

  private func sequence(_ plan: TextBatches, step: Int, begins: inout Bool) -> Window {
    let n = plan.batch * plan.sequence
    let inputs = UnsafeMutablePointer<Int32>.allocate(capacity: n)
    let targets = UnsafeMutablePointer<Int32>.allocate(capacity: n)
    defer {
      inputs.deallocate()
      targets.deallocate()
    }
    var reset: [Int] = []
    plan.fill(step: step, inputs: inputs, targets: targets) { reset.append($0) }
    #expect(reset == Set(reset).sorted() && reset.allSatisfy { 0 <= $0 && $0 < plan.batch })
    #expect(step % plan.batchesPerEpoch > 0 || reset.count == plan.batch)
    begins = step % plan.batchesPerEpoch == 0
    func row(_ p: UnsafeMutablePointer<Int32>, _ s: Int) -> [Int32] {
      (0..<plan.sequence).map { p[$0 * plan.batch + s] }
    }
    return Window(
      inputs: (0..<plan.batch).map { row(inputs, $0) },
      targets: (0..<plan.batch).map { row(targets, $0) })
  }

  private func sequence(_ plan: TextBatches, step: Int) -> Window {
    var begins = false
    return sequence(plan, step: step, begins: &begins)
  }

  static let sizes = [
    (2, 1, 1), (3, 1, 1), (3, 1, 2), (10, 1, 9), (100, 1, 64), (130, 1, 64), (130, 2, 64),
    (999, 7, 5),
    (1000, 4, 16), (1000, 3, 41), (1003, 32, 3), (5000, 8, 64), (5007, 8, 64), (4999, 1, 64),
  ]

  @Test(arguments: sizes)
  func anEpochPredictsEachTokenAtMostOnceAndFromTheOneBefore(tokens: Int, batch: Int, sequence: Int)
    throws
  {
    let store = try store(tokens)
    let plan = TextBatches(store, batch: batch, sequence: sequence, seed: 3)
    for epoch in 0..<5 {
      var predicted = Set<Int32>()
      for step in epoch * plan.batchesPerEpoch..<(epoch + 1) * plan.batchesPerEpoch {
        let sequence = self.sequence(plan, step: step)
        for (inputs, targets) in zip(sequence.inputs, sequence.targets) {
          for (input, target) in zip(inputs, targets) where target >= 0 {
            #expect(target == input + 1)
            #expect(predicted.insert(target).inserted, "\(target) twice in epoch \(epoch)")
          }
        }
      }
      // Next to nothing is left out, unless a row has only a few sequences.
      let share = Double(predicted.count) / Double(tokens - 1)
      #expect(share >= 0.5 && (plan.batchesPerEpoch < 50 || share > 0.9))
    }
  }

  /// A network that is to begin from a zero state must have met one, also if it never sees all of the text.
  @Test func rowsBeginAnewNowAndThen() throws {
    let plan = TextBatches(try store(2_000_000), batch: 16, sequence: 16, seed: 3)
    let n = plan.batch * plan.sequence
    let (inputs, targets) = (
      UnsafeMutablePointer<Int32>.allocate(capacity: n),
      UnsafeMutablePointer<Int32>.allocate(capacity: n)
    )
    defer {
      inputs.deallocate()
      targets.deallocate()
    }
    func resets(_ step: Int) -> [Int] {
      var rows: [Int] = []
      plan.fill(step: step, inputs: inputs, targets: targets) { rows.append($0) }
      return rows
    }
    let steps = 1..<4000
    #expect(plan.batchesPerEpoch > steps.upperBound)
    let counts = steps.reduce(into: Array(repeating: 0, count: 16)) { counts, step in
      for row in resets(step) { counts[row] += 1 }
    }
    // One sequence of 64 and one of 256: 78 of 4,000.
    #expect(counts.allSatisfy { (40...120).contains($0) })
    #expect(resets(1234) == resets(1234))
  }

  @Test(arguments: sizes)
  func overTheEpochsEveryTokenIsPredicted(tokens: Int, batch: Int, sequence: Int) throws {
    let store = try store(tokens)
    let plan = TextBatches(store, batch: batch, sequence: sequence, seed: 5)
    var predicted = Set<Int32>()
    for step in 0..<plan.batchesPerEpoch * (8 * sequence + 200) {
      // Only the edges need this many epochs: skip the steps in the middle of one.
      let at = step % plan.batchesPerEpoch
      guard step < 2 * plan.batchesPerEpoch || at < 2 || at >= plan.batchesPerEpoch - 2 else {
        continue
      }
      for targets in self.sequence(plan, step: step).targets { predicted.formUnion(targets) }
    }
    predicted.remove(-1)
    let missing = Set((1..<Int32(tokens)).map { $0 }).subtracting(predicted)
    // The very first token has none before it; of the rest, all.
    #expect(missing.isEmpty, "\(missing.count) of \(tokens): \(missing.sorted().prefix(5))")
  }

  @Test(arguments: sizes)
  func theWindowsOfAStreamFollowEachOther(tokens: Int, batch: Int, sequence: Int) throws {
    let store = try store(tokens)
    let plan = TextBatches(store, batch: batch, sequence: sequence, seed: 7)
    var last: [Int32]?
    for step in 0..<3 * plan.batchesPerEpoch {
      var begins = false
      let sequence = self.sequence(plan, step: step, begins: &begins)
      #expect(begins == (step % plan.batchesPerEpoch == 0))
      if let last, !begins { #expect(sequence.inputs.map { $0[0] } == last) }
      last = sequence.targets.map { $0.last! }
    }
  }

  @Test func whereAStreamStandsFollowsFromTheStepAndTheSeed() throws {
    let store = try store(3000)
    let plan = TextBatches(store, batch: 4, sequence: 32, seed: 1)
    let same = TextBatches(store, batch: 4, sequence: 32, seed: 1)
    let other = TextBatches(store, batch: 4, sequence: 32, seed: 2)
    for step in [100, 3, 0, 57] {
      #expect(sequence(plan, step: step).inputs == sequence(same, step: step).inputs)
    }
    let starts = { (p: TextBatches) in
      (0..<8).map { self.sequence(p, step: $0 * p.batchesPerEpoch).inputs[0][0] }
    }
    #expect(starts(plan) != starts(other))
    #expect(Set(starts(plan)).count > 1)
  }
}
