import ArgumentParser
import GRU
import Libretto

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learn a model from text, or from MIDI files.",
    discussion: """
      Without options everything is chosen from the size of the text. While it runs, a checkpoint is \
      kept beside the model; Ctrl-C saves and ends. `libretto train --resume -o MODEL` then goes on \
      as if nothing had happened. `--from MODEL` is something else: a new run that starts from the \
      weights of a model.
      """)

  @Argument(
    help: """
      Text files, read one after another as one, - being standard input; or MIDI files and folders \
      of them.
      """)
  var files: [String] = []

  @Option(
    name: .shortAndLong,
    help: "Where to write the model. (default: the first file's name with .safetensors)")
  var output: String?

  @Flag(
    help:
      "Continue the run whose checkpoint lies beside the model; or name the checkpoint as the first file."
  )
  var resume = false

  @Option(help: ArgumentHelp("Start from the weights of this model.", valueName: "model"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Held-out text: a file, - for standard input, or the share of the files' end.",
      valueName: "file|fraction"))
  var valid: String?

  @OptionGroup(title: "How long (whichever comes first; default: chosen)") var length: Length
  @OptionGroup(title: "The network (default: chosen)") var sizes: Sizes
  @OptionGroup(title: "How to learn (default: chosen)") var method: Method

  @Option(help: ArgumentHelp("Draw the losses into an SVG file.", valueName: "loss.svg"))
  var plot: String?

  @Option(help: ArgumentHelp("Seconds between two checkpoints.", valueName: "seconds"))
  var checkpointEvery: Double = 60

  @Flag(help: "Print the result as JSON on the last line.")
  var json = false

  struct Length: ParsableArguments {
    @Option(help: "Minutes.") var minutes: Double?
    @Option(help: "Passes over the text.") var epochs: Double?
    @Option(help: "Updates of the weights.") var steps: Int?
    @Option(help: "Measurements of the held-out text without a better one; 0 for no such end.")
    var patience: Int?
  }

  struct Sizes: ParsableArguments {
    @Option(help: "Units of a layer.") var hidden: Int?
    @Option(help: "GRU layers.") var layers: Int?
    @Option(help: "Numbers a token is given at the input.") var embedding: Int?
    @Option(help: "bytes or characters; for music melody, polyphony, drums or performance.")
    var encoding: String?
    @Option(help: "Steps per quarter note of the grid music is put on, 1 to 24. (default: 4)")
    var stepsPerQuarter: Int?
    @Flag(
      inversion: .prefixedNo,
      help:
        "Learn music in other keys and at other tempi too. (default: where there are few pieces)")
    var augment: Bool?
  }

  struct Method: ParsableArguments {
    @Option(help: "Parallel streams.") var batch: Int?
    @Option(help: "Steps that gradients flow back over.") var sequence: Int?
    @Option(help: "Probability of dropping a unit, from 0 to 0.95.") var dropout: Double?
    @Option(help: "The highest learning rate.") var learningRate: Double?
    @Option(help: "AdamW's weight decay.") var weightDecay: Double?
    @Option(help: "The norm to clip gradients to.") var clip: Double?
    @Option(help: "float32, or bfloat16 on processors that have products of it. (default: float32)")
    var precision: String?
    @Option(help: "Starts weights and dropout. (default: 0)") var seed: UInt64?
    @Option(help: "Threads. (default: one per processor, at most 8)") var threads: Int?
  }

  func run() throws {
    try options.check()
    let plan = try Inputs(self)
    try refuseLosses(plan)
    // A run of an hour must not find out at its end that its result cannot be written.
    try plan.outputs.checkReplaceable()
    let trainer = try makeTrainer(plan)
    try orFail { () throws(LibrettoError) in try trainer.prepare() }
    if let file = try validation().file, let tokens = trainer.tokens, tokens.validation < 2 {
      throw Failure("\(file) is too short to measure on: it has less than two tokens", code: 2)
    }
    let report = TrainingReport(trainer: trainer, plots: plot != nil)
    let end = try stoppable(trainer) {
      report.begin(output: plan.output)
      do throws(LibrettoError) { return try trainer.run(report.note) } catch {
        // What was learned before it went astray is worth having.
        if error.kind == .diverged, let best = try? trainer.model() { try? best.save(plan.output) }
        throw Failure(error)
      }
    }
    let model = try orFail { () throws(LibrettoError) in
      let model = try trainer.model()
      try model.save(plan.output)
      return model
    }
    report.end(end, output: plan.output, checkpoint: plan.checkpoint)
    if let plot {
      try LossPlot(report.curve).write(plot)
      if !json { print("The losses are drawn in \(plot).") }
    }
    if json { print(report.json(end, model, output: plan.output)) }
  }

  /// Paths, sorted out.
  struct Inputs {
    var files: [String]
    let output: String
    let checkpoint: String
    /// These two and the plot.
    let outputs: Outputs
    /// To resume from.
    let source: String?

    init(_ train: Train) throws {
      files = train.files
      if files.isEmpty && !train.resume {
        throw Failure(
          "name text files or MIDI files to learn from, or - for text from standard input", code: 64
        )
      }
      if let output = train.output {
        self.output = output
      } else if train.resume, let first = files.first, first.hasSuffix(Self.ending) {
        output = first.dropLast(Self.ending.count) + ".safetensors"
      } else if let first = files.first, first != "-" {
        let trimmed = first.hasSuffix("/") ? String(first.dropLast()) : first
        let name = trimmed.split(separator: "/").last.map(String.init) ?? trimmed
        let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        output = (stem.isEmpty ? name : stem) + ".safetensors"
      } else {
        throw Failure("say where the model is to go with -o MODEL", code: 64)
      }
      let stem = output.hasSuffix(".safetensors") ? String(output.dropLast(12)) : output
      checkpoint = stem + Self.ending
      outputs = try Outputs([output, checkpoint] + [train.plot].compactMap { $0 })
      guard train.resume else {
        source = nil
        return
      }
      if train.from != nil {
        throw Failure(
          "--resume continues a run and --from starts a new one; choose one of them", code: 64)
      }
      if let first = files.first, first.hasSuffix(Self.ending) {
        source = first
        files.removeFirst()
      } else {
        source = checkpoint
      }
    }

    static let ending = ".checkpoint.safetensors"
  }

  /// Refuses to write over what is read, and over a run that is not at its end.
  private func refuseLosses(_ inputs: Inputs) throws {
    let named = inputs.files + [try validation().file, from].compactMap { $0 }
    for path in named {
      for file in FolderWalk.isFolder(path) ? FolderWalk.midiFiles(in: path) : [path] {
        try inputs.outputs.spare(file)
      }
    }
    if let source = inputs.source {
      // A run that goes on keeps its checkpoint.
      if FileIdentity(source) == FileIdentity(inputs.checkpoint) { return }
      try inputs.outputs.spare(source)
    }
    if Trainer.isUnfinished(checkpoint: inputs.checkpoint) {
      throw Failure(
        "\(inputs.checkpoint) holds a run that is not at its end: go on with it by "
          + "`libretto train --resume \(inputs.checkpoint)`, or remove it, or name another -o",
        code: 64)
    }
  }

  /// Refuses what is for music, if all there is to learn from is text.
  private func refuseMusicOptions(_ inputs: Inputs) throws {
    guard let file = inputs.files.first,
      !inputs.files.contains(where: { FileKind.isMIDI($0) || FolderWalk.isFolder($0) })
    else { return }
    let given = [
      ("--steps-per-quarter", sizes.stepsPerQuarter != nil), ("--augment", sizes.augment != nil),
    ]
    if let (option, _) = given.first(where: \.1) {
      throw Failure("\(option) is for music; \(file) is read as text", code: 64)
    }
  }

  private func makeTrainer(_ inputs: Inputs) throws -> Trainer {
    var options = options
    options.checkpointPath = inputs.checkpoint
    options.checkpointSeconds = checkpointEvery
    try refuseMusicOptions(inputs)
    let (fraction, validFile) = try validation()
    options.validationFraction = fraction ?? -1
    let trainer = try orFail { () throws(LibrettoError) -> Trainer in
      if let source = inputs.source { return try Trainer(resume: source, options) }
      return try Trainer(
        options, from: try from.map { (path) throws(LibrettoError) in try Model(path: path) })
    }
    if inputs.files.isEmpty {
      for file in trainer.expectedFiles {
        try inputs.outputs.spare(file.path)
        try orFail { () throws(LibrettoError) in
          try add(file.path, to: trainer, validation: file.validation)
        }
      }
    }
    for file in inputs.files { try addAll(file, to: trainer, validation: false) }
    if let validFile { try addAll(validFile, to: trainer, validation: true) }
    return trainer
  }

  /// Adds a file, or the MIDI files of a folder, of which those that cannot be read are skipped.
  private func addAll(_ path: String, to trainer: Trainer, validation: Bool) throws {
    guard FolderWalk.isFolder(path) else {
      if FileKind.isModel(path) {
        throw Failure(
          "\(path) is a model, not a text: `libretto sample` lets it write, `--from` starts a run "
            + "from it, and `--resume` goes on with a checkpoint", code: 64)
      }
      return try orFail { () throws(LibrettoError) in
        try add(path, to: trainer, validation: validation)
      }
    }
    let files = try FolderWalk.wanted(path)
    var skipped: [String] = []
    for file in files {
      do throws(LibrettoError) {
        try trainer.add(midi: absolute(file), validation: validation)
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

  private var options: TrainingOptions {
    var options = TrainingOptions()
    options.encoding = sizes.encoding
    options.stepsPerQuarter = sizes.stepsPerQuarter ?? 0
    options.augment = sizes.augment
    options.embedding = sizes.embedding ?? 0
    options.hidden = sizes.hidden ?? 0
    options.layers = sizes.layers ?? 0
    options.batch = method.batch ?? 0
    options.sequence = method.sequence ?? 0
    options.dropout = method.dropout ?? -1
    options.learningRate = method.learningRate ?? 0
    options.weightDecay = method.weightDecay ?? -1
    options.clip = method.clip ?? 0
    options.seed = method.seed ?? 0
    options.precision = Precision(name: method.precision ?? "float32") ?? .float32
    options.threads = method.threads ?? 0
    options.minutes = length.minutes ?? 0
    options.epochs = length.epochs ?? 0
    options.steps = length.steps ?? 0
    options.patience = length.patience.map { $0 == 0 ? -1 : $0 } ?? 0
    return options
  }

  func validate() throws {
    func positive(_ name: String, _ value: (some Comparable & Numeric)?) throws {
      if let value, value <= .zero { throw ValidationError("\(name) must be above 0") }
    }
    try positive("--minutes", length.minutes)
    try positive("--epochs", length.epochs)
    try positive("--steps", length.steps)
    if let precision = method.precision, Precision(name: precision) == nil {
      throw ValidationError("--precision is \(precision); there are float32 and bfloat16")
    }
    try positive("--hidden", sizes.hidden)
    try positive("--layers", sizes.layers)
    try positive("--embedding", sizes.embedding)
    try positive("--batch", method.batch)
    try positive("--sequence", method.sequence)
    try positive("--learning-rate", method.learningRate)
    try positive("--clip", method.clip)
    try positive("--threads", method.threads)
    try positive("--checkpoint-every", checkpointEvery)
    try positive("--steps-per-quarter", sizes.stepsPerQuarter)
    if let patience = length.patience, patience < 0 {
      throw ValidationError("--patience must be 0 or more")
    }
    for (name, value) in [("--dropout", method.dropout), ("--weight-decay", method.weightDecay)] {
      if let value, !(value >= 0) { throw ValidationError("\(name) must be 0 or more") }
    }
  }

  /// `--valid`: a share if it is a number, else a file.
  private func validation() throws -> (fraction: Double?, file: String?) {
    guard let valid else { return (nil, nil) }
    guard let fraction = Double(valid) else { return (nil, valid) }
    guard fraction >= 0, fraction <= 0.9 else {
      throw Failure("--valid is \(valid); a share to hold out is from 0 to 0.9", code: 64)
    }
    return (fraction, nil)
  }

  private func add(_ file: String, to trainer: Trainer, validation: Bool) throws(LibrettoError) {
    guard file == "-" else {
      if FileKind.isMIDI(file) {
        return try trainer.add(midi: absolute(file), validation: validation)
      }
      return try trainer.add(file: absolute(file), validation: validation)
    }
    var text: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&block, 1, block.count, stdin), count > 0 {
      text.append(contentsOf: block[..<count])
    }
    try text.withUnsafeBufferPointer { (b) throws(LibrettoError) in
      try trainer.add(text: UnsafeRawBufferPointer(b), validation: validation)
    }
  }

  /// A checkpoint names its files so that it can be resumed from anywhere.
  private func absolute(_ path: String) -> String { resolved(path) }
}
