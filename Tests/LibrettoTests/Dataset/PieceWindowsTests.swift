import Sequences
import Testing

@testable import Libretto

@Suite struct PieceWindowsTests {
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

  private func fill(_ windows: PieceWindows, _ streams: Int, _ window: Int, _ step: Int) -> Step {
    var result = Step(
      inputs: [Int32](repeating: -9, count: streams * window),
      targets: [Int32](repeating: -9, count: streams * window), reset: [])
    var reset: Set<Int> = []
    result.inputs.withUnsafeMutableBufferPointer { inputs in
      result.targets.withUnsafeMutableBufferPointer { targets in
        windows.fill(step: step, inputs: inputs.baseAddress!, targets: targets.baseAddress!) {
          reset.insert($0)
        }
      }
    }
    result.reset = reset
    return result
  }

  @Test(arguments: [(1, 8), (3, 8), (4, 16), (32, 5)])
  func anEpochPredictsEveryTokenOfEveryPieceOnce(streams: Int, window: Int) throws {
    let (store, pieces) = try make([9, 2, 30, 17, 8, 64, 3, 5, 41])
    let windows = try PieceWindows(
      store, pieces, streams: streams, window: window, seed: 4, shuffles: true, music: nil)
    let firsts = Set((0..<pieces.count).map { Int32(pieces.tokens(of: $0).lowerBound) })
    for epoch in 0..<3 {
      var predicted: [Int32] = []
      var last = [Int32](repeating: -1, count: streams)
      for place in 0..<windows.windowsPerEpoch {
        let step = fill(windows, streams, window, epoch * windows.windowsPerEpoch + place)
        for stream in 0..<streams {
          for t in 0..<window {
            let (input, target) = (
              step.inputs[t * streams + stream], step.targets[t * streams + stream]
            )
            if target >= 0 {
              #expect(target == input + 1)
              predicted.append(target)
            }
            if t == 0 && target >= 0 {
              // A stream goes on where it was, or begins anew from a zero state.
              #expect(step.reset.contains(stream) || input == last[stream])
              if firsts.contains(input) { #expect(step.reset.contains(stream)) }
            }
          }
          last[stream] = step.targets[(window - 1) * streams + stream]
        }
      }
      let wanted = (0..<pieces.count).flatMap {
        pieces.tokens(of: $0).dropFirst().map { Int32($0) }
      }
      #expect(predicted.sorted() == wanted.sorted())
    }
  }

  /// What a variant leaves of its piece's windows goes to others that fit, each from its beginning to its end.
  @Test func shortVariantsShareTheWindowsOfAPiece() throws {
    let (streams, window) = (2, 8)
    let store = try TokenStore(capacity: 0)
    let pieces = PieceList()
    // The longest variant of each has ten windows; tokens tell the variant and the place in it.
    for piece in 0..<3 {
      var variants: [Range<Int>] = []
      for (variant, count) in [81, 17, 24, 9].enumerated() {
        variants.append(store.count..<store.count + count)
        try store.reserve(count)
        for place in 0..<count { store.append(Int32(1000 * (4 * piece + variant) + place)) }
      }
      try pieces.append(variants)
    }
    let windows = try PieceWindows(
      store, pieces, streams: streams, window: window, seed: 3, shuffles: true, music: nil)
    #expect(windows.windowsPerEpoch == 15)
    var (predicted, begun, short) = (0, 0, 0)
    for step in 0..<40 * windows.windowsPerEpoch {
      let filled = fill(windows, streams, window, step)
      for stream in 0..<streams {
        for t in 0..<window {
          let (input, target) = (
            filled.inputs[t * streams + stream], filled.targets[t * streams + stream]
          )
          guard target >= 0 else { continue }
          predicted += 1
          #expect(target == input + 1)
          if input % 1000 == 0 {
            begun += 1
            if input / 1000 % 4 != 0 { short += 1 }
            #expect(t == 0 && filled.reset.contains(stream))
          }
        }
      }
    }
    // Nearly all places are predicted, and short variants are the most.
    #expect(10 * predicted > 9 * 40 * windows.windowsPerEpoch * streams * window)
    #expect(short > 2 * 40 * 3 && begun > short)
  }

  @Test func theStepAloneSaysWhereItIs() throws {
    let (store, pieces) = try make([20, 33, 12, 50, 7])
    func windows() throws -> PieceWindows {
      try PieceWindows(store, pieces, streams: 2, window: 8, seed: 9, shuffles: true, music: nil)
    }
    let forward = try windows()
    let all = (0..<4 * forward.windowsPerEpoch).map { fill(forward, 2, 8, $0).inputs }
    let back = try windows()
    for step in all.indices.reversed() { #expect(fill(back, 2, 8, step).inputs == all[step]) }
    #expect(all[0] != all[forward.windowsPerEpoch] || all[1] != all[forward.windowsPerEpoch + 1])
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
    let windows = try PieceWindows(
      store, pieces, streams: 1, window: 8, seed: 1, shuffles: true, music: encoding)
    var shifts = Set<Int>()
    for epoch in 0..<200 {
      let step = fill(windows, 1, 8, epoch)
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
