import Sequences
import Testing

@testable import Libretto

@Suite struct PieceBatchesTests {
  /// Pieces of these lengths, their tokens the places in the store.
  private func make(_ lengths: [Int]) throws -> (TokenStore, PieceList) {
    let total = lengths.reduce(0, +)
    let store = try TokenStore(capacity: total)
    for i in 0..<total { store.append(Int32(i)) }
    var start = 0
    let pieces = PieceList()
    for length in lengths {
      try pieces.append([start..<start + length])
      start += length
    }
    return (store, pieces)
  }

  private struct Step {
    var inputs, targets: [Int32]
    var reset: Set<Int>
  }

  private func fill(_ batches: PieceBatches, _ batch: Int, _ sequence: Int, _ step: Int) -> Step {
    var result = Step(
      inputs: [Int32](repeating: -9, count: batch * sequence),
      targets: [Int32](repeating: -9, count: batch * sequence), reset: [])
    var reset: Set<Int> = []
    result.inputs.withUnsafeMutableBufferPointer { inputs in
      result.targets.withUnsafeMutableBufferPointer { targets in
        batches.fill(step: step, inputs: inputs.baseAddress!, targets: targets.baseAddress!) {
          reset.insert($0)
        }
      }
    }
    result.reset = reset
    return result
  }

