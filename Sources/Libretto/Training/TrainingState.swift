import Memory

/// The one state a run is in.
public enum RunState: Int32, Sendable, CaseIterable {
  /// It goes on.
  case running = 0
  /// The steps, epochs or minutes asked for are done.
  case finished = 1
  /// The validation loss has not improved for long.
  case early = 2
  /// The host stopped it; it can go on.
  case stopped = 3
  /// The loss is no longer a number, or has grown far beyond what it was. The last good weights are kept;
  /// the run cannot go on.
  case diverged = 4
  /// No step was made yet.
  case fresh = 5

  /// Whether steps are left to be made.
  public var goesOn: Bool { self == .running || self == .fresh }

  /// The name in a checkpoint.
  var name: String {
    switch self {
    case .running: "running"
    case .finished: "finished"
    case .early: "early"
    case .stopped: "stopped"
    case .diverged: "diverged"
    case .fresh: "fresh"
    }
  }

  init?(name: String) {
    guard let named = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = named
  }
}

/// What changes while a run goes on, beside the network.
struct TrainingState {
  var run = RunState.fresh
  var step = 0
  var elapsed = 0.0
  /// The loss of the first step, and a mean over about the last 50.
  var first = Double.nan
  var smoothed = Double.nan
  /// Of the validation part: the last and the best loss, and measurements since the best.
  var validation = Double.nan
  var best = Double.nan
  var sinceBest = 0
  /// The training loss at the best one.
  var trainingAtBest = Double.nan
  /// The step whose weights were measured last; a measurement that was stopped is made up for.
  var measured = 0
  /// Without a validation loss: the step whose weights are kept in case training diverges, and the
  /// loss then.
  var kept = (step: 0, loss: Double.nan)
  /// The part of what the plan has that the run takes: below 1 if it was to end sooner.
  var length = 1.0
  /// Where the cool-down begins, of what the run takes.
  var coolDownStart = LearningRateSchedule.coolDownStart
  /// For the host that resumes: where the material came from, and how much is for validation.
  var files = FileList()
  var validationFraction = 0.0

  /// Takes note of the loss of the step numbered `step`.
  mutating func note(_ loss: Double) {
    if first.isNaN { first = loss }
    let weight = max(0.02, 1 / Double(step + 1))
    smoothed = smoothed.isNaN ? loss : smoothed + weight * (loss - smoothed)
  }

  var hasGrownTooFar: Bool { smoothed > max(3 * first, 20) }

  /// How much of the run is over, from 0 to 1.
  func fraction(of plan: TrainingPlan) -> Double {
    min(1, plan.fraction(step: step, elapsed: elapsed) / length)
  }

  /// A network whose validation loss stalls at the highest rate learns nothing more there: the cool-down, which still
  /// lowers the loss, begins at once. If the training loss goes on falling meanwhile, the network overfits, and the
  /// cool-down takes only as long as it would in a run that was planned so short; else the rate is too high to learn
  /// more, and the cool-down takes all the time that is left.
  mutating func coolDownIfStalled(_ plan: TrainingPlan) {
    let done = fraction(of: plan)
    // The longer it has learned, the longer it may take to learn more. It does not wait until the run would end.
    let usual = max(2, plan.patience / 3, step / (8 * plan.validationInterval))
    guard plan.schedule == .coolDown, plan.patience > 0,
      sinceBest >= min(usual, max(2, plan.patience - 1)), length == 1, done > 0,
      done < coolDownStart
    else { return }
    if smoothed >= 0.99 * trainingAtBest {
      coolDownStart = done
    } else {
      length = done / LearningRateSchedule.coolDownStart
    }
    sinceBest = 0
  }

  /// The state the numbers lead to. It stays what it was, stopped for one, where they say nothing else.
  func settled(_ plan: TrainingPlan) -> RunState {
    if run == .diverged { return .diverged }
    if fraction(of: plan) >= 1 { return .finished }
    if plan.patience > 0 && sinceBest >= plan.patience { return .early }
    if run == .stopped { return .stopped }
    return step == 0 ? .fresh : .running
  }

  /// Why a run that diverged did, and what to do.
  var divergence: LibrettoError {
    let what =
      hasGrownTooFar
      ? "the loss has grown to \(smoothed)" : "the loss or the gradient is no longer a number"
    let kept =
      best.isNaN ? "the weights of step \(kept.step) are kept" : "the best weights are kept"
    return LibrettoError(
      .diverged,
      "training diverged at step \(step + 1): \(what); \(kept); start a new run with a lower learning rate"
    )
  }
}

// MARK: - As JSON

extension TrainingState {
  var record: [(key: String, value: JSON)] {
    [
      ("state", .string(run.name)), ("step", .number(step)), ("elapsed", .number(elapsed)),
      ("first_loss", .number(first)), ("loss", .number(smoothed)),
      ("validation_loss", .number(validation)), ("best_validation_loss", .number(best)),
      ("since_best", .number(sinceBest)), ("measured_step", .number(measured)),
      ("length", .number(length)), ("cool_down_start", .number(coolDownStart)),
      ("loss_at_best", .number(trainingAtBest)),
      ("kept_step", .number(kept.step)), ("kept_loss", .number(kept.loss)),
      ("held_out", .number(validationFraction)),
    ]
  }

  /// nil if something is missing or out of range; `files` are not in it. Checkpoints of before 0.1 have
  /// no state, measured and kept step.
  init?(_ json: JSONValue) {
    func whole(_ key: String, _ range: ClosedRange<Int>, missing: Int? = nil) -> Int? {
      guard let value = json[key] else { return missing }
      return value.integer.flatMap { range.contains($0) ? $0 : nil }
    }
    /// A loss, or not a number where null stands.
    func loss(_ key: String, missing: Double? = nil) -> Double? {
      guard let value = json[key] else { return missing }
      if value.kind == .null { return .nan }
      return value.double.flatMap { $0 >= 0 && $0.isFinite ? $0 : nil }
    }
    func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
      json[key]?.double.flatMap { range.contains($0) ? $0 : nil }
    }
    guard let step = whole("step", 0...TrainingPlan.mostSteps),
      let elapsed = number("elapsed", 0...1e12), let first = loss("first_loss"),
      let smoothed = loss("loss"), let validation = loss("validation_loss"),
      let best = loss("best_validation_loss"), let sinceBest = whole("since_best", 0...step),
      let measured = whole("measured_step", 0...step, missing: step),
      let length = json["length"] == nil ? 1 : number("length", 1e-12...1),
      let coolDownStart = json["cool_down_start"] == nil
        ? LearningRateSchedule.coolDownStart : number("cool_down_start", 1e-12...0.5),
      let trainingAtBest = loss("loss_at_best", missing: .nan),
      let keptStep = whole("kept_step", 0...step, missing: step),
      let keptLoss = loss("kept_loss", missing: .nan),
      let fraction = number("held_out", 0...0.9)
    else { return nil }
    if let state = json["state"] {
      guard let run = state.string.flatMap(RunState.init(name:)) else { return nil }
      self.run = run
    } else {
      run = step == 0 ? .fresh : .running
    }
    self.step = step
    self.elapsed = elapsed
    self.first = first
    self.smoothed = smoothed
    self.validation = validation
    self.best = best
    self.sinceBest = sinceBest
    self.measured = measured
    self.length = length
    self.coolDownStart = coolDownStart
    self.trainingAtBest = trainingAtBest
    kept = (keptStep, keptLoss)
    validationFraction = fraction
  }
}
