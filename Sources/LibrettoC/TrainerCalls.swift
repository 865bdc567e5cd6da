import CLibretto
import GRU
import Libretto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a `retto_trainer` points to.
final class TrainerHandle: GuardedHandle {
  let trainer: Trainer
  /// Whether the host's progress callback is being called, from where some calls are allowed.
  var isInCallback = false
  /// For `retto_trainer_get_options`, which names what may change once: encodings, and a path.
  private var encodings: [String: UnsafeMutablePointer<CChar>] = [:]
  private var path: UnsafeMutablePointer<CChar>?

  init(_ trainer: Trainer) { self.trainer = trainer }

  deinit {
    for (_, name) in encodings { free(name) }
    free(path)
  }

  /// The name of an encoding, for as long as this lives.
  func encoding(_ name: String) -> UnsafePointer<CChar>? {
    if encodings[name] == nil { encodings[name] = strdup(name) }
    return encodings[name].map { UnsafePointer($0) }
  }

  func checkpointPath(_ name: String) -> UnsafePointer<CChar>? {
    if path == nil { path = strdup(name) }
    return path.map { UnsafePointer($0) }
  }
}

/// Runs a body on the trainer of a handle; `nested` says whether a progress callback may do so too.
private func withTrainer(
  _ handle: OpaquePointer?, nested: Bool = false,
  _ body: (TrainerHandle) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  let pointer = UnsafeRawPointer(try require(handle, "the trainer"))
  let handle = Unmanaged<TrainerHandle>.fromOpaque(pointer).takeUnretainedValue()
  if nested && handle.gate.isMine && handle.isInCallback { return try body(handle) }
  try handle.gate.enter("this trainer")
  defer { handle.gate.leave() }
  try body(handle)
}

/// Reads a host's options.
private func options(_ pointer: UnsafePointer<retto_trainer_options>?) throws(LibrettoError)
  -> TrainingOptions
{
  var options = TrainingOptions()
  guard let pointer else { return options }
  let given = try structure(pointer, "the trainer's options")
  try checkReserved(given.reserved, "the trainer's options")
  if given.encoding != nil { options.encoding = try string(given.encoding, "the encoding") }
  options.stepsPerQuarter = Int(given.steps_per_quarter)
  options.augment = given.augment == 0 ? nil : given.augment > 0
  options.embedding = Int(given.embedding)
  options.hidden = Int(given.hidden)
  options.layers = Int(given.layers)
  options.batch = Int(given.batch)
  options.sequence = Int(given.sequence)
  options.threads = Int(given.threads)
  // Any number below 0 means: choose.
  options.dropout = given.dropout < 0 ? -1 : given.dropout
  options.learningRate = given.learning_rate
  options.weightDecay = given.weight_decay < 0 ? -1 : given.weight_decay
  options.clip = given.clip
  options.epochs = given.epochs
  options.steps = Int(given.steps)
  options.minutes = given.minutes
  options.validationFraction = given.validation < 0 ? -1 : given.validation
  options.patience = given.patience < 0 ? -1 : Int(given.patience)
  options.seed = given.seed
  if given.checkpoint_path != nil {
    options.checkpointPath = try string(given.checkpoint_path, "the checkpoint path")
  }
  options.checkpointSeconds = given.checkpoint_seconds
  options.precision = try Precision(given.precision)
  options.documents = given.documents == 0 ? nil : given.documents > 0
  return options
}

