import ArgumentParser
import Libretto

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure how well a model predicts files.",
    discussion: """
      Each file is read from a zero state, and every token but its first is predicted; for a model \
      of documents the first too, and the end. Folders are searched for files of the model's kind. \
      Of several files those that cannot be read are left out. Bits per character count Unicode characters, so they can be compared between encodings.
      """)

  @Argument(
    help:
      "A model file, a checkpoint, or the name of a model (libretto models); - for standard input.")
  var model: String

  @Argument(help: "Files the model has not seen, and folders of them; - for standard input.")
  var files: [String]

  @Option(help: ArgumentHelp("Convert text from this encoding, as for train.", valueName: "name"))
  var textEncoding: String?

  @Flag(
    help: """
      Also measure a copy of the model that learns from the files while it reads them: each stretch is \
      predicted before it is learned from.
      """)
  var adapt = false

  @OptionGroup(title: "Numbers") var series: SeriesOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try Outputs([]).spare([model] + files)
    let loaded = try ModelFiles.read(model)
    if loaded.kind == .series {
      return try SeriesEvaluation(series, json: json).show(loaded, files)
    }
    if let option = series.given.first {
      throw Failure("\(option) is for models of numbers", code: 64)
    }
    let start = now()
    var material = try Material(files, for: loaded, textEncoding)
    var measured = try Measurement(loaded, adapt: adapt, several: material.files.count > 1)
    try material.use { (file) throws(LibrettoError) in
      try file.read { (bytes) throws(LibrettoError) in
        try measured.add(bytes, Streams.name(file.path))
      }
    }
    measured.finish()
    let (total, without, adapted) = (measured.total, measured.without, measured.adapted)
    let speed = Double(total.tokens + without.tokens + adapted.tokens) / max(now() - start, 1e-9)
    guard total.tokens > 0 else {
      throw Failure("there is nothing to predict: the files have less than two tokens", code: 2)
    }
    if json {
      print(
        JSON.object([
          ("bits_per_character", total.bitsPerCharacter.map { .number($0) } ?? .null),
          ("nats_per_step", total.natsPerStep.map { .number($0) } ?? .null),
          ("steps", .number(total.steps)),
          ("files", .number(material.files.count)),
          ("nats_per_token", .number(total.natsPerToken)),
          (
            "nats_per_token_without_memory",
            loaded.hasMemory ? .number(without.natsPerToken) : .null
          ),
          ("nats_per_token_adapted", adapt ? .number(adapted.natsPerToken) : .null),
          ("tokens", .number(total.tokens)),
          ("parameters", .number(loaded.network.layout.parameters)),
          ("tokens_per_second", .number(speed)),
        ]).text)
      return
    }
    func show(_ name: String, _ loss: (Evaluation) -> Double?) {
      guard let value = loss(total) else { return }
      print("\(name.padded(20))\(fixed(value, 4))")
      for (what, isMeasured, evaluation) in [
        ("  without memory", loaded.hasMemory, without), ("  adapted", adapt, adapted),
      ] where isMeasured {
        if let value = loss(evaluation) { print("\(what.padded(20))\(fixed(value, 4))") }
      }
    }
    show("bits per character", \.bitsPerCharacter)
    show("nats per step", \.natsPerStep)
    if total.steps > 0 { print("steps               \(grouped(total.steps))") }
    show("nats per token", \.natsPerToken)
    print("tokens              \(grouped(total.tokens))")
    print("tokens per second   \(grouped(Int(speed)))")
  }
}

/// What files say of a model: with its memory, without, and learning from them.
private struct Measurement {
  private(set) var total = Evaluation()
  private(set) var without = Evaluation()
  private(set) var adapted = Evaluation()
  private let model: Model
  /// For several files, with the memory and without; one alone may be of any size, and is read in parts.
  private let evaluator, evaluatorWithout: PassageEvaluator?
  private let adapter: Adapter?

  init(_ model: Model, adapt: Bool, several: Bool) throws {
    self.model = model
    (evaluator, evaluatorWithout, adapter) = try orFail { () throws(LibrettoError) in
      (
        several ? try PassageEvaluator(model) : nil,
        several && model.hasMemory ? try PassageEvaluator(model, memory: false) : nil,
        adapt ? try Adapter(model) : nil
      )
    }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer, _ name: String) throws(LibrettoError) {
    if evaluator != nil || adapter != nil {
      let passage = try model.passage(bytes, name: name)
      evaluator?.add(passage)
      evaluatorWithout?.add(passage)
      if let adapter { adapted += try adapter.evaluate(passage) }
    }
    guard evaluator == nil else { return }
    func evaluate(memory: Bool) throws(LibrettoError) -> Evaluation {
      model.isText
        ? try model.evaluate(text: bytes, memory: memory)
        : try model.evaluate(midi: bytes, name: name, memory: memory)
    }
    total += try evaluate(memory: true)
    if model.hasMemory { without += try evaluate(memory: false) }
  }

  mutating func finish() {
    for evaluator in [evaluator, evaluatorWithout] { evaluator?.finish() }
    total += evaluator?.evaluation ?? Evaluation()
    without += evaluatorWithout?.evaluation ?? Evaluation()
  }
}

extension Material {
  /// Files for a model to measure.
  init(_ paths: [String], for model: Model, _ textEncoding: String?) throws {
    let kind = try Kind(encoding: model.encoding.name)
    try self.init(
      paths, only: kind,
      because: "the model is one of \(model.isText ? "text" : "music") (\(model.encoding.name))",
      TextReading(textEncoding, encoding: model.encoding.name))
    if kind == .music, textEncoding != nil {
      throw Failure("--text-encoding is for models of text", code: 64)
    }
  }
}
