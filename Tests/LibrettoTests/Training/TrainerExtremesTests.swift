import Testing

@testable import Libretto

/// Corpora, sizes and rates at the edge of what is possible, and beyond it.
@Suite struct TrainerExtremesTests {
  @Test(arguments: [2, 3, 4, 9, 10, 11, 64, 65, 66, 100, 1000])
  func anyCorpusOfTwoTokensOrMoreCanBeTrainedOn(tokens: Int) throws {
    for text in [
      String(repeating: "a", count: tokens), String(ditties(50).prefix(tokens)),
      String(repeating: "é", count: tokens),
    ] {
      var options = TrainingOptions()
      options.threads = 2
      options.steps = 3
      let trainer = try Trainer(options)
      try trainer.add(text)
      let end = try trainer.run()
      #expect(end.step == 3 && end.end == .finished)
      #expect(end.loss.isFinite && end.loss > 0)
      #expect(try trainer.model().floats.allSatisfy { $0.isFinite })
    }
  }

  @Test func corporaThatAreTooSmall() throws {
    for text in ["", "a"] {
      let trainer = try Trainer()
      try trainer.add(text)
      refusal(.corpus, "at least 2 are needed") { _ = try trainer.step() }
      // It stays an error, and no trap, however often one asks.
      refusal(.corpus) { _ = try trainer.run() }
    }
    let folder = try Folder()
    let trainer = try Trainer()
    try trainer.add(file: try folder.file("empty", []))
    refusal(.corpus, "has 0 tokens") { _ = try trainer.step() }
  }

  @Test func anythingAtAllCanBeTrainedOn() throws {
    var random = RandomSource(seed: 4)
    let noise = (0..<2000).map { _ in UInt8(truncatingIfNeeded: random.next() >> 16) }
    for encoding in ["bytes", "characters"] {
      let trainer = try Trainer(smallOptions { $0.encoding = encoding })
      try trainer.add(noise)
      #expect(try trainer.run().end == .finished)
      #expect(try trainer.model().encoding.name == encoding)
    }
  }

  @Test func sizesThatNoMachineHas() throws {
    let trainer = try Trainer(
      smallOptions {
        $0.hidden = 16_384
        $0.layers = 32
      })
    try trainer.add(ditties(60))
    refusal(.argument, "parameters; the most is") { _ = try trainer.step() }
    let batch = try Trainer(
      smallOptions {
        $0.hidden = 4096
        $0.layers = 8
        $0.batch = 1024
        $0.sequence = 16_384
      })
    try batch.add(String(repeating: "x", count: 1 << 24 + 4096))
    refusal(.memory, "more than this machine has") { _ = try batch.step() }
  }

  @Test(arguments: [0, 1] as [UInt64])
  func aRunThatGoesAstray(seed: UInt64) throws {
    let folder = try Folder()
    let trainer = try Trainer(
      smallOptions {
        $0.learningRate = 10
        $0.clip = 1e9
        $0.steps = 200
        $0.layers = 2
        $0.seed = seed
        $0.checkpointPath = folder("checkpoint")
      })
    try trainer.add(ditties(60))
    var best = Double.nan
    let message = refusal(.diverged, "training diverged at step", "lower learning rate") {
      _ = try trainer.run {
        best = $0.bestValidationLoss
        return true
      }
    }
    // It stays so, and the weights are still numbers that can be saved and read again.
    refusal(.diverged, message) { _ = try trainer.step() }
    refusal(.diverged, message) { _ = try trainer.run() }
    let model = try trainer.model()
    #expect(try model.floats.allSatisfy { $0.isFinite })
    // The last checkpoint is left as it was: here there was none yet.
    refusal(.file, "checkpoint") { _ = try Model(path: folder("checkpoint")) }
    if !best.isNaN { #expect(model.facts["training.validation_nats_per_token"] == "\(best)") }
  }

  /// Weights from before are kept, not those that went astray: with more steps the learning rate rises
  /// more slowly.
  @Test(arguments: [(100, 0), (1000, 25)])
  func aRunThatGoesAstrayWithNothingHeldOut(steps: Int, kept: Int) throws {
    let trainer = try makeTrainer {
      $0.learningRate = 10
      $0.clip = 1e9
      $0.steps = steps
      $0.layers = 2
      $0.validationFraction = 0
    }
    var weights = [try trainer.model().floats]
    refusal(.diverged, "the weights of step \(kept) are kept") {
      for _ in 0..<200 {
        _ = try trainer.step()
        weights.append(try trainer.model().floats)
      }
    }
    #expect(try trainer.model().floats == weights[kept])
  }
}
