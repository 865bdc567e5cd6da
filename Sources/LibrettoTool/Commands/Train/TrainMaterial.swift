import Libretto
import Sequences

/// What `train` learns from, file by file.
extension Train {
  func makeTrainer(_ paths: TrainPaths) throws -> Trainer {
    var options = options
    options.checkpointPath = paths.checkpoint
    options.checkpointSeconds = checkpointEvery
    let (fraction, validFile) = try validation()
    options.validationFraction = fraction
    try refuseModels(paths.files + [validFile].compactMap { $0 })
    if joined { options.documents = false }
    if let problem = [("--lines", lines), ("--pairs", pairs), ("--label-from", labelFrom != nil)]
      .first(where: { $0.1 && joined })
    {
      throw Failure(
        "\(problem.0) makes documents, and --joined one long text; give one of them", code: 64)
    }
    if lines && pairs {
      throw Failure("each line is a pair already with --pairs; leave --lines out", code: 64)
    }
    if let source = paths.source {
      let trainer = try orFail { () throws(LibrettoError) in
        try Trainer(resume: source, options)
      }
      if paths.files.isEmpty {
        try addAgain(trainer, paths)
      } else if Encodings.kind(of: trainer.givenEncoding ?? "") == .series {
        try addSeries(paths.files, validFile, to: trainer)
      } else {
        var material = try material(paths.files, trainer.givenEncoding, trainer.expectedFiles)
        try refuseOptions(against: material)
        try add(&material, to: trainer, validation: false)
        try addValidation(validFile, to: trainer, like: material)
      }
      return trainer
    }
    let base = try from.map { try ModelFiles.read($0) }
    if SeriesInput.isMeant(
      paths.files, base?.encoding.name ?? sizes.encoding,
      asText: lines || pairs || joined || labelFrom != nil || textEncoding != nil)
    {
      options.encoding = options.encoding ?? SeriesEncoding.name
      let made = options
      let trainer = try orFail { () throws(LibrettoError) in try Trainer(made, from: base) }
      try addSeries(paths.files, validFile, to: trainer)
      return trainer
    }
    if let option = SeriesInput.given(self).first {
      throw Failure(
        "\(option) is for numbers, which a CSV file holds; to read others as such: --encoding series",
        code: 64)
    }
    var material = try material(paths.files, base?.encoding.name ?? sizes.encoding, [])
    try refuseOptions(against: material)
    if !joined && base == nil && material.kind == .text && material.isSeveral {
      options.documents = true
    }
    let made = options
    let trainer = try orFail { () throws(LibrettoError) in try Trainer(made, from: base) }
    try add(&material, to: trainer, validation: false)
    try addValidation(validFile, to: trainer, like: material)
    return trainer
  }

  private func refuseModels(_ paths: [String]) throws {
    for path in paths where !FolderWalk.isFolder(path) {
      guard FileKind.isModel(try Streams.file(path)) else { continue }
      throw Failure(
        "\(Streams.name(path)) is a model, not a text: `libretto sample` lets it write, `--from` starts a run "
          + "from it, and `--resume` goes on with a checkpoint", code: 64)
    }
  }

  private func material(_ paths: [String], _ encoding: String?, _ known: [MaterialFile]) throws
    -> Material
  {
    let kind = try Material.Kind(encoding: encoding)
    return try Material(
      paths, only: kind,
      because:
        "the encoding \(encoding ?? "") learns from \(kind == .music ? "MIDI files" : "text")",
      TextReading(
        textEncoding, encoding: encoding, bytesAdvice: "learn its bytes with --encoding bytes",
        known: known))
  }

  /// Refuses what is for music if all there is to learn from is text, and the other way round.
  private func refuseOptions(against material: Material) throws {
    let given =
      material.kind == .text
      ? [
        ("--steps-per-quarter", sizes.stepsPerQuarter != nil), ("--augment", sizes.augment != nil),
      ]
      : [
        ("--text-encoding", textEncoding != nil), ("--joined", joined), ("--lines", lines),
        ("--pairs", pairs),
      ]
    if let (option, _) = given.first(where: \.1), let file = material.files.first {
      let (what, kind) = material.kind == .text ? ("music", "text") : ("text", "MIDI")
      throw Failure(
        "\(option) is for \(what); \(Streams.name(file.path)) is read as \(kind)", code: 64)
    }
  }

