import Sequences
import Testing

@testable import Libretto

/// What is learnt, and that it is the same each time.
@Suite struct TrainerTests {
  @Test func thePatternIsLearnt() throws {
    // Every character tells which one comes next.
    let pattern = "abc, déf; 日本 🎵!"
    let trainer = try makeTrainer(String(repeating: pattern, count: 80)) {
      $0.hidden = 32
      $0.learningRate = 0.03
      $0.steps = 200
    }
    var first = Double.nan
    let end = try trainer.run {
      if first.isNaN { first = $0.loss }
      return true
    }
    #expect(end.end == .finished && end.step == 200)
    // The vocabulary has some 260 tokens, the pattern 17.
    #expect(first > 4)
    #expect(end.bestValidationLoss < 0.3)
    let model = try trainer.model()
    let evaluation = try evaluate(model, pattern + pattern)
    #expect(evaluation.natsPerToken < 0.5)
    var settings = SamplerSettings()
    settings.temperature = 0
    let session = try Session(model, settings: settings)
    try session.feed(pattern)
    var written: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4)
    while written.count < pattern.utf8.count {
      let count = try buffer.withUnsafeMutableBufferPointer {
        try session.nextText($0.baseAddress!)
      }
      written += buffer[..<count]
    }
    #expect(written == Array(pattern.utf8))
  }

  private func evaluate(_ model: Model, _ text: String) throws -> Evaluation {
    let folder = try Folder()
    return try model.evaluate(file: try folder.file("text", Array(text.utf8)))
  }

  @Test(arguments: [1, 2])
  func theSameSeedAndThreadsGiveTheSameWeights(threads: Int) throws {
    func weights(_ seed: UInt64) throws -> [Float] {
      let trainer = try makeTrainer {
        $0.seed = seed
        $0.threads = threads
        $0.dropout = 0.3
        $0.layers = 2
      }
      _ = try trainer.run()
      return try trainer.model().floats
    }
    let a = try weights(1)
    let same = try weights(1) == a
    #expect(same)
    let other = try weights(2) == a
    #expect(!other)
  }

  @Test func stepsAndARunAreTheSame() throws {
    let run = try makeTrainer()
    var losses: [Double] = []
    let end = try run.run {
      losses.append($0.loss)
      return true
    }
    let steps = try makeTrainer()
    var stepped: [Double] = []
    var progress = try steps.step()
    stepped.append(progress.loss)
    while progress.end.goesOn {
      progress = try steps.step()
      stepped.append(progress.loss)
    }
    #expect(losses == stepped && losses.count == 40)
    #expect(progress.end == .finished && end.end == .finished)
    let same = try run.model().floats == steps.model().floats
    #expect(same)
    // After the end there is nothing left to do.
    let after = try steps.step()
    #expect(after.step == 40 && after.end == .finished)
    #expect(try run.run().step == 40)
  }

  @Test func theBestWeightsByTheHeldOutPartAreKept() throws {
    // What is held out has nothing to do with what is learnt: it gets worse and worse.
    let trainer = try Trainer(
      smallOptions {
        $0.steps = 300
        $0.learningRate = 0.03
        $0.patience = 0
      })
    try trainer.add(ditties(60))
    try trainer.add(String(repeating: "zyx? ", count: 20), validation: true)
    let end = try trainer.run()
    #expect(end.validationLoss > end.bestValidationLoss + 0.1)
    let model = try trainer.model()
    let found = try evaluate(model, String(repeating: "zyx? ", count: 20)).natsPerToken
    #expect(abs(found - end.bestValidationLoss) < 0.1)
    #expect(model.facts["training.validation_nats_per_token"] == "\(end.bestValidationLoss)")
  }

  @Test func withNothingHeldOutTheLatestWeightsAreTheModel() throws {
    let trainer = try makeTrainer { $0.validationFraction = 0 }
    let end = try trainer.run()
    #expect(end.validationLoss.isNaN && end.bestValidationLoss.isNaN && !end.measured)
    #expect(trainer.tokens?.validation == 0)
    let first = try trainer.model().fingerprint
    #expect(try makeTrainer().model().fingerprint != first)
    #expect(try evaluate(trainer.model(), ditties(3)).natsPerToken < 4)
  }

  @Test func aRunEndsEarlyWhenItNoLongerGetsBetter() throws {
    let trainer = try Trainer(
      smallOptions {
        $0.steps = 5000
        $0.learningRate = 0.05
        $0.patience = 2
      })
    try trainer.add(ditties(60))
    try trainer.add("zyx? zyx? zyx?", validation: true)
    var measured: [Double] = []
    let end = try trainer.run {
      if $0.measured { measured.append($0.validationLoss) }
      return true
    }
    #expect(end.end == .early && end.step < 5000)
    #expect(end.fraction < 1)
    // The last two were no better than the best before them.
    let best = measured.dropLast(2).min()!
    #expect(measured.suffix(2).allSatisfy { $0 >= best })
    #expect(end.bestValidationLoss == best && end.endsSooner)
    #expect(try trainer.step().step == end.step)
    #expect(try trainer.run().end == .early)
  }

  @Test func trainingFromAModel() throws {
    let first = try makeTrainer { $0.learningRate = 0.02 }
    _ = try first.run()
    let model = try first.model()
    let before = try model.floats
    var options = TrainingOptions()
    options.steps = 20
    options.batch = 4
    options.sequence = 8
    options.threads = 1
    let second = try Trainer(options, from: model)
    try second.add(ditties(60))
    let start = try second.step()
    #expect(start.loss < 3.5)
    _ = try second.run()
    let after = try second.model()
    #expect(after.shape == model.shape)
    #expect(
      (after.encoding as? CharactersEncoding)?.alphabet
        == (model.encoding as? CharactersEncoding)?.alphabet)
    let changed = try after.floats != before
    #expect(changed)
    let untouched = try model.floats == before
    #expect(untouched)
    // Text with other characters: the alphabet stays.
    let other = try Trainer(options, from: model)
    try other.add(String(repeating: "Ωμέγα ", count: 100))
    _ = try other.run()
    #expect(try other.model().shape.vocabulary == model.shape.vocabulary)
    // What does not fit the model is refused by name.
    for (change, words) in [
      ({ $0.hidden = 17 }, "hidden is 17, but the model to start from has 16"),
      ({ $0.embedding = 9 }, "embedding is 9"), ({ $0.layers = 2 }, "layers is 2"),
      ({ $0.encoding = "bytes" }, "the encoding is bytes"),
    ] as [((inout TrainingOptions) -> Void, String)] {
      refusal(.argument, words, "leave it out") {
        _ = try Trainer(smallOptions(change), from: model)
      }
    }
    #expect(throws: Never.self) { _ = try Trainer(smallOptions(), from: model) }
  }
}