/// Options as a host gave them, or as they were chosen.
private func options(_ options: TrainingOptions, of handle: TrainerHandle) -> retto_trainer_options
{
  var result = retto_trainer_options.initial
  result.encoding = options.encoding.flatMap { handle.encoding($0) }
  result.steps_per_quarter = Int32(options.stepsPerQuarter)
  result.augment = options.augment.map { $0 ? 1 : -1 } ?? 0
  result.embedding = Int32(options.embedding)
  result.hidden = Int32(options.hidden)
  result.layers = Int32(options.layers)
  result.batch = Int32(options.batch)
  result.sequence = Int32(options.sequence)
  result.threads = Int32(options.threads)
  result.dropout = options.dropout
  result.learning_rate = options.learningRate
  result.weight_decay = options.weightDecay
  result.clip = options.clip
  result.epochs = options.epochs
  result.steps = Int64(options.steps)
  result.minutes = options.minutes
  result.validation = options.validationFraction
  result.patience = Int32(options.patience)
  result.seed = options.seed
  result.checkpoint_path = options.checkpointPath.flatMap { handle.checkpointPath($0) }
  result.checkpoint_seconds = options.checkpointSeconds
  result.precision = retto_precision(UInt32(options.precision.rawValue))
  result.documents = options.documents.map { $0 ? 1 : -1 } ?? 0
  return result
}

private func held(_ role: retto_role) throws(LibrettoError) -> Bool {
  switch role {
  case RETTO_TRAINING: return false
  case RETTO_VALIDATION: return true
  default:
    throw LibrettoError(
      .argument, "the role is \(role.rawValue); it must be RETTO_TRAINING or RETTO_VALIDATION")
  }
}

extension retto_progress {
  init(_ p: Progress) {
    self.init(
      size: MemoryLayout<retto_progress>.size, step: Int64(p.step),
      total_steps: Int64(p.totalSteps), epoch: p.epoch, fraction: p.fraction, loss: p.loss,
      validation_loss: p.validationLoss, best_validation_loss: p.bestValidationLoss,
      bits_per_character: p.bitsPerCharacter, learning_rate: p.learningRate,
      gradient_norm: p.gradientNorm, tokens_per_second: p.tokensPerSecond,
      seconds_elapsed: p.elapsedSeconds, seconds_left: p.secondsLeft,
      measured: p.measured ? 1 : 0, end: retto_end(UInt32(p.end.rawValue)),
      checkpoint_status: retto_status(p.checkpointFailure?.kind.rawValue ?? 0), reserved: 0)
  }
}

/// Hands progress to the host, if it asked for it.
private func write(_ p: Progress, to progress: UnsafeMutablePointer<retto_progress>?)
  throws(LibrettoError)
{
  guard let progress else { return }
  try write(retto_progress(p), to: progress, "the progress")
}

@c @implementation public func retto_trainer_create(
  _ settings: UnsafePointer<retto_trainer_options>!,
  _ trainer: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(trainer, "the pointer for the trainer") { () throws(LibrettoError) in
    TrainerHandle(try Trainer(try options(settings)))
  }
}

@c @implementation public func retto_trainer_create_from(
  _ model: OpaquePointer!, _ settings: UnsafePointer<retto_trainer_options>!,
  _ trainer: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(trainer, "the pointer for the trainer") { () throws(LibrettoError) in
    let options = try options(settings)
    var made: TrainerHandle?
    try withModel(model) { (handle) throws(LibrettoError) in
      made = TrainerHandle(try Trainer(options, from: handle.model))
    }
    return made!
  }
}

@c @implementation public func retto_trainer_resume(
  _ path: UnsafePointer<CChar>!, _ settings: UnsafePointer<retto_trainer_options>!,
  _ trainer: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(trainer, "the pointer for the trainer") { () throws(LibrettoError) in
    TrainerHandle(
      try Trainer(resume: try string(path, "the path"), try options(settings)))
  }
}

@c @implementation public func retto_trainer_resume_memory(
  _ data: UnsafeRawPointer!, _ length: Int, _ settings: UnsafePointer<retto_trainer_options>!,
  _ trainer: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(trainer, "the pointer for the trainer") { () throws(LibrettoError) in
    TrainerHandle(
      try Trainer(
        resume: try bytes(try require(data, "the data"), length, "the data"), name: "the data",
        try options(settings)))
  }
}

