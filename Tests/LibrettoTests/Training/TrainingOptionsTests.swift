import Testing

@testable import Libretto

@Suite struct TrainingOptionsTests {
  @Test func whatIsOutOfRangeIsRefusedByName() {
    for (change, words) in [
      ({ $0.embedding = -1 }, "the embedding size is -1"), ({ $0.embedding = 0 }, "size is 0"),
      ({ $0.dropout = -0.5 }, "dropout is -0.5"), ({ $0.clip = 0 }, "norm is 0.0"),
      ({ $0.embedding = 16_385 }, "16385"),
      ({ $0.hidden = -1 }, "the hidden size is -1"),
      ({ $0.hidden = .max }, "the hidden size is 922"),
      ({ $0.layers = -2 }, "the number of layers is -2"),
      ({ $0.layers = 33 }, "the number of layers is 33"),
      ({ $0.batch = -1 }, "the batch is -1"), ({ $0.batch = 4097 }, "the batch is 4097"),
      ({ $0.sequence = -1 }, "the sequence length is -1"), ({ $0.sequence = 65_537 }, "65537"),
      ({ $0.dropout = 0.96 }, "dropout is 0.96"), ({ $0.dropout = .nan }, "dropout is nan"),
      ({ $0.dropout = -2 }, "dropout is -2"),
      ({ $0.learningRate = -1e-3 }, "the learning rate is -0.001"),
      ({ $0.learningRate = 11 }, "rate is 11"),
      ({ $0.learningRate = .nan }, "rate is nan"), ({ $0.weightDecay = 10.5 }, "decay is 10.5"),
      ({ $0.weightDecay = -.infinity }, "decay is -inf"), ({ $0.clip = -1 }, "norm is -1"),
      ({ $0.clip = .infinity }, "norm is inf"), ({ $0.epochs = -1 }, "epochs is -1"),
      ({ $0.epochs = .infinity }, "epochs is inf"), ({ $0.steps = -1 }, "steps is -1"),
      ({ $0.steps = .max }, "steps is 922"), ({ $0.minutes = -0.5 }, "minutes is -0.5"),
      ({ $0.minutes = .nan }, "minutes is nan"),
      ({ $0.validationFraction = 0.91 }, "fraction is 0.91"),
      ({ $0.validationFraction = .nan }, "fraction is nan"),
      ({ $0.patience = -2 }, "patience is -2"),
      ({ $0.patience = 1_000_001 }, "patience is 1000001"), ({ $0.threads = -1 }, "threads is -1"),
      ({ $0.threads = 257 }, "threads is 257"),
      ({ $0.checkpointSeconds = -1 }, "checkpoints is -1"),
      (
        {
          $0.batch = 4096
          $0.sequence = 65_536
        }, "is 268435456"
      ),
    ] as [((inout TrainingOptions) -> Void, String)] {
      var options = TrainingOptions()
      change(&options)
      refusal(.argument, words, "must be ") { _ = try Trainer(options) }
      // Also for a run that is resumed, before the file is looked at.
      refusal(.argument, words) { _ = try Trainer(resume: "/nowhere", options) }
    }
  }

  @Test func edgesOfTheRanges() {
    for change in [
      { $0.embedding = 16_384 }, { $0.hidden = 16_384 }, { $0.layers = 32 }, { $0.batch = 4096 },
      { $0.sequence = 65_536 }, { $0.dropout = 0 }, { $0.dropout = 0.95 },
      { $0.checkpointSeconds = 1e9 },
      { $0.learningRate = 10 }, { $0.weightDecay = 0 }, { $0.epochs = 1e9 }, { $0.minutes = 1e7 },
      { $0.validationFraction = 0 }, { $0.validationFraction = 0.9 }, { $0.patience = 0 },
      { $0.threads = 256 }, { $0.steps = 1_000_000_000_000 },
    ] as [(inout TrainingOptions) -> Void] {
      var options = TrainingOptions()
      change(&options)
      #expect(throws: Never.self) { _ = try Trainer(options) }
    }
  }

  @Test func anEncodingThatIsNone() {
    var options = TrainingOptions()
    options.encoding = "syllables"
    refusal(.unsupported, "\"syllables\"; there are bytes, characters, words") {
      _ = try Trainer(options)
    }
  }

  // MARK: - The plan

