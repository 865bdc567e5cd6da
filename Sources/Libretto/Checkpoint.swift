import GRU
import Sequences

/// What changes while a run goes on, beside the network.
struct TrainingState {
  var step = 0
  var elapsed = 0.0
  /// The loss of the first step, and a mean over about the last 50.
  var first = Double.nan
  var smoothed = Double.nan
  /// Of the held-out part: the last and the best loss, and measurements since the best.
  var validation = Double.nan
  var best = Double.nan
  var sinceBest = 0
  var end = Progress.End.none
  /// For the host that resumes: where the material came from, and how much was held out.
  var files: [MaterialFile] = []
  var validationFraction = 0.0
  var history = LossHistory()

  /// Takes note of the loss of the step numbered `step`.
  mutating func note(_ loss: Double) {
    if first.isNaN { first = loss }
    let weight = max(0.02, 1 / Double(step + 1))
    smoothed = smoothed.isNaN ? loss : smoothed + weight * (loss - smoothed)
  }

  func hasReachedEnd(of plan: TrainingPlan) -> Bool {
    plan.fraction(step: step, elapsed: elapsed) >= 1
  }

  func hasLostPatience(of plan: TrainingPlan) -> Bool {
    plan.patience > 0 && sinceBest >= plan.patience
  }
}

/// A checkpoint: a model file, which holds the best weights, with these besides:
///
/// | tensor | what |
/// |---|---|
/// | `training.parameters` | the current weights, all in one, in the layout of `ParameterLayout` |
/// | `training.first_moment`, `training.second_moment` | Adam's, in the same layout |
/// | `training.state` | the carried hidden states, `[layers][streams][padded hidden]` |
///
/// and the plan, the counters and the corpus' fingerprint as JSON under the key `checkpoint`.
struct Checkpoint {
  let plan: TrainingPlan
  let state: TrainingState
  let encoding: any Encoding
  let fingerprint: UInt64
  private let file: FileContents
  private let tensors: SafeTensors
  private let path: String

  var files: [MaterialFile] { state.files }
  var validationFraction: Double { state.validationFraction }

  init(_ path: String) throws(LibrettoError) {
    self.path = path
    file = try FileContents(path)
    tensors = try SafeTensors(file.bytes, name: path)
    let header = try ModelHeader(tensors.metadata, name: path)
    encoding = header.encoding
    guard let text = tensors.metadata["checkpoint"] else {
      throw LibrettoError(
        .format,
        "\(path) is a model, not a checkpoint; to train on from its weights, start a new run from it"
      )
    }
    guard let json = try? JSON.parse(text), let plan = TrainingPlan(json, shape: header.shape),
      let state = TrainingState(json),
      let fingerprint = json["corpus"]?.string.flatMap({ UInt64($0, radix: 16) })
    else { throw LibrettoError(.format, "\(path): its training record is damaged") }
    self.plan = plan
    self.state = state
    self.fingerprint = fingerprint
  }

  /// Puts the saved weights and states back.
  func load(into learner: Learner, best: FloatBuffer) throws(LibrettoError) {
    for (name, buffer) in [
      ("parameters", learner.parameters), ("first_moment", learner.firstMoment),
      ("second_moment", learner.secondMoment), ("state", learner.state),
    ] {
      try tensors.floats("training.\(name)", [buffer.count], into: buffer.pointer, file: path)
    }
    for tensor in learner.layout.tensors {
      try tensors.floats(
        tensor.name, tensor.dimensions, into: best.pointer + tensor.offset, file: path)
    }
    learner.updates = state.step
  }

  static func save(
    _ path: String, plan: TrainingPlan, state: TrainingState, encoding: any Encoding,
    facts: [String: String], fingerprint: UInt64, learner: Learner, best: FloatBuffer
  ) throws(LibrettoError) {
    var metadata = ModelHeader(shape: plan.shape, encoding: encoding, facts: facts).metadata
    let record: [(key: String, value: JSON)] =
      [("corpus", .string(String(fingerprint, radix: 16)))] + plan.record + state.record
    metadata.append(("checkpoint", JSON.object(record).text))
    var entries = Model.entries(learner.layout, best)
    for (name, buffer) in [
      ("parameters", learner.parameters), ("first_moment", learner.firstMoment),
      ("second_moment", learner.secondMoment), ("state", learner.state),
    ] {
      entries.append(
        SafeTensors.Entry(
          name: "training.\(name)", dimensions: [buffer.count], floats: buffer.pointer))
    }
    try SafeTensors.write(path, metadata: metadata, entries)
  }
}

// MARK: - As JSON

