import GRU
import Memory
import Sequences

/// A checkpoint: a model file, which holds the best weights, with these besides:
///
/// | tensor | what |
/// |---|---|
/// | `training.parameters` | the current weights, all in one, in the layout of `ParameterLayout` |
/// | `training.first_moment`, `training.second_moment` | Adam's, in the same layout |
/// | `training.state` | the carried hidden states, `[layers][batch][padded hidden]` |
/// | `training.files` | a `FileList` of the material |
/// | `training.history` | a `LossHistory` as JSON |
///
/// and the plan, the run's state and the corpus' fingerprint as JSON under the key `checkpoint`. Of a run
/// that diverged there are only the weights that were kept: it has no current ones.
///
/// All of it is in memory: the file may change or go.
struct Checkpoint {
  let plan: TrainingPlan
  let state: TrainingState
  let encoding: any Encoding
  let sides: Sides
  let fingerprint: UInt64
  let best: FloatBuffer
  /// nil in checkpoints of before 0.1.
  let history: LossHistory?
  /// nil if the run diverged.
  private let current: Current?

  /// What a learner goes on from.
  private struct Current {
    let parameters, firstMoment, secondMoment, state: FloatBuffer

    var named: [(name: String, buffer: FloatBuffer)] {
      [
        ("parameters", parameters), ("first_moment", firstMoment), ("second_moment", secondMoment),
        ("state", state),
      ]
    }

    /// What no run can reach is refused: one step from there could give weights that no model may have.
    func validate(_ name: String) throws(LibrettoError) {
      func expect(
        _ tensor: String, _ buffer: FloatBuffer, _ expected: String, _ holds: (Int) -> Bool
      ) throws(LibrettoError) {
        for i in 0..<buffer.count where !holds(i) {
          throw LibrettoError(
            .format,
            "\(name): tensor \"training.\(tensor)\" has \(buffer.pointer[i]) at place \(i); expected \(expected)"
          )
        }
      }
      let (first, second) = (firstMoment.pointer, secondMoment.pointer)
      try expect("parameters", parameters, "at most \(SafeTensors.largestWeight)") {
        abs(parameters.pointer[$0]) <= SafeTensors.largestWeight
      }
      try expect("second_moment", secondMoment, "a number of at least 0") { second[$0] >= 0 }
      // By Cauchy and Schwarz the first is at most 7.3 times the root of the second; what is smaller than
      // Adam's epsilon does nothing, and may be lost.
      try expect("first_moment", firstMoment, "at most 10 times the root of the second moment") {
        abs(first[$0]) <= 10 * second[$0].squareRoot() + 1e-8
      }
      try expect("state", state, "a number from -1 to 1") { abs(state.pointer[$0]) <= 1 }
    }
  }

  init(_ path: String) throws(LibrettoError) {
    try self.init(try InputFile(path), name: path)
  }

  /// - `name`: what errors call the source.
  init(_ source: any ByteSource, name: String) throws(LibrettoError) {
    let file = try SafeTensors(source, name: name)
    let header = try ModelHeader(file)
    encoding = header.encoding
    sides = header.sides
    guard let text = file.metadata?["checkpoint"], text.isString else {
      throw LibrettoError(
        .format,
        "\(name) is a model, not a checkpoint; to train on from its weights, start a new run from it"
      )
    }
    let damaged = LibrettoError(.format, "\(name): its training record is damaged")
    let record = GrowableBuffer<UInt8>()
    try allocating { () throws(OutOfMemory) in try text.append(to: record) }
    let json: JSONValue
    do { json = try JSONDocument(record).root } catch {
      if case .outOfMemory(let error) = error { throw LibrettoError(error) }
      throw damaged
    }
    guard let plan = TrainingPlan(json, shape: header.shape), var state = TrainingState(json),
      let fingerprint = json["corpus"]?.string.flatMap({ UInt64($0, radix: 16) }),
      let files = try Self.files(file, json)
    else { throw damaged }
    if let text = try file.bytes("training.history") {
      guard let document = try? JSONDocument(text), let kept = try LossHistory(document.root) else {
        throw damaged
      }
      history = kept
    } else {
      history = nil
    }
    state.files = files
    self.plan = plan
    self.state = state
    self.fingerprint = fingerprint
    let layout = ParameterLayout(plan.shape)
    best = try file.parameters(layout, sides)
    guard state.run != .diverged else {
      current = nil
      return
    }
    let current = Current(
      parameters: try file.floats("training.parameters", layout.count),
      firstMoment: try file.floats("training.first_moment", layout.count),
      secondMoment: try file.floats("training.second_moment", layout.count),
      state: try file.floats("training.state", plan.batch * plan.shape.stateCount))
    for buffer in [current.parameters, current.firstMoment, current.secondMoment] {
      layout.clearPadding(of: buffer)
    }
    try current.validate(name)
    self.current = current
  }

  /// nil if the list is damaged. Checkpoints of before 0.1 have it in the record.
  private static func files(_ file: SafeTensors, _ json: JSONValue) throws(LibrettoError)
    -> FileList?
  {
    if let bytes = try file.bytes("training.files") { return FileList(bytes) }
    guard let entries = json["files"]?.array else { return nil }
    var list = FileList()
    for entry in entries {
      guard let path = entry["path"]?.string else { return nil }
      try list.add(
        MaterialFile(path: path, validation: entry["validation"]?.bool ?? false, kind: nil))
    }
    return list
  }