  @Test(arguments: [(1, 8), (3, 8), (4, 16), (32, 5)])
  func anEpochPredictsEveryTokenOfEveryPieceOnce(batch: Int, sequence: Int) throws {
    let (store, pieces) = try make([9, 2, 30, 17, 8, 64, 3, 5, 41])
    let batches = try PieceBatches(
      store, pieces, batch: batch, sequence: sequence, seed: 4, shuffles: true, music: nil)
    let firsts = Set((0..<pieces.count).map { Int32(pieces.tokens(of: $0).lowerBound) })
    for epoch in 0..<3 {
      var predicted: [Int32] = []
      var last = [Int32](repeating: -1, count: batch)
      for place in 0..<batches.batchesPerEpoch {
        let step = fill(batches, batch, sequence, epoch * batches.batchesPerEpoch + place)
        for row in 0..<batch {
          for t in 0..<sequence {
            let (input, target) = (
              step.inputs[t * batch + row], step.targets[t * batch + row]
            )
            if target >= 0 {
              #expect(target == input + 1)
              predicted.append(target)
            }
            if t == 0 && target >= 0 {
              // A row goes on where it was, or begins anew from a zero state.
              #expect(step.reset.contains(row) || input == last[row])
              if firsts.contains(input) { #expect(step.reset.contains(row)) }
            }
          }
          last[row] = step.targets[(sequence - 1) * batch + row]
        }
      }
      let wanted = (0..<pieces.count).flatMap {
        pieces.tokens(of: $0).dropFirst().map { Int32($0) }
      }
      #expect(predicted.sorted() == wanted.sorted())
    }
  }

  /// What a variant leaves of its piece's batches goes to others that fit, each from its beginning to its end.
  @Test func shortVariantsShareTheWindowsOfAPiece() throws {
    let (batch, sequence) = (2, 8)
    let store = try TokenStore(capacity: 0)
    let pieces = PieceList()
    // The longest variant of each has ten batches; tokens tell the variant and the place in it.
    for piece in 0..<3 {
      var variants: [Range<Int>] = []
      for (variant, count) in [81, 17, 24, 9].enumerated() {
        variants.append(store.count..<store.count + count)
        try store.reserve(count)
        for place in 0..<count { store.append(Int32(1000 * (4 * piece + variant) + place)) }
      }
      try pieces.append(variants)
    }
    let batches = try PieceBatches(
      store, pieces, batch: batch, sequence: sequence, seed: 3, shuffles: true, music: nil)
    #expect(batches.batchesPerEpoch == 15)
    var (predicted, begun, short) = (0, 0, 0)
    for step in 0..<40 * batches.batchesPerEpoch {
      let filled = fill(batches, batch, sequence, step)
      for row in 0..<batch {
        for t in 0..<sequence {
          let (input, target) = (
            filled.inputs[t * batch + row], filled.targets[t * batch + row]
          )
          guard target >= 0 else { continue }
          predicted += 1
          #expect(target == input + 1)
          if input % 1000 == 0 {
            begun += 1
            if input / 1000 % 4 != 0 { short += 1 }
            #expect(t == 0 && filled.reset.contains(row))
          }
        }
      }
    }
    // Nearly all places are predicted, and short variants are the most.
    #expect(10 * predicted > 9 * 40 * batches.batchesPerEpoch * batch * sequence)
    #expect(short > 2 * 40 * 3 && begun > short)
  }

  @Test func theStepAloneSaysWhereItIs() throws {
    let (store, pieces) = try make([20, 33, 12, 50, 7])
    func batches() throws -> PieceBatches {
      try PieceBatches(store, pieces, batch: 2, sequence: 8, seed: 9, shuffles: true, music: nil)
    }
    let forward = try batches()
    let all = (0..<4 * forward.batchesPerEpoch).map { fill(forward, 2, 8, $0).inputs }
    let back = try batches()
    for step in all.indices.reversed() { #expect(fill(back, 2, 8, step).inputs == all[step]) }
    #expect(all[0] != all[forward.batchesPerEpoch] || all[1] != all[forward.batchesPerEpoch + 1])
  }

  @Test func transpositionStaysInRangeAndChanges() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    // A piece that begins and ends with the two outermost keys it may have, less two.
    let low = (0..<Int32(encoding.vocabularySize)).first { encoding.pitch(of: $0) == 23 }!
    let high = (0..<Int32(encoding.vocabularySize)).first { encoding.pitch(of: $0) == 106 }!
    let tokens: [Int32] = [0, 2, high, low, 19, 1]
    let store = try TokenStore(capacity: tokens.count)
    for token in tokens { store.append(token) }
    let pieces = PieceList()
    try pieces.append([0..<tokens.count])
    let batches = try PieceBatches(
      store, pieces, batch: 1, sequence: 8, seed: 1, shuffles: true, music: encoding)
    var shifts = Set<Int>()
    for epoch in 0..<200 {
      let step = fill(batches, 1, 8, epoch)
      let shift = Int(step.inputs[2] - high)
      #expect(step.inputs[3] - low == Int32(shift))
      #expect(Array(step.inputs[0..<2]) == [0, 2] && step.inputs[4] == 19)
      shifts.insert(shift)
    }
    #expect(shifts == Set(-2...2))
  }

  @Test func aMusicRunResumesBitForBit() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 4)
    let folder = try Folder()
    let files = try (0..<6).map { i in
      var tokens: [Int32] = [0, 2]
      for step in 0..<64 {
        let pitch = 60 + (step * (i + 2)) % 12
        tokens.append(
          (0..<Int32(encoding.vocabularySize)).first { encoding.name(of: $0) == "NEW \(pitch)" }!)
        tokens.append(Int32(18 + (step + 1) % 16))
      }
      tokens.append(1)
      let path = "\(folder.path)/\(i).mid"
      try encoding.decode(tokens).save(path)
      return path
    }
    var options = TrainingOptions()
    options.encoding = "melody"
    options.hidden = 8
    options.embedding = 4
    options.layers = 1
    options.batch = 2
    options.sequence = 16
    options.steps = 40
    options.threads = 2
    func add(_ trainer: Trainer) throws {
      for file in files { try trainer.add(midi: file) }
    }
    let whole = try Trainer(options)
    try add(whole)
    _ = try whole.run()
    let first = try Trainer(options)
    try add(first)
    for _ in 0..<17 { _ = try first.step() }
    let checkpoint = "\(folder.path)/c.safetensors"
    try first.save(checkpoint: checkpoint)
    let second = try Trainer(resume: checkpoint)
    try add(second)
    _ = try second.run()
    #expect(try whole.model().floats == second.model().floats)
  }
}