extension TrainingPlan {
  var record: [(key: String, value: JSON)] {
    [
      ("batch", .number(batch)), ("sequence", .number(sequence)), ("dropout", .number(dropout)),
      ("learning_rate", .number(learningRate)), ("weight_decay", .number(weightDecay)),
      ("clip", .number(clip)), ("seed", .string(String(seed))), ("threads", .number(threads)),
      ("total_steps", .number(totalSteps)), ("seconds", .number(seconds)),
      ("validation_interval", .number(validationInterval)), ("patience", .number(patience)),
      ("augment", .bool(augment)), ("precision", .string(precision.name)),
    ]
  }

  /// nil if something is missing or out of range.
  init?(_ json: JSON, shape: NetworkShape) {
    func whole(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      json[key]?.integer.flatMap { range.contains($0) ? $0 : nil }
    }
    func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
      json[key]?.double.flatMap { range.contains($0) ? $0 : nil }
    }
    guard let batch = whole("batch", 1...4096), let sequence = whole("sequence", 1...65_536),
      batch * sequence <= 1 << 24, let dropout = number("dropout", 0...0.95),
      let learningRate = number("learning_rate", 0...10),
      let weightDecay = number("weight_decay", 0...10), let clip = number("clip", 0...1e9),
      let seed = json["seed"]?.string.flatMap({ UInt64($0) }),
      let threads = whole("threads", 1...256),
      let totalSteps = whole("total_steps", 0...Self.mostSteps),
      let seconds = number("seconds", 0...1e9),
      let validationInterval = whole("validation_interval", 1...1_000_000_000),
      let patience = whole("patience", 0...1_000_000), case .bool(let augment)? = json["augment"],
      let precision = json["precision"]?.string.flatMap({ Precision(name: $0) }), precision != .int8
    else { return nil }
    self.shape = shape
    self.batch = batch
    self.sequence = sequence
    self.dropout = dropout
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.clip = clip
    self.seed = seed
    self.threads = threads
    self.totalSteps = totalSteps
    self.seconds = seconds
    self.validationInterval = validationInterval
    self.patience = patience
    self.augment = augment
    self.precision = precision
  }

  /// The same plan with another end, where the options name one.
  func extended(by options: TrainingOptions, _ corpus: Corpus) -> TrainingPlan {
    var plan = self
    if options.epochs > 0 || options.steps > 0 || options.minutes > 0 {
      plan.totalSteps = options.steps
      plan.seconds = options.minutes * 60
      if options.epochs > 0 {
        let perEpoch = corpus.windowsPerEpoch(streams: batch, window: sequence)
        let steps = Self.steps(epochs: options.epochs, of: perEpoch)
        plan.totalSteps = plan.totalSteps > 0 ? min(plan.totalSteps, steps) : steps
      }
    }
    if options.patience != 0 { plan.patience = max(0, options.patience) }
    if options.threads > 0 { plan.threads = options.threads }
    return plan
  }
}

extension TrainingState {
  var record: [(key: String, value: JSON)] {
    [
      ("step", .number(step)), ("elapsed", .number(elapsed)), ("first_loss", .number(first)),
      ("loss", .number(smoothed)), ("validation_loss", .number(validation)),
      ("best_validation_loss", .number(best)), ("since_best", .number(sinceBest)),
      ("held_out", .number(validationFraction)),
      (
        "files",
        .array(
          files.map { file in
            let kind = file.kind?.optionName
            return .object(
              [("path", .string(file.path)), ("validation", .bool(file.validation))]
                + (kind.map { [("text", .string($0))] } ?? []))
          })
      ),
      ("history", history.record),
    ]
  }

  /// nil if something is missing or out of range.
  init?(_ json: JSON) {
    /// A number, or not a number where null stands.
    func number(_ key: String) -> Double? {
      json[key].flatMap { $0 == .null ? .nan : $0.double }
    }
    guard let step = json["step"]?.integer, step >= 0, step < 1 << 50,
      let elapsed = number("elapsed"), elapsed >= 0, let first = number("first_loss"),
      let smoothed = number("loss"), let validation = number("validation_loss"),
      let best = number("best_validation_loss"),
      let sinceBest = json["since_best"]?.integer, sinceBest >= 0,
      let fraction = number("held_out"), fraction >= 0, fraction <= 0.9,
      let files = json["files"]?.array
    else { return nil }
    self.step = step
    self.elapsed = elapsed
    self.first = first
    self.smoothed = smoothed
    self.validation = validation
    self.best = best
    self.sinceBest = sinceBest
    validationFraction = fraction
    // Checkpoints of earlier versions have none.
    if let record = json["history"] {
      guard let history = LossHistory(record) else { return nil }
      self.history = history
    }
    for file in files {
      guard let path = file["path"]?.string else { return nil }
      let kind = file["text"].map { $0.string.flatMap { TextKind(optionName: $0) } }
      // Not one this version does not know.
      if let kind, kind == nil { return nil }
      self.files.append(
        MaterialFile(path: path, validation: file["validation"] == .bool(true), kind: kind ?? nil))
    }
  }
}