  private func addValidation(_ path: String?, to trainer: Trainer, like material: Material) throws {
    guard let path else { return }
    var held = try Material(
      [path], only: material.kind,
      because: "the training material is \(material.kind == .music ? "MIDI files" : "text")",
      TextReading(
        textEncoding, encoding: trainer.givenEncoding ?? sizes.encoding,
        known: trainer.expectedFiles))
    try add(&held, to: trainer, validation: true)
  }

  /// Adds the files of a run that is resumed, as they were added before.
  private func addAgain(_ trainer: Trainer, _ paths: TrainPaths) throws {
    let kind = Encodings.kind(of: trainer.givenEncoding ?? "")
    for file in trainer.expectedFiles {
      try paths.outputs.spare(file.path)
      try orFail { () throws(LibrettoError) in
        try trainer.set(label: file.label)
        switch kind {
        case .music: try trainer.add(midi: file.path, validation: file.validation)
        case .series: try trainer.add(series: file.path, validation: file.validation)
        default:
          try trainer.add(
            file: file.path, kind: file.kind, pieces: file.pieces, validation: file.validation)
        }
      }
    }
  }

  /// Adds CSV files of numbers.
  private func addSeries(_ paths: [String], _ validation: String?, to trainer: Trainer) throws {
    for (option, isGiven) in [
      ("--text-encoding", textEncoding != nil), ("--joined", joined), ("--lines", lines),
      ("--pairs", pairs), ("--label-from", labelFrom != nil),
      ("--steps-per-quarter", sizes.stepsPerQuarter != nil), ("--augment", sizes.augment != nil),
    ] where isGiven {
      throw Failure(
        "\(option) is for text or music; \(Streams.name(paths[0])) is read as numbers", code: 64)
    }
    let chosen = SeriesInput.names(columns)
    for (path, isValidation) in paths.map({ ($0, false) })
      + [validation].compactMap({ $0 }).map({
        ($0, true)
      })
    {
      if FolderWalk.isFolder(path) {
        throw Failure("\(path) is a folder; numbers are learned from CSV files", code: 2)
      }
      guard Streams.isStream(path) else {
        try orFail { () throws(LibrettoError) in
          try trainer.add(series: resolved(path), columns: chosen, validation: isValidation)
        }
        continue
      }
      let table = try SeriesInput.read(path, columns: chosen)
      try orFail { () throws(LibrettoError) in
        try trainer.add(series: table, name: Streams.name(path), validation: isValidation)
      }
    }
  }

  /// Adds files by their full names, so that a checkpoint can be resumed from anywhere; of streams,
  /// which nobody can open again, the bytes.
  private func add(_ material: inout Material, to trainer: Trainer, validation: Bool) throws {
    let isMusic = material.kind == .music
    let pieces: TextPieces = pairs ? .pairs : lines ? .lines : .whole
    var unlabelled: [String] = []
    try material.use { (file) throws(LibrettoError) in
      if let labelFrom {
        let label = Streams.isStream(file.path) ? nil : labelFrom.label(of: file.path)
        if label == nil { unlabelled.append(file.path) }
        try trainer.set(label: label)
      }
      switch (isMusic, Streams.isStream(file.path)) {
      case (true, false): try trainer.add(midi: resolved(file.path), validation: validation)
      case (false, false):
        try trainer.add(
          file: resolved(file.path), kind: file.kind, pieces: pieces, validation: validation)
      case (true, true):
        try file.read { (bytes) throws(LibrettoError) in
          try trainer.add(midi: bytes, validation: validation)
        }
      case (false, true):
        try file.read { (bytes) throws(LibrettoError) in
          try trainer.add(text: bytes, pieces: pieces, validation: validation)
        }
      }
    }
    if let first = unlabelled.first {
      printError(
        "libretto: \(grouped(unlabelled.count)) of \(grouped(material.files.count)) files have no label, such as \(Streams.name(first)); they are learned without one"
      )
    }
  }
}