@c @implementation public func retto_trainer_free(_ trainer: OpaquePointer!) {
  release(trainer, "this trainer")
}

@c @implementation public func retto_trainer_add_file(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(file: try string(path, "the path"), validation: try held(role))
    }
  }
}

@c @implementation public func retto_trainer_add_text(
  _ trainer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(
        text: try bytes(text, length, "the text"), validation: try held(role))
    }
  }
}

@c @implementation public func retto_trainer_add_midi(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(midi: try string(path, "the path"), validation: try held(role))
    }
  }
}

@c @implementation public func retto_trainer_add_midi_memory(
  _ trainer: OpaquePointer!, _ data: UnsafeRawPointer!, _ length: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(
        midi: try bytes(data, length, "the data"), validation: try held(role))
    }
  }
}

@c @implementation public func retto_trainer_prepare(_ trainer: OpaquePointer!) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in try handle.trainer.prepare() }
  }
}

@c @implementation public func retto_trainer_get_options(
  _ trainer: OpaquePointer!, _ result: UnsafeMutablePointer<retto_trainer_options>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer, nested: true) { (handle) throws(LibrettoError) in
      try write(
        options(handle.trainer.chosenOptions, of: handle),
        to: try require(result, "the options"), "the trainer's options")
    }
  }
}

@c @implementation public func retto_trainer_get_progress(
  _ trainer: OpaquePointer!, _ progress: UnsafeMutablePointer<retto_progress>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer, nested: true) { (handle) throws(LibrettoError) in
      try write(handle.trainer.progress, to: try require(progress, "the progress"))
    }
  }
}

@c @implementation public func retto_trainer_step(
  _ trainer: OpaquePointer!, _ progress: UnsafeMutablePointer<retto_progress>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      // The struct is checked before the step, not after it.
      try write(handle.trainer.progress, to: progress)
      try write(try handle.trainer.step(), to: progress)
    }
  }
}

@c @implementation public func retto_trainer_run(
  _ trainer: OpaquePointer!, _ callback: retto_progress_callback!,
  _ user: UnsafeMutableRawPointer!, _ progress: UnsafeMutablePointer<retto_progress>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try write(handle.trainer.progress, to: progress)
      let callback: retto_progress_callback? = callback
      let end = try handle.trainer.run { now in
        guard let callback else { return true }
        keepFailure(of: now)
        var value = retto_progress(now)
        handle.isInCallback = true
        defer { handle.isInCallback = false }
        return callback(user, &value) == 0
      }
      keepFailure(of: end)
      try write(end, to: progress)
    }
  }
}

/// Lets `retto_last_error` tell why a checkpoint could not be saved.
private func keepFailure(of progress: Progress) {
  guard let failure = progress.checkpointFailure else { return }
  _ = call { () throws(LibrettoError) in throw failure }
}

@c @implementation public func retto_trainer_stop(_ trainer: OpaquePointer!) -> retto_status {
  call { () throws(LibrettoError) in
    let pointer = UnsafeRawPointer(try require(trainer, "the trainer"))
    Unmanaged<TrainerHandle>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.trainer.stop() }
  }
}

@c @implementation public func retto_trainer_save_checkpoint(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer, nested: true) { (handle) throws(LibrettoError) in
      try handle.trainer.save(checkpoint: try string(path, "the path"))
    }
  }
}

@c @implementation public func retto_trainer_save_checkpoint_memory(
  _ trainer: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer, nested: true) { (handle) throws(LibrettoError) in
      try write(
        try handle.trainer.checkpointImage(), to: buffer, capacity, size,
        "the buffer for the checkpoint")
    }
  }
}

@c @implementation public func retto_trainer_model(
  _ trainer: OpaquePointer!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(model, "the pointer for the model") { () throws(LibrettoError) in
    var made: ModelHandle?
    try withTrainer(trainer, nested: true) { (handle) throws(LibrettoError) in
      made = ModelHandle(try handle.trainer.model())
    }
    return made!
  }
}
