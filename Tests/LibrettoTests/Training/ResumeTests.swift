import Foundation
import GRU
import Testing

@testable import Libretto

/// A resumed run is bit for bit the run that was never stopped.
@Suite struct ResumeTests {
  private static let held = "La la? Not quite so. "

  private func begin(_ options: TrainingOptions) throws -> Trainer {
    let trainer = try Trainer(options)
    try addMaterial(trainer)
    return trainer
  }

  private func resume(_ path: String, _ options: TrainingOptions = TrainingOptions()) throws
    -> Trainer
  {
    let trainer = try Trainer(resume: path, options)
    try addMaterial(trainer)
    return trainer
  }

  private func addMaterial(_ trainer: Trainer) throws {
    try trainer.add(ditties(25))
    try trainer.add(ditties(8))
    try trainer.add(Self.held, validation: true)
  }

  /// What a step tells that does not depend on the clock.
  private struct Fact: Equatable {
    let step: Int
    let numbers: [UInt64]
    let measured: Bool
    let end: RunState

    init(_ p: Libretto.Progress) {
      step = p.step
      numbers = [
        p.loss, p.validationLoss, p.bestValidationLoss, p.gradientNorm, p.learningRate, p.epoch,
        p.bitsPerCharacter,
      ].map(\.bitPattern)
      measured = p.measured
      end = p.end
    }
  }

  /// All the floats a checkpoint keeps.
  private func floats(_ path: String) throws -> [String: [UInt8]] {
    let file = ModelFile(try read(path))
    var result: [String: [UInt8]] = [:]
    for (name, tensor) in try JSON.parse(file.header).members ?? [] where name != "__metadata__" {
      let offsets = tensor["data_offsets"]!.array!.map { $0.integer! }
      result[name] = Array(file.data[offsets[0]..<offsets[1]])
    }
    return result
  }

  /// Steps to the end, saving before each of the given steps.
  private func run(_ trainer: Trainer, _ folder: Folder, saveAt: [Int] = [], name: String) throws
    -> [Fact]
  {
    var facts: [Fact] = []
    var step = 0
    while true {
      if saveAt.contains(step) { try trainer.save(checkpoint: folder("\(name)-\(step)")) }
      let progress = try trainer.step()
      facts.append(Fact(progress))
      step = progress.step
      if !progress.end.goesOn { return facts }
    }
  }

  private static let configurations: [@Sendable (inout TrainingOptions) -> Void] = [
    { $0.layers = 1 },
    {
      $0.layers = 2
      $0.dropout = 0.4
    },
    {
      $0.layers = 2
      $0.dropout = 0.2
      $0.threads = 2
    },
    {
      $0.learningRate = 0.05
      $0.steps = 400
      $0.patience = 2
    },
  ]

  @Test(arguments: configurations.indices)
  func itGoesOnAsIfItHadNeverStopped(configuration: Int) throws {
    let folder = try Folder()
    let options = smallOptions {
      $0.steps = 70
      $0.patience = 0
      $0.seed = 11
      Self.configurations[configuration](&$0)
    }
    let whole = try begin(options)
    let wanted = try run(whole, folder, name: "whole")
    try whole.save(checkpoint: folder("end"))
    let wantedFloats = try floats(folder("end"))
    #expect(wanted.last!.end == (configuration == 3 ? .early : .finished))
    // That saving changes nothing is part of it.
    let last = wanted.count - 1
    let perEpoch =
      whole.progress.epoch > 0 ? Int((Double(wanted.count) / whole.progress.epoch).rounded()) : 1
    let stops = [0, 1, 2, 7, 24, 25, 26, perEpoch, perEpoch + 1, 49, 50, 51, last - 1, last]
    let saving = try run(try begin(options), folder, saveAt: stops, name: "stop")
    #expect(saving == wanted)
    for stop in Set(stops).sorted() where stop <= last {
      let path = folder("stop-\(stop)")
      let resumed = try resume(path)
      try resumed.prepare()
      #expect(resumed.progress.step == stop)
      let rest = try run(resumed, folder, name: "again")
      #expect(rest == Array(wanted[stop...]), "from step \(stop)")
      try resumed.save(checkpoint: folder("resumed"))
      let same = try floats(folder("resumed")) == wantedFloats
      #expect(same, "from step \(stop)")
      let model = try resumed.model().fingerprint == whole.model().fingerprint
      #expect(model, "from step \(stop)")
    }
  }