  private func plan(
    _ tokens: Int, validation: Int = 0, _ change: (inout TrainingOptions) -> Void = { _ in }
  ) throws -> TrainingPlan {
    var options = TrainingOptions()
    change(&options)
    return try TrainingPlan(
      options, tokens: tokens, validation: validation, vocabulary: 256,
      perEpoch: { TextBatches.epoch(tokens: tokens, batch: $0, sequence: $1) }, fixed: nil,
      processors: 2)
  }

  @Test func whatIsChosenFitsAnyCorpus() throws {
    for tokens in [2, 3, 5, 10, 64, 65, 66, 100, 1000, 10_000, 1_000_000, 100_000_000] {
      for minutes in [0, 0.01, 1, 60] {
        let plan = try plan(tokens, validation: tokens / 10) { $0.minutes = minutes }
        #expect(plan.batch >= 1 && plan.sequence >= 1)
        #expect(plan.batch * (plan.sequence + 1) <= tokens || plan.batch == 1)
        #expect(plan.sequence < tokens)
        #expect(plan.totalSteps > 0 || plan.seconds > 0)
        #expect(plan.validationInterval >= 1)
        #expect(plan.learningRate > 0 && plan.dropout >= 0 && plan.clip > 0)
        #expect(plan.shape.vocabulary == 256 && plan.threads == 2)
        // It survives being kept in a checkpoint.
        let kept = TrainingPlan(JSON.object(plan.record).value, shape: plan.shape)
        #expect(kept == plan)
      }
    }
  }

  @Test func whatIsAskedForIsTaken() throws {
    let plan = try plan(100_000, validation: 0) {
      $0.embedding = 7
      $0.hidden = 33
      $0.layers = 3
      $0.batch = 5
      $0.sequence = 17
      $0.dropout = 0
      $0.learningRate = 0.5
      $0.weightDecay = 0
      $0.clip = 2
      $0.steps = 77
      $0.patience = 4
      $0.seed = .max
      $0.threads = 3
    }
    #expect(plan.shape.embedding == 7 && plan.shape.hidden == 33 && plan.shape.layers == 3)
    #expect(plan.batch == 5 && plan.sequence == 17 && plan.dropout == 0)
    #expect(plan.learningRate == 0.5 && plan.weightDecay == 0 && plan.clip == 2)
    #expect(plan.totalSteps == 77 && plan.patience == 4 && plan.seed == .max && plan.threads == 3)
    #expect(try self.plan(1000) { $0.patience = 0 }.patience == 0)
    #expect(try self.plan(1000) { _ in }.patience == 12)
  }