  /// Puts the saved weights and states back.
  func load(into learner: Learner) {
    learner.updates = state.step
    guard let current else { return learner.parameters.copy(from: best) }
    learner.parameters.copy(from: current.parameters)
    learner.firstMoment.copy(from: current.firstMoment)
    learner.secondMoment.copy(from: current.secondMoment)
    learner.state.copy(from: current.state)
  }

  /// The file of a run's checkpoint, to be written.
  static func image(
    plan: TrainingPlan, state: TrainingState, encoding: any Encoding, sides: Sides,
    facts: [String: String],
    fingerprint: UInt64, history: LossHistory, learner: Learner, best: FloatBuffer
  ) throws(LibrettoError) -> SafeTensorsImage {
    let header = ModelHeader(shape: plan.shape, encoding: encoding, sides: sides, facts: facts)
    let losses = try history.text()
    let current = Current(
      parameters: learner.parameters, firstMoment: learner.firstMoment,
      secondMoment: learner.secondMoment, state: learner.state)
    return try SafeTensorsImage(
      metadata: { (writer) throws(OutOfMemory) in
        try header.write(to: &writer)
        var record = JSONWriter()
        let members = [("corpus", JSON.string(String(fingerprint, radix: 16)))]
        try JSON.object(members + plan.record + state.record).write(to: &record)
        try writer.name("checkpoint")
        try writer.string(record.text)
      },
      { (visit) throws(LibrettoError) in
        for tensor in learner.layout.tensors {
          try visit(
            SafeTensorsImage.Entry(
              name: sides.name(of: tensor), dimensions: tensor.dimensions,
              bytes: best.pointer + tensor.offset))
        }
        if state.run != .diverged {
          for (name, buffer) in current.named {
            try visit(
              SafeTensorsImage.Entry(
                name: "training.\(name)", dimensions: [buffer.count], bytes: buffer.pointer))
          }
        }
        for (name, bytes) in [("files", state.files.bytes), ("history", losses)] {
          try visit(
            SafeTensorsImage.Entry(
              name: "training.\(name)", dimensions: [bytes.count], type: .uint8,
              bytes: bytes.base.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(best.pointer)))
        }
      })
  }
}

// MARK: - As JSON

extension TrainingPlan {
  var record: [(key: String, value: JSON)] {
    [
      ("batch", .number(batch)), ("sequence", .number(sequence)), ("dropout", .number(dropout)),
      ("learning_rate", .number(learningRate)),
      ("schedule", .string(schedule.rawValue)), ("beta2", .number(beta2)),
      ("weight_decay", .number(weightDecay)),
      ("clip", .number(clip)), ("seed", .string(String(seed))), ("threads", .number(threads)),
      ("total_steps", .number(totalSteps)), ("seconds", .number(seconds)),
      ("validation_interval", .number(validationInterval)), ("patience", .number(patience)),
      ("augment", .bool(augment)), ("precision", .string(precision.name)),
    ]
  }

  /// nil if something is missing or out of range. Older checkpoints name no schedule and no beta2.
  init?(_ json: JSONValue, shape: NetworkShape) {
    func whole(_ key: String, _ range: ClosedRange<Int>) -> Int? {
      json[key]?.integer.flatMap { range.contains($0) ? $0 : nil }
    }
    func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
      json[key]?.double.flatMap { range.contains($0) ? $0 : nil }
    }
    guard let batch = whole("batch", 1...4096), let sequence = whole("sequence", 1...65_536),
      batch * sequence <= 1 << 24, let dropout = number("dropout", 0...0.95),
      let learningRate = number("learning_rate", 0...10),
      let schedule = json["schedule"].map({ $0.string.flatMap(LearningRateSchedule.init) })
        ?? .cosine,
      let beta2 = json["beta2"] == nil ? 0.999 : number("beta2", 0...0.999999),
      let weightDecay = number("weight_decay", 0...10), let clip = number("clip", 0...1e9),
      let seed = json["seed"]?.string.flatMap({ UInt64($0) }),
      let threads = whole("threads", 1...256),
      let totalSteps = whole("total_steps", 0...Self.mostSteps),
      let seconds = number("seconds", 0...1e9),
      let validationInterval = whole("validation_interval", 1...1_000_000_000),
      let patience = whole("patience", 0...1_000_000), let augment = json["augment"]?.bool,
      let precision = json["precision"]?.string.flatMap({ Precision(name: $0) }), precision != .int8
    else { return nil }
    self.shape = shape
    self.batch = batch
    self.sequence = sequence
    self.dropout = dropout
    self.learningRate = learningRate
    self.schedule = schedule
    self.beta2 = beta2
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
    if options.epochs != nil || options.steps != nil || options.minutes != nil {
      plan.totalSteps = options.steps ?? 0
      plan.seconds = (options.minutes ?? 0) * 60
      if let epochs = options.epochs {
        let perEpoch = corpus.batchesPerEpoch(batch: batch, sequence: sequence)
        let steps = Self.steps(epochs: epochs, of: perEpoch)
        plan.totalSteps = plan.totalSteps > 0 ? min(plan.totalSteps, steps) : steps
      }
    }
    if let patience = options.patience { plan.patience = patience }
    if let threads = options.threads { plan.threads = threads }
    return plan
  }
}
