import ArgumentParser
import Libretto

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learn a model from text, from MIDI files, or from numbers.",
    discussion: """
      Without options everything is chosen from the size of the text. While it runs, a checkpoint is \
      kept beside the model; Ctrl-C saves and ends. `libretto train --resume MODEL` then goes on \
      as if nothing had happened. `--from MODEL` is something else: a new run that starts from the \
      weights of a model.
      """)

  @Argument(
    help: """
      A text file, - being standard input, which is one long text; several, or folders of them, of \
      which each file is a document with an end of its own; MIDI files and folders of them; or CSV \
      files of numbers at regular times.
      """)
  var files: [String] = []

  @Option(
    name: .shortAndLong,
    help: """
      Where to write the model, - being standard output, without a checkpoint. (default: the first \
      file's name with .safetensors)
      """)
  var output: String?

  @Flag(
    help: """
      Continue the run whose checkpoint lies beside the model; or name the model or the checkpoint \
      as the first file. Options given again must be those of the run; --steps, --epochs, --minutes \
      and --patience may move its end.
      """)
  var resume = false

  @Flag(help: "Write over a model or a checkpoint that exists.")
  var force = false

  @Option(help: ArgumentHelp("Start from the weights of this model.", valueName: "model"))
  var from: String?

  @Option(
    help: ArgumentHelp(
      "Validation text: a file, - for standard input, or the share of the files' end.",
      valueName: "file|fraction"))
  var valid: String?

  @Flag(help: "Read several text files one after another as one long text.")
  var joined = false

  @Flag(help: "Read each line of text files as a document of its own.")
  var lines = false

  @Flag(
    help: """
      Read each line of text files as a pair: a source, a tab and a target, which alone is predicted. See libretto \
      translate.
      """)
  var pairs = false

  @Option(help: ArgumentHelp(SeriesInput.columnsHelp, valueName: "names"))
  var columns: String?

  @Option(
    help: ArgumentHelp(LabelSource.help, valueName: "folder|name|file.csv"),
    transform: { try LabelSource($0) })
  var labelFrom: LabelSource?

  @Option(
    help: ArgumentHelp(
      """
      Convert text from this encoding: \(TextReading.names). (default: utf8; UTF-16 with a byte \
      order mark is converted too)
      """, valueName: "name"))
  var textEncoding: String?

  @OptionGroup(title: "How long (whichever comes first; default: chosen)") var length: Length
  @OptionGroup(title: "The network (default: chosen)") var sizes: Sizes
  @OptionGroup(title: "How to learn (default: chosen)") var method: Method

  @Option(help: ArgumentHelp("Draw the losses into an SVG file.", valueName: "loss.svg"))
  var plot: String?

  @Option(
    help: ArgumentHelp("Seconds between two checkpoints. (default: 60)", valueName: "seconds"),
    transform: number(.above(0, to: TrainingOptions.Limit.checkpointSeconds)))
  var checkpointEvery: Double = 60

  @Flag(help: "Print the result as JSON on the last line.")
  var json = false

  func run() throws {
    try options.check()
    let paths = try TrainPaths(self)
    try paths.refuseLosses(self)
    // A run of an hour must not find out at its end that its result cannot be written.
    try paths.outputs.checkReplaceable()
    let trainer = try makeTrainer(paths)
    try paths.checkNames(self)
    try orFail { () throws(LibrettoError) in try trainer.prepare() }
    showRemarks(trainer.remarks)
    if let file = try validation().file, let tokens = trainer.tokens, tokens.validation < 2 {
      throw Failure(
        "\(Streams.name(file)) is too short to measure on: it has less than two tokens", code: 2)
    }
    let report = TrainingReport(trainer, self, paths)
    let end = try stoppable(trainer) {
      report.begin()
      do throws(LibrettoError) { return try trainer.run(savesAtEnd: false, report.note) } catch {
        // What was learned before the run diverged is worth having.
        if error.kind == .diverged, let best = try? trainer.model() {
          try? ModelFiles.write(best, to: paths.output)
        }
        throw Failure(error)
      }
    }
    let model = try orFail { () throws(LibrettoError) in try trainer.model() }
    // The model first: where the disk is nearly full it is what matters.
    try ModelFiles.write(model, to: paths.output)
    let failure = failureToSave(trainer, paths.checkpoint)
    report.end(end)
    if let plot {
      try LossPlot(trainer.history!).write(plot)
      if !json && plot != "-" { say("The losses are drawn in \(plot).") }
    }
    if json { print(report.json(end, model)) }
    if let failure { throw failure }
  }

  /// Saves the checkpoint of the run's end; an error if it cannot.
  private func failureToSave(_ trainer: Trainer, _ checkpoint: String?) -> Failure? {
    guard let checkpoint else { return nil }
    do throws(LibrettoError) { try trainer.save(checkpoint: checkpoint) } catch {
      return Failure(
        "the model is written, the checkpoint is not: \(error.message); the run cannot be resumed",
        code: 2)
    }
    return nil
  }
}
