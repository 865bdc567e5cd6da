import Foundation
import GRU
import Testing

@testable import Libretto

/// A run is in one state, which is told, saved with it and restored.
@Suite struct RunStateTests {
  /// Ends in a divergence after some steps, with validation material or without.
  private func diverging(_ folder: Folder, validation: Double) throws -> Trainer {
    try makeTrainer {
      $0.learningRate = 10
      $0.clip = 1e9
      $0.steps = 1000
      $0.layers = 2
      $0.validationFraction = validation
      $0.checkpointPath = folder("run")
      $0.checkpointSeconds = 1e-9
    }
  }

  private func resume(_ path: String) throws -> Trainer {
    let trainer = try Trainer(resume: path)
    try trainer.add(ditties(60))
    return trainer
  }

  @Test func eachStateIsToldAndSaved() throws {
    let folder = try Folder()
    let trainer = try makeTrainer()
    #expect(trainer.progress.end == .fresh)
    func check(_ state: RunState, _ step: Int) throws {
      #expect(trainer.progress.end == state && trainer.progress.step == step)
      try trainer.save(checkpoint: folder("c"))
      let resumed = try resume(folder("c"))
      #expect(resumed.progress.end == state && resumed.progress.step == step)
      try resumed.prepare()
      #expect(resumed.progress.end == state && resumed.progress.step == step)
      #expect(
        resumed.progress.loss.bitPattern == trainer.progress.loss.bitPattern, "\(state)")
    }
    try check(.fresh, 0)
    #expect(try trainer.step().end == .running)
    try check(.running, 1)
    _ = try trainer.run { $0.step < 3 }
    try check(.stopped, 3)
    // What was stopped goes on.
    #expect(try resume(folder("c")).step().end == .running)
    _ = try trainer.run()
    try check(.finished, 40)
  }

  @Test(arguments: [0.1, 0])
  func aRunThatDivergedKeepsItsGoodWeights(validation: Double) throws {
    let folder = try Folder()
    let trainer = try diverging(folder, validation: validation)
    let message = refusal(.diverged, "training diverged at step", "lower learning rate") {
      _ = try trainer.run()
    }
    #expect(trainer.progress.end == .diverged)
    let kept = try trainer.model().floats
    #expect(kept.allSatisfy { $0.isFinite })
    // The run itself wrote its last checkpoint before it diverged, and it goes on from there.
    #expect(try resume(folder("run")).progress.end == .running)
    // Saved now, and from that again, it is the same run in the same state.
    try trainer.save(checkpoint: folder("diverged"))
    for name in ["diverged", "again"] {
      let resumed = try resume(folder(name))
      #expect(resumed.progress.end == .diverged)
      refusal(.diverged, message) { _ = try resumed.step() }
      refusal(.diverged, message) { _ = try resumed.run() }
      #expect(try resumed.model().floats == kept)
      refusal(.diverged, message) { _ = try resumed.step() }
      #expect(try Model(path: folder(name)).floats == kept)
      try resumed.save(checkpoint: folder("again"))
    }
    let names = try JSON.parse(ModelFile(read(folder("diverged"))).header).members!.map(\.key)
    #expect(!names.contains("training.parameters") && names.contains("training.files"))
  }

  @Test func checkpointsWithoutAStateStillLoad() throws {
    let folder = try Folder()
    let trainer = try makeTrainer()
    for _ in 0..<3 { _ = try trainer.step() }
    try trainer.save(checkpoint: folder("c"))
    let old = ModelFile(try read(folder("c")))
      .replacing("\\\"state\\\":\\\"running\\\",", "")
      .replacing("\\\"measured_step\\\":0,", "").replacing("\\\"kept_step\\\":0,", "")
      .replacing("\\\"kept_loss\\\":null,", "").replacing("training.files", "training.others")
      .replacing(
        "\\\"held_out\\\":0.1",
        "\\\"held_out\\\":0.1,\\\"files\\\":[{\\\"path\\\":\\\"a\\\",\\\"validation\\\":true}]")
    let resumed = try resume(try folder.file("old", old.bytes))
    #expect(resumed.progress.end == .running && resumed.progress.step == 3)
    #expect(resumed.expectedFiles.map(\.path) == ["a"])
    #expect(resumed.expectedFiles.map(\.validation) == [true])
    #expect(try resumed.step().loss == trainer.step().loss)
  }

  @Test func aCheckpointIsNotNeededAfterItWasRead() throws {
    let folder = try Folder()
    let trainer = try makeTrainer()
    for _ in 0..<3 { _ = try trainer.step() }
    try trainer.save(checkpoint: folder("c"))
    let fromFile = try resume(folder("c"))
    truncate(folder("c"), 100)
    var memory = [UInt8](repeating: 0, count: try trainer.checkpointImage().size)
    try memory.withUnsafeMutableBytes { try trainer.checkpointImage().write(to: $0) }
    let fromMemory = try memory.withUnsafeBytes {
      try Trainer(resume: $0, name: "it", TrainingOptions())
    }
    memory = []
    try fromMemory.add(ditties(60))
    let next = try trainer.step().loss
    #expect(try fromFile.step().loss == next)
    #expect(try fromMemory.step().loss == next)
  }

  /// A stop that ends a measurement costs nothing: the measurement is made up for, here or by the run
  /// that is resumed.
  @Test func aMeasurementThatWasStoppedIsMadeUpFor() throws {
    let folder = try Folder()
    let options = smallOptions { $0.steps = 60 }
    let whole = try Trainer(options)
    try whole.add(ditties(60))
    var wanted: [UInt64] = []
    _ = try whole.run {
      wanted.append($0.validationLoss.bitPattern)
      return true
    }
    let raised = StopFlag()
    raised.raise()
    for step in [25, 60] {
      let trainer = try Trainer(options)
      try trainer.add(ditties(60))
      try trainer.prepare()
      for _ in 1..<step { _ = try trainer.step() }
      let stopped = try #require(trainer.run).step(from: 0, until: raised)
      #expect(stopped.step == step && !stopped.measured && stopped.end == .running)
      try trainer.save(checkpoint: folder("c"))
      let resumed = try resume(folder("c"))
      for trainer in [trainer, resumed] {
        var found: [UInt64] = []
        let end = try trainer.run {
          found.append($0.validationLoss.bitPattern)
          return true
        }
        #expect(end.end == .finished && end.step == 60)
        #expect(found.suffix(60 - step) == wanted.suffix(60 - step))
        #expect(end.bestValidationLoss == whole.progress.bestValidationLoss)
        #expect(try trainer.model().floats == whole.model().floats)
      }
    }
  }

  @Test func aStopEndsThePreparation() throws {
    let trainer = try makeTrainer()
    trainer.stop()
    let stopped = try trainer.run()
    #expect(stopped.end == .stopped && stopped.step == 0)
    #expect(trainer.tokens == nil)
    // Nothing is lost by it; material can even be added.
    try trainer.add(ditties(1))
    trainer.stop()
    refusal(.state, "preparation was stopped") { try trainer.prepare() }
    #expect(try trainer.run().end == .finished)
    let whole = try makeTrainer(ditties(61))
    _ = try whole.run()
    #expect(try whole.model().floats == trainer.model().floats)
  }

  @Test func whatWasChosenIsTold() throws {
    var options = TrainingOptions()
    options.threads = 1
    options.minutes = 0.5
    options.steps = 100
    let trainer = try Trainer(options)
    #expect(trainer.chosenOptions == options)
    try trainer.add(ditties(60))
    try trainer.prepare()
    let chosen = trainer.chosenOptions
    #expect(chosen.encoding == "characters" && chosen.augment == false)
    // How large a network is in time depends on the machine.
    #expect(chosen.embedding == 64 && (32...128).contains(chosen.hidden ?? 0) && chosen.layers == 1)
    #expect((chosen.batch, chosen.sequence, chosen.threads) == (20, 64, 1))
    #expect((0.1...0.4).contains(chosen.dropout ?? 0) && chosen.learningRate == 8e-3)
    #expect((chosen.weightDecay, chosen.clip) == (0.01, 1))
    #expect((chosen.steps, chosen.minutes, chosen.patience) == (100, 0.5, 12))
    #expect(chosen.validationFraction == 0.1 && chosen.epochs == 100)
  }
}
