import Libretto

/// What `train` learns from, file by file.
extension Train {
  func makeTrainer(_ paths: TrainPaths) throws -> Trainer {
    var options = options
    options.checkpointPath = paths.checkpoint
    options.checkpointSeconds = checkpointEvery
    try refuseMusicOptions(paths)
    let (fraction, validFile) = try validation()
    options.validationFraction = fraction ?? -1
    let base = try from.map { try ModelFiles.read($0) }
    let trainer = try orFail { () throws(LibrettoError) -> Trainer in
      if let source = paths.source { return try Trainer(resume: source, options) }
      return try Trainer(options, from: base)
    }
    if paths.files.isEmpty {
      for file in trainer.expectedFiles {
        try paths.outputs.spare(file.path)
        try orFail { () throws(LibrettoError) in
          try add(file.path, to: trainer, validation: file.validation)
        }
      }
    }
    for file in paths.files { try addAll(file, to: trainer, validation: false) }
    if let validFile { try addAll(validFile, to: trainer, validation: true) }
    return trainer
  }

  /// Refuses what is for music, if all there is to learn from is text.
  private func refuseMusicOptions(_ paths: TrainPaths) throws {
    guard let file = paths.files.first,
      !(try paths.files.contains {
        try FileKind.isMIDI(Streams.file($0)) || FolderWalk.isFolder($0)
      })
    else { return }
    let given = [
      ("--steps-per-quarter", sizes.stepsPerQuarter != nil), ("--augment", sizes.augment != nil),
    ]
    if let (option, _) = given.first(where: \.1) {
      throw Failure("\(option) is for music; \(Streams.name(file)) is read as text", code: 64)
    }
  }

  /// Adds a file, or the MIDI files of a folder, of which those that cannot be read are skipped.
  private func addAll(_ path: String, to trainer: Trainer, validation: Bool) throws {
    guard FolderWalk.isFolder(path) else {
      if FileKind.isModel(try Streams.file(path)) {
        throw Failure(
          "\(Streams.name(path)) is a model, not a text: `libretto sample` lets it write, `--from` starts a run "
            + "from it, and `--resume` goes on with a checkpoint", code: 64)
      }
      if Streams.isStream(path) {
        return try add(stream: path, to: trainer, validation: validation)
      }
      return try orFail { () throws(LibrettoError) in
        try add(path, to: trainer, validation: validation)
      }
    }
    let files = try FolderWalk.wanted(path)
    var skipped: [String] = []
    for file in files {
      do throws(LibrettoError) {
        try trainer.add(midi: resolved(file), validation: validation)
      } catch {
        // What is wrong with the trainer is wrong with every file.
        if error.kind != .file && error.kind != .format && error.kind != .empty {
          throw Failure(error)
        }
        skipped.append(error.message)
      }
    }
    if !skipped.isEmpty {
      printError("libretto: \(skipped.count) of \(files.count) files in \(path) were left out:")
      for message in skipped.prefix(5) { printError("  " + message) }
      if skipped.count > 5 { printError("  and \(skipped.count - 5) more") }
    }
    if skipped.count == files.count {
      throw Failure("none of the files in \(path) can be learned from", code: 2)
    }
  }

  /// Adds a file by its full name: a checkpoint can then be resumed from anywhere.
  private func add(_ file: String, to trainer: Trainer, validation: Bool) throws(LibrettoError) {
    if FileKind.isMIDI(file) {
      try trainer.add(midi: resolved(file), validation: validation)
    } else {
      try trainer.add(file: resolved(file), validation: validation)
    }
  }

  /// Adds the bytes of a stream, which nobody can open again by its name.
  private func add(stream path: String, to trainer: Trainer, validation: Bool) throws {
    let copy = try Streams.file(path)
    try orFail { () throws(LibrettoError) in
      try FileContents.read(copy) { (bytes) throws(LibrettoError) in
        if FileKind.isMIDI(copy) {
          try trainer.add(midi: bytes, validation: validation)
        } else {
          try trainer.add(text: bytes, validation: validation)
        }
      }
    }
  }
}