  @Test func stoppedAfterEveryStep() throws {
    let folder = try Folder()
    let options = smallOptions {
      $0.steps = 35
      $0.layers = 2
      $0.dropout = 0.3
    }
    let whole = try begin(options)
    let wanted = try run(whole, folder, name: "whole")
    var facts: [Fact] = []
    let first = try begin(options)
    try first.save(checkpoint: folder("c"))
    var end = RunState.running
    while end.goesOn {
      let trainer = try resume(folder("c"))
      let progress = try trainer.step()
      facts.append(Fact(progress))
      end = progress.end
      try trainer.save(checkpoint: folder("c"))
    }
    #expect(facts == wanted)
    try whole.save(checkpoint: folder("w"))
    let same = try floats(folder("c")) == floats(folder("w"))
    #expect(same)
  }

  @Test func aRunSavesAsItGoesAndAtTheEnd() throws {
    let folder = try Folder()
    let options = smallOptions {
      $0.checkpointPath = folder("c")
      $0.checkpointSeconds = 1e-9
    }
    let trainer = try begin(options)
    var seen = 0
    _ = try trainer.run {
      // The one of the step before is there already.
      if $0.step > 1, (try? Checkpoint(folder("c")).state.step) == $0.step - 1 { seen += 1 }
      return $0.step < 12
    }
    #expect(seen == 11)
    #expect(try Checkpoint(folder("c")).state.step == 12)
    let resumed = try resume(folder("c"))
    #expect(try resumed.run().end == .finished)
    let whole = try begin(smallOptions())
    _ = try whole.run()
    #expect(try whole.model().fingerprint == resumed.model().fingerprint)
    #expect(try folder.names == ["c"])
  }

  /// A saved state that is put to zero is missed, except where an epoch begins.
  @Test func anEpochBeginsFromAZeroStateAndNoOtherStepDoes() throws {
    let folder = try Folder()
    let trainer = try begin(smallOptions { $0.steps = 100 })
    try trainer.prepare()
    let perEpoch = TextBatches.epoch(tokens: trainer.tokens!.training, batch: 4, sequence: 8)
    for step in 1...perEpoch + 1 {
      _ = try trainer.step()
      guard step >= perEpoch - 1 else { continue }
      try trainer.save(checkpoint: folder("c"))
      var file = ModelFile(try read(folder("c")))
      let offsets = try JSON.parse(file.header)["training.state"]?["data_offsets"]?.array
      for i in offsets![0].integer!..<offsets![1].integer! { file.data[i] = 0 }
      let zero = try resume(try folder.file("zero", file.bytes)).step().loss
      let same = try resume(folder("c")).step().loss == zero
      #expect(same == (step == perEpoch), "after step \(step) of \(perEpoch)")
    }
  }

  @Test func whatHasEndedStaysEnded() throws {
    let folder = try Folder()
    let finished = try begin(smallOptions())
    _ = try finished.run()
    try finished.save(checkpoint: folder("finished"))
    let early = try begin(
      smallOptions {
        $0.learningRate = 0.05
        $0.steps = 400
        $0.patience = 1
      })
    let end = try early.run()
    #expect(end.end == .early)
    try early.save(checkpoint: folder("early"))
    for (name, end, steps) in [
      ("finished", RunState.finished, 40), ("early", .early, end.step),
    ] {
      let resumed = try resume(folder(name))
      let after = try resumed.step()
      #expect(after.end == end && after.step == steps, "\(name)")
      #expect(try resumed.run().end == end)
    }
    // Unless it is given more time, or more patience.
    let longer = try resume(folder("finished")) { $0.steps = 45 }
    #expect(try longer.run().step == 45)
    let patient = try resume(folder("early")) { $0.patience = 0 }
    #expect(try patient.run().step == 400)
  }

  private func resume(_ path: String, _ change: (inout TrainingOptions) -> Void) throws -> Trainer {
    var options = TrainingOptions()
    change(&options)
    return try resume(path, options)
  }