  @Test func theEndIsWhatComesFirst() throws {
    let perEpoch = TextBatches.epoch(tokens: 10_000, batch: 10, sequence: 10)
    func steps(_ change: (inout TrainingOptions) -> Void) throws -> Int {
      try plan(10_000) {
        $0.batch = 10
        $0.sequence = 10
        change(&$0)
      }.totalSteps
    }
    #expect(try steps { $0.epochs = 2 } == 2 * perEpoch)
    #expect(try steps { $0.epochs = 0.5 } == (perEpoch + 1) / 2)
    #expect(try steps { $0.epochs = 1e-9 } == 1)
    #expect(
      try steps {
        $0.epochs = 2
        $0.steps = 3
      } == 3)
    #expect(
      try steps {
        $0.epochs = 2
        $0.steps = 1_000_000
      } == 2 * perEpoch)
    #expect(try steps { $0.minutes = 5 } == 0)
    #expect(
      try steps {
        $0.minutes = 5
        $0.steps = 9
      } == 9)
    // As many as can be asked for are no more than a checkpoint can name.
    let most = try plan(10_000) {
      $0.epochs = 1e9
      $0.batch = 1
      $0.sequence = 1
    }
    #expect(TrainingPlan(JSON.object(most.record).value, shape: most.shape) == most)
  }

  @Test func moreTimeAndMoreTextMakeLargerNetworks() throws {
    func weights(_ tokens: Int, _ minutes: Double, speed: Double = 180e9) throws -> Int {
      var options = TrainingOptions()
      options.minutes = minutes
      let plan = try TrainingPlan(
        options, tokens: tokens, validation: 0, vocabulary: 256,
        perEpoch: { TextBatches.epoch(tokens: tokens, batch: $0, sequence: $1) }, fixed: nil,
        processors: 2, speed: { _ in speed })
      return plan.shape.hidden * plan.shape.hidden * (2 * plan.shape.layers - 1)
    }
    let times = [0.01, 0.1, 0.5, 2, 10, 60, 600, 6000]
    for tokens in [1000, 100_000, 1_000_000, 100_000_000] {
      let sizes = try times.map { try weights(tokens, $0) }
      #expect(sizes == sizes.sorted())
      // No network that could learn a text by heart many times over.
      #expect(sizes.last! <= 4 * tokens + 60_000)
      // A machine twice as fast is a run twice as long.
      #expect(try weights(tokens, 2, speed: 360e9) == weights(tokens, 4))
    }
    for minutes in times {
      let sizes = try [1000, 100_000, 1_000_000, 100_000_000].map { try weights($0, minutes) }
      #expect(sizes == sizes.sorted())
    }
  }

  @Test func overfittingEndsARunSooner() throws {
    let plan = try plan(100_000) { $0.steps = 1000 }
    var state = TrainingState()
    state.step = 200
    state.sinceBest = 3
    // The training loss goes on falling where the validation loss does not.
    (state.trainingAtBest, state.smoothed) = (1, 0.9)
    state.coolDownIfStalled(plan)
    #expect(state.length == 1)
    state.sinceBest = 4
    state.coolDownIfStalled(plan)
    // The cool-down begins here, and takes as long as in a run that was planned so short.
    #expect(state.fraction(of: plan) == 0.4 && state.sinceBest == 0)
    state.step = 350
    #expect(abs(state.fraction(of: plan) - 0.7) < 1e-9)
    state.sinceBest = 4
    state.coolDownIfStalled(plan)
    #expect(state.length == 0.5 && state.coolDownStart == 0.4)
    state.step = 500
    #expect(state.fraction(of: plan) == 1)
    let kept = try #require(TrainingState(JSON.object(state.record).value))
    #expect(kept.length == 0.5)
  }

  @Test func whatStallsWithoutOverfittingCoolsDownForTheRestOfTheRun() throws {
    let plan = try plan(100_000) { $0.steps = 1000 }
    var state = TrainingState()
    (state.step, state.sinceBest, state.trainingAtBest, state.smoothed) = (200, 4, 1, 0.995)
    state.coolDownIfStalled(plan)
    #expect(state.length == 1 && state.coolDownStart == 0.2 && state.sinceBest == 0)
    func rate(_ step: Int) -> Double {
      plan.learningRate(
        step: step, fraction: Double(step) / 1000, coolDownStart: state.coolDownStart)
    }
    #expect(rate(200) == plan.learningRate && rate(1000) == 0)
    #expect(abs(rate(600) - 0.5 * plan.learningRate) < 1e-12)
    let kept = try #require(TrainingState(JSON.object(state.record).value))
    #expect(kept.coolDownStart == 0.2 && kept.trainingAtBest == 1)
  }

  @Test func theScheduleRisesAndFalls() throws {
    let plan = try plan(100_000) { $0.steps = 1000 }
    let rates = (0...1000).map {
      plan.learningRate(step: $0, fraction: plan.fraction(step: $0, elapsed: 0))
    }
    #expect(rates[0] > 0 && rates[0] < 0.02 * plan.learningRate)
    #expect(zip(rates[..<99], rates[1...]).allSatisfy { $0 < $1 })
    #expect(rates[99...400].allSatisfy { $0 == plan.learningRate })
    #expect(zip(rates[400...], rates[401...]).allSatisfy { $0 > $1 })
    #expect(abs(rates[700] - 0.5 * plan.learningRate) < 1e-9 && rates[1000] == 0)
    #expect(plan.fraction(step: 2000, elapsed: 0) == 1)
  }

  @Test func damagedRecordsAreNoPlan() throws {
    let plan = try plan(1000)
    for (key, _) in plan.record {
      let without = TrainingPlan(
        JSON.object(plan.record.filter { $0.key != key }).value, shape: plan.shape)
      // Older checkpoints do without these.
      if ["schedule", "beta2"].contains(key) {
        #expect(without?.schedule == .cosine || without?.beta2 == 0.999)
      } else {
        #expect(without == nil, "\(key)")
      }
      for value in [JSON.null, .string("x"), .number("-1"), .number("1e300"), .number("0.5")] {
        let allowed =
          value == .number("0.5")
          && ["dropout", "learning_rate", "beta2", "weight_decay", "clip", "seconds"].contains(key)
        var record = plan.record
        record[record.firstIndex { $0.key == key }!].value = value
        #expect(
          (TrainingPlan(JSON.object(record).value, shape: plan.shape) != nil) == allowed,
          "\(key) \(value)")
      }
    }
  }
}
