import Libretto

/// The files of a training run, worked out from the command line.
struct TrainPaths {
  /// To learn from; empty where a resumed run names its own.
  private(set) var files: [String]
  let output: String
  /// nil where the model goes to standard output.
  let checkpoint: String?
  /// These two and the plot.
  let outputs: Outputs
  /// The checkpoint to resume from.
  let source: String?

  init(_ train: Train) throws {
    files = train.files
    if files.isEmpty && !train.resume {
      throw Failure(
        "name text files or MIDI files to learn from, or - for text from standard input", code: 64)
    }
    if train.resume && train.from != nil {
      throw Failure(
        "--resume continues a run and --from starts a new one; choose one of them", code: 64)
    }
    var resumed: String?
    if train.resume, let first = files.first, first != "-", FileKind.isModel(first) {
      resumed = first
      files.removeFirst()
    }
    if let output = train.output {
      self.output = output
    } else if let resumed {
      output = try Self.model(of: resumed)
    } else if let first = files.first, first != "-" {
      output = stem(first) + ModelFiles.ending
    } else {
      throw Failure("say where the model is to go with -o MODEL", code: 64)
    }
    checkpoint = output == "-" ? nil : ModelFiles.checkpoint(beside: output)
    outputs = try Outputs(
      [output] + [checkpoint].compactMap { $0 }, text: [train.plot].compactMap { $0 })
    guard train.resume else {
      source = nil
      return
    }
    guard let target = resumed ?? checkpoint else {
      throw Failure("name the checkpoint to resume as the first file", code: 64)
    }
    source = try Self.checkpoint(of: target)
  }

  /// The model that goes with what is resumed: itself, or the one beside the checkpoint.
  private static func model(of resumed: String) throws -> String {
    if resumed.hasSuffix(ModelFiles.checkpointEnding) {
      return resumed.dropLast(ModelFiles.checkpointEnding.count) + ModelFiles.ending
    }
    guard !Trainer.isCheckpoint(resumed) else {
      throw Failure("say where the model is to go with -o MODEL", code: 64)
    }
    return resumed
  }

  /// The checkpoint to go on with: what is named, or what lies beside the model that is named.
  private static func checkpoint(of resumed: String) throws -> String {
    if Trainer.isCheckpoint(resumed) { return resumed }
    let isNamedSo = resumed.hasSuffix(ModelFiles.checkpointEnding)
    // It says itself what is wrong with it.
    if isNamedSo && exists(resumed) { return resumed }
    let beside = isNamedSo ? resumed : ModelFiles.checkpoint(beside: resumed)
    guard !exists(beside) else { return beside }
    guard exists(resumed) else {
      throw Failure("there is no checkpoint to resume: \(beside) does not exist", code: 2)
    }
    throw Failure(
      "\(resumed) is a model without the checkpoint of its run, which would be \(beside); to start a new run from its weights: libretto train FILES --from \(shellFile(resumed)) -o NEW",
      code: 2)
  }

  /// Refuses names that say something else than is written there.
  func checkNames(_ train: Train) throws {
    try FileName.checkModel(output, "-o")
    if let plot = train.plot { try FileName.check(plot, "--plot", FileName.picture) }
  }

  /// Refuses to write over what is read, over a run that is not at its end and, unless forced, over
  /// any other file.
  func refuseLosses(_ train: Train) throws {
    try outputs.spare(files + [try train.validation().file, train.from])
    for folder in files + [try train.validation().file].compactMap({ $0 })
    where FolderWalk.isFolder(folder) {
      for file in FolderWalk(folder).files { try outputs.spare(file) }
    }
    let identity = source.map { FileIdentity($0) }
    if let source, checkpoint.map({ FileIdentity($0) }) != identity { try outputs.spare(source) }
    guard !train.force else { return }
    if let checkpoint, FileIdentity(checkpoint) != identity {
      if Trainer.isUnfinished(checkpoint: checkpoint) {
        throw Failure(
          "\(checkpoint) holds a run that is not at its end: go on with it by `libretto train --resume \(shellFile(checkpoint))`, name another -o, or write over it with --force",
          code: 64)
      }
      // A run that goes on writes its own model again.
      try ModelFiles.refuseReplacing(
        output,
        advice: exists(checkpoint) ? "train it longer with --resume and a later end, " : "")
      try ModelFiles.refuseReplacing(checkpoint)
    }
  }
}