  @Test func theEndAndTheThreadsCanChange() throws {
    let folder = try Folder()
    let trainer = try begin(smallOptions { $0.epochs = 3 })
    _ = try trainer.step()
    try trainer.save(checkpoint: folder("c"))
    let resumed = try resume(folder("c")) { $0.threads = 2 }
    try resumed.prepare()
    #expect(resumed.batch!.threads == 2)
    #expect(resumed.progress.totalSteps == trainer.progress.totalSteps)
    let byEpochs = try resume(folder("c")) { $0.epochs = 1 }
    try byEpochs.prepare()
    let tokens = byEpochs.tokens!.training
    #expect(
      byEpochs.progress.totalSteps
        == TextBatches.epoch(tokens: tokens, batch: 4, sequence: 8))
    let byTime = try resume(folder("c")) { $0.minutes = 1e-9 }
    #expect(try byTime.run().end == .finished)
    let before = try resume(folder("c")) { $0.steps = 1 }
    #expect(try before.run().step == 1)
  }

  @Test func otherOptionsMustBeAsTheyWere() throws {
    let folder = try Folder()
    let started = smallOptions {
      $0.encoding = "characters"
      $0.learningRate = 0.01
      $0.weightDecay = 0.02
      $0.clip = 2
      $0.seed = 3
      $0.validationFraction = 0.2
    }
    let trainer = try Trainer(started)
    try trainer.add(ditties(40))
    _ = try trainer.step()
    try trainer.save(checkpoint: folder("c"))
    let again = try Trainer(resume: folder("c"), started)
    try again.add(ditties(40))
    #expect(try again.step().loss == trainer.step().loss)
    for change in [
      { $0.encoding = "bytes" }, { $0.embedding = 9 }, { $0.hidden = 17 }, { $0.layers = 2 },
      { $0.batch = 5 }, { $0.sequence = 9 }, { $0.dropout = 0.1 }, { $0.learningRate = 0.1 },
      { $0.weightDecay = 0 }, { $0.clip = 1 }, { $0.validationFraction = 0 }, { $0.seed = 1 },
      { $0.stepsPerQuarter = 4 }, { $0.augment = true },
    ] as [(inout TrainingOptions) -> Void] {
      var options = TrainingOptions()
      change(&options)
      refusal(.argument, "the run to resume has") {
        _ = try Trainer(resume: folder("c"), options)
      }
    }
  }

  @Test func theLossesOfTheWholeRunAreKept() throws {
    let folder = try Folder()
    func points(_ trainer: Trainer) throws -> [[Double]] {
      let history = try #require(trainer.history)
      return [history.training, history.validation].map {
        $0.points.flatMap { [Double($0.step), $0.loss] }
      }
    }
    let options = smallOptions {
      $0.steps = 1400
      $0.patience = 0
    }
    let whole = try begin(options)
    while try whole.step().end.goesOn {}
    let first = try begin(options)
    for _ in 0..<700 { _ = try first.step() }
    try first.save(checkpoint: folder("c"))
    let second = try resume(folder("c"))
    while try second.step().end.goesOn {}
    #expect(try points(second) == points(whole))
    let history = try #require(second.history)
    #expect((256..<512).contains(history.training.points.count))
    #expect(history.training.points.first!.step < 10)
    #expect(history.training.points.last!.step > 1390)
    #expect(!history.validation.points.isEmpty)
  }

  @Test func otherMaterialIsRefused() throws {
    let folder = try Folder()
    let trainer = try begin(smallOptions())
    _ = try trainer.step()
    try trainer.save(checkpoint: folder("c"))
    for (training, held) in [
      (ditties(33), "other"), (ditties(32), Self.held), (ditties(33) + "x", Self.held),
      (Self.held, ditties(33)),
    ] {
      let resumed = try Trainer(resume: folder("c"))
      try resumed.add(training)
      try resumed.add(held, validation: true)
      refusal(.corpus, "the same files, in the same order") { _ = try resumed.step() }
    }
    let nothing = try Trainer(resume: folder("c"))
    refusal(.corpus, "nothing to learn from") { _ = try nothing.step() }
    // In other pieces it is the same material.
    let pieces = try Trainer(resume: folder("c"))
    try pieces.add(ditties(33))
    try pieces.add(Self.held, validation: true)
    #expect(try pieces.step().step == 2)
  }

  @Test func theHeldOutShareIsAsItWas() throws {
    let folder = try Folder()
    let trainer = try Trainer(smallOptions { $0.validationFraction = 0.23 })
    try trainer.add(ditties(40))
    _ = try trainer.step()
    try trainer.save(checkpoint: folder("c"))
    let resumed = try Trainer(resume: folder("c"))
    try resumed.add(ditties(40))
    #expect(try resumed.step().loss == trainer.step().loss)
    #expect(resumed.tokens! == trainer.tokens!)
  }

  @Test func aCheckpointNamesTheFiles() throws {
    let folder = try Folder()
    let a = try folder.file("a \"1\"", Array(ditties(30).utf8))
    let b = try folder.file("b\né", Array(ditties(5).utf8))
    let trainer = try Trainer(smallOptions())
    try trainer.add(file: a)
    try trainer.add(file: b, validation: true)
    #expect(trainer.expectedFiles.isEmpty)
    try trainer.save(checkpoint: folder("c"))
    let resumed = try Trainer(resume: folder("c"))
    let files = resumed.expectedFiles
    #expect(files.map(\.path) == [a, b] && files.map(\.validation) == [false, true])
    for file in files { try resumed.add(file: file.path, validation: file.validation) }
    #expect(try resumed.run().end == .finished)
  }

  @Test func aCheckpointIsAModelOfTheBestWeights() throws {
    let folder = try Folder()
    let trainer = try begin(smallOptions { $0.steps = 60 })
    _ = try trainer.run()
    try trainer.save(checkpoint: folder("c"))
    #expect(try Model(path: folder("c")).fingerprint == trainer.model().fingerprint)
    #expect(try Model(path: folder("c")).facts == trainer.model().facts)
    // To start from these weights is another thing than to go on.
    let from = try Trainer(smallOptions(), from: try Model(path: folder("c")))
    try addMaterial(from)
    #expect(try from.step().step == 1)
  }

  @Test func filesThatAreNoCheckpoint() throws {
    let folder = try Folder()
    let trainer = try begin(smallOptions())
    try trainer.model().save(folder("model"))
    refusal(.format, "is a model, not a checkpoint") { _ = try Trainer(resume: folder("model")) }
    refusal(.file, "cannot open") { _ = try Trainer(resume: folder("none")) }
    try trainer.save(checkpoint: folder("c"))
    let whole = ModelFile(try read(folder("c")))
    func altered(_ old: String, _ new: String) throws -> String {
      let path = folder("altered")
      try Data(whole.replacing(old, new).bytes).write(to: URL(fileURLWithPath: path))
      return path
    }
    for (old, new) in [
      ("\\\"batch\\\":4", "\\\"batch\\\":0"), ("\\\"batch\\\":4", "\\\"batch\\\":4097"),
      ("\\\"sequence\\\":8", "\\\"sequence\\\":-8"), ("\\\"threads\\\":1", "\\\"threads\\\":257"),
      ("\\\"step\\\":0", "\\\"step\\\":-1"), ("\\\"step\\\":0", "\\\"step\\\":1125899906842624"),
      ("\\\"corpus\\\":\\\"", "\\\"corpus\\\":\\\"x"),
      ("\\\"elapsed\\\":0.0", "\\\"elapsed\\\":null"),
      ("\\\"held_out\\\":0.1", "\\\"held_out\\\":1"), ("\\\"seed\\\":\\\"0\\\"", "\\\"seed\\\":0"),
      ("\\\"checkpoint\\\":\\\"{", "\\\"checkpoint\\\":\\\"{{"),
      ("\\\"since_best\\\":0", "\\\"since_best\\\":-1"),
      ("\\\"since_best\\\":0", "\\\"since_best\\\":1"),
      ("\\\"since_best\\\":0", "\\\"since_best\\\":9223372036854775807"),
      ("\\\"measured_step\\\":0", "\\\"measured_step\\\":1"),
      ("\\\"kept_step\\\":0", "\\\"kept_step\\\":1"),
      ("\\\"elapsed\\\":0.0", "\\\"elapsed\\\":1e999"),
      ("\\\"first_loss\\\":null", "\\\"first_loss\\\":-1"),
      ("\\\"state\\\":\\\"fresh\\\"", "\\\"state\\\":\\\"new\\\""),
      ("\\\"state\\\":\\\"fresh\\\"", "\\\"state\\\":0"),
    ] {
      // The record is JSON inside a JSON string.
      let (old, new) =
        old.hasPrefix("\\\"checkpoint") ? ("\"checkpoint\":\"{", "\"checkpoint\":\"{{") : (old, new)
      refusal(.format, "training record is damaged") {
        _ = try Trainer(resume: try altered(old, new))
      }
    }
    // So are tensors that are not what the record says.
    for (old, new, words) in [
      ("\\\"batch\\\":4", "\\\"batch\\\":5", "training.state"),
      ("training.parameters", "training.parametres", "\"training.parameters\" is missing"),
    ] {
      refusal(.format, words) { _ = try Trainer(resume: try altered(old, new)) }
    }
  }
}
