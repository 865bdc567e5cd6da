import CLibretto
import Libretto

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
