import Foundation
import Synchronization
import Testing

@testable import Libretto

/// The host's part: adding material, stepping, stopping, watching.
@Suite struct TrainerCallsTests {
  @Test func aCallbackOrAnotherThreadStopsARun() throws {
    let trainer = try makeTrainer()
    let stopped = try trainer.run { $0.step < 7 }
    #expect(stopped.end == .stopped && stopped.step == 7)
    // It goes on, to the same end.
    trainer.stop()
    let again = try trainer.run()
    #expect(again.end == .stopped && again.step == 7)
    let end = try trainer.run {
      if $0.step == 20 { trainer.stop() }
      return true
    }
    #expect(end.end == .stopped && end.step == 20)
    #expect(try trainer.run().end == .finished)
    let whole = try makeTrainer()
    _ = try whole.run()
    let same = try whole.model().floats == trainer.model().floats
    #expect(same)
  }

  @Test func stepsGoOnAfterARunWasStopped() throws {
    let trainer = try makeTrainer()
    _ = try trainer.run { $0.step < 5 }
    #expect(try trainer.step().step == 6)
    #expect(try trainer.step().end == .running)
  }

  /// A trainer that one task makes and another runs, and that a third stops: as Swift 6 checks it.
  @Test func aTrainerIsSentToATaskAndStoppedByAnother() async throws {
    let trainer = try Trainer(smallOptions { $0.steps = 1_000_000 })
    try trainer.add(ditties(60))
    let stopping = trainer.stopping
    let (steps, going) = AsyncStream.makeStream(of: Void.self)
    let run = Task {
      try trainer.run { _ in
        going.yield()
        return true
      }.end
    }
    for await _ in steps {
      stopping.raise()
      break
    }
    #expect(try await run.value == .stopped)
  }

  @Test func stopFromAnotherThread() async throws {
    let trainer = try Trainer(smallOptions { $0.steps = 1_000_000 })
    try trainer.add(ditties(60))
    let stopping = trainer.stopping
    let running = Atomic<Bool>(false)
    let stopper = Thread {
      while !running.load(ordering: .acquiring) { usleep(1000) }
      stopping.raise()
    }
    stopper.start()
    let end = try trainer.run { _ in
      running.store(true, ordering: .releasing)
      return true
    }
    #expect(end.end == .stopped && end.step >= 1)
  }

  @Test func progressTellsWhereItStands() throws {
    let trainer = try makeTrainer { $0.steps = 60 }
    #expect(trainer.progress.step == 0 && trainer.progress.loss.isNaN && trainer.shape == nil)
    try trainer.prepare()
    let tokens = try #require(trainer.tokens)
    #expect(tokens.training > 1000 && tokens.validation > 100)
    let batch = try #require(trainer.batch)
    #expect(batch == (4, 8, 1))
    #expect(trainer.shape?.hidden == 16)
    var last = trainer.progress
    #expect(last.step == 0 && last.totalSteps == 60 && last.fraction == 0 && last.end == .fresh)
    let perEpoch = TextBatches.epoch(tokens: tokens.training, batch: 4, sequence: 8)
    var measurements: [Int] = []
    _ = try trainer.run { p in
      #expect(p.step == last.step + 1)
      #expect(p.totalSteps == 60)
      #expect(abs(p.fraction - Double(p.step) / 60) < 1e-12)
      #expect(abs(p.epoch - Double(p.step) / Double(perEpoch)) < 1e-12)
      #expect(p.loss > 0 && p.loss < 20)
      #expect(p.learningRate > 0 && p.gradientNorm > 0 && p.tokensPerSecond > 0)
      #expect(p.elapsedSeconds > last.elapsedSeconds && p.secondsLeft >= 0)
      if p.measured { measurements.append(p.step) }
      #expect(p.validationLoss.isNaN == measurements.isEmpty)
      let nats = measurements.isEmpty ? p.loss : p.validationLoss
      #expect(p.bitsPerCharacter >= nats / log(2) * 0.99)
      #expect(p.end == (p.step == 60 ? .finished : .running))
      last = p
      return true
    }
    let interval = max(25, 4 * tokens.validation / 32)
    #expect(measurements == (1...60).filter { $0 % interval == 0 || $0 == 60 })
    #expect(last.secondsLeft == 0)
    #expect(trainer.progress.step == 60 && trainer.progress.end == .finished)
    #expect(try trainer.model().facts["training.steps"] == "60")
  }

  @Test func aCheckpointThatCouldNotBeSavedIsSavedByTheNextRun() throws {
    let folder = try Folder()
    let trainer = try makeTrainer { $0.checkpointPath = folder("later/checkpoint") }
    for _ in 0..<2 {
      let end = try trainer.run()
      #expect(end.end == .finished && end.step == 40)
      #expect(end.checkpointFailure?.kind == .file)
      #expect(end.checkpointFailure?.message.contains("later/checkpoint") == true)
    }
    try FileManager.default.createDirectory(
      atPath: folder("later"), withIntermediateDirectories: true)
    let end = try trainer.run()
    #expect(end.end == .finished && end.checkpointFailure == nil)
    #expect(try Model(path: folder("later/checkpoint")).floats == trainer.model().floats)
  }

  @Test func aRunEndsWhenItsTimeIsOver() throws {
    let trainer = try makeTrainer {
      $0.steps = nil
      $0.minutes = 0.3 / 60
      $0.patience = 0
    }
    let end = try trainer.run()
    #expect(end.end == .finished && end.totalSteps == 0)
    #expect(end.elapsedSeconds >= 0.3)
    #expect(end.fraction == 1 && end.measured)
  }

  @Test func materialComesFirst() throws {
    let trainer = try Trainer(smallOptions())
    refusal(.corpus, "nothing to learn from") { _ = try trainer.step() }
    refusal(.corpus, "nothing to learn from") { _ = try trainer.run() }
    refusal(.corpus, "nothing to learn from") { _ = try trainer.model() }
    refusal(.file, "cannot open") { try trainer.add(file: "/nowhere/at/all") }
    try trainer.add(ditties(20))
    _ = try trainer.step()
    refusal(.state, "before the first step") { try trainer.add("more") }
    refusal(.state, "before the first step") { try trainer.add(file: "/dev/null") }
    #expect(try trainer.step().step == 2)
  }

  @Test func filesAndTextAreTheSame() throws {
    let folder = try Folder()
    let text = try makeTrainer(ditties(60) + ditties(30))
    let files = try Trainer(smallOptions())
    try files.add(file: try folder.file("a", Array(ditties(60).utf8)))
    try files.add(file: try folder.file("none", []))
    try files.add(file: try folder.file("b", Array(ditties(30).utf8)))
    for _ in 0..<5 { #expect(try files.step().loss == text.step().loss) }
    #expect(files.tokens! == text.tokens!)
    let held = try Trainer(smallOptions())
    try held.add(file: folder("a"))
    try held.add(file: folder("b"), validation: true)
    try held.prepare()
    let perDitty = ditty.unicodeScalars.count
    #expect(held.tokens! == (60 * perDitty, 30 * perDitty))
  }
}
