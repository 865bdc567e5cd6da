import ArgumentParser
import Libretto
import Sequences

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a model write.",
    discussion: """
      A model of text writes the prompt and what it goes on with, each character as it comes. A model \
      of music writes a MIDI file and shows it, one of tokens the numbers of a piece. With a seed the same comes each time.
      """)

  @Argument(help: "A model file, a checkpoint, or the name of a model (libretto models).")
  var model: String

  @OptionGroup(title: "Text") var text: TextOptions
  @OptionGroup(title: "Music") var music: MusicOptions
  @OptionGroup(title: "Parts, of models of ensemble") var parts: PartOptions
  @OptionGroup(title: "How the next token is chosen") var sampler: SamplerOptions

  @Option(
    help: "Starts the choice. (default: another one each time)",
    transform: number(.from(0, to: UInt64.max)))
  var seed: UInt64?

  @Option(
    help:
      "How many variations: with this seed and those that follow it; of music each in a file of its own, name-1.mid, name-2.mid ... (default: 1)",
    transform: number(.from(1, to: 1000)))
  var count = 1

  struct TextOptions: ParsableArguments {
    @Option(help: "Text to begin with.") var prompt: String?
    @Option(
      help: """
        The most characters to write; 0 for a whole document, of a model of documents. (default: 500)
        """,
      transform: number(.from(0, to: 1_000_000_000)))
    var length: Int?
    @Option(help: ArgumentHelp("End before this text would come.", valueName: "string"))
    var stop: String?

    /// Those that were given.
    var given: [String] {
      [("--prompt", prompt != nil), ("--length", length != nil), ("--stop", stop != nil)]
        .filter(\.1).map(\.0)
    }
  }

  func validate() throws {
    if text.stop == "" { throw ValidationError("--stop must not be empty") }
    if music.prime != nil && parts.accompany != nil {
      throw ValidationError(
        "--prime and --accompany cannot go together: music goes on from the one and along with the other"
      )
    }
  }

  func run() throws {
    try Outputs([]).spare([model, music.prime, parts.accompany])
    let loaded = try ModelFiles.read(model)
    let seed = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
    let seeds = (0..<count).map { seed &+ UInt64($0) }
    if let encoding = loaded.encoding.music {
      try refuse(text.given, of: "text", for: loaded)
      try writeMusic(loaded, encoding, seeds)
    } else {
      try refuse(music.given + parts.given, of: "music", for: loaded)
      if loaded.kind != .text {
        try refuse(text.given.filter { $0 != "--length" }, of: "text", for: loaded)
      }
      for (i, seed) in seeds.enumerated() {
        if count > 1 { print("\(i > 0 ? "\n" : "")=== \(i + 1) of \(count), --seed \(seed) ===") }
        if loaded.kind == .series {
          try SeriesSample(length: text.length).write(try sampler.session(loaded, seed: seed))
        } else if loaded.kind == .text {
          try TextSample(text).write(try sampler.session(loaded, seed: seed), loaded)
        } else {
          try TokenSample(length: text.length).write(
            try sampler.session(loaded, seed: seed), loaded)
        }
      }
    }
    if self.seed == nil && Terminal.isInteractive {
      printError("(--seed \(seed) gives this again)")
    }
  }

  private func writeMusic(_ model: Model, _ encoding: any MusicEncoding, _ seeds: [UInt64]) throws {
    let files = seeds.enumerated().map { i, seed in
      MusicOutput(
        music, usual: "\(stem(self.model))-\(seed).mid", number: count > 1 ? i + 1 : nil)
    }
    if count > 1 && (music.output == "-" || music.wav == "-") {
      throw Failure(
        "--count is \(count): name a file, since each variation goes to its own", code: 64)
    }
    try Outputs(files.flatMap(\.paths)).spare([
      self.model, music.prime, music.soundfont, parts.accompany,
    ])
    try music.checkNames()
    let renderer = try files[0].renderer(music)
    let primer = try music.prime.map { try Primer($0, model, encoding) }
    let plan = try PartsPlan(parts, model, encoding)
    for (file, seed) in zip(files, seeds) {
      try file.write(
        MusicSample(
          encoding, music, primer, plan, try sampler.session(model, seed: seed)), renderer)
    }
    files.last?.advise()
  }

  private func refuse(_ options: [String], of kind: String, for loaded: Model) throws {
    guard let option = options.first else { return }
    throw Failure(
      "\(option) is for models of \(kind); \(model) is one of \(loaded.encoding.name)", code: 64)
  }
}

struct SamplerOptions: ParsableArguments {
  @Option(
    help: """
      Below 1 the likely becomes likelier, above 1 less so; 0 always takes the likeliest. (default: 0.8)
      """,
    transform: number(.from(0, to: 100)))
  var temperature: Float = 0.8

  @Option(
    help: "Only so many of the likeliest stay; 0 for all. (default: 0)",
    transform: number(.from(0, to: Int(Int32.max))))
  var topK = 0

  @Option(
    help: "Of these the likeliest that together have this probability. (default: 1)",
    transform: number(.above(0, to: 1)))
  var topP: Float = 1

  @Option(
    help: "Of these those at least this much as likely as the likeliest. (default: 0)",
    transform: number(.from(0, to: 1)))
  var minP: Float = 0

  @Option(
    help: "Above 1, tokens that came lately come less. (default: 1)",
    transform: number(.from(0.1, to: 10)))
  var repetitionPenalty: Float = 1

  @Option(
    help: """
      Above 1 the model repeats more of what it wrote, below 1 less; at 0 it does not look back. \
      (default: 1)
      """,
    transform: number(.from(0, to: 100)))
  var memory: Float?

  @Option(
    help: ArgumentHelp(
      """
      Write as the material with this label is, of a model trained with --label-from; or mix several by weight.
      """, valueName: "name|name:weight,..."))
  var label: String?

  /// A session with these settings.
  func session(_ model: Model, seed: UInt64) throws -> Session {
    if memory != nil && !model.hasMemory {
      throw Failure("--memory is for models that have one, and this one has none", code: 64)
    }
    let mixture = try mixture(model)
    return try orFail { () throws(LibrettoError) in
      let session = try Session(model, seed: seed, settings: settings)
      if let memory { try session.set(memoryStrength: memory) }
      if let (labels, weights) = mixture {
        try labels.withUnsafeBufferPointer { (labels) throws(LibrettoError) in
          try weights.withUnsafeBufferPointer { (weights) throws(LibrettoError) in
            try session.set(labels: labels, weights: weights)
          }
        }
      }
      return session
    }
  }

  /// What `label` names, with weights; nil if it is not given.
  private func mixture(_ model: Model) throws -> (labels: [Int32], weights: [Float])? {
    guard let label else { return nil }
    guard !model.labels.isEmpty else {
      throw Failure(
        "--label is for models of labelled material, and this one has no labels", code: 64)
    }
    // A name may hold commas and colons itself.
    if let number = model.labels.number(of: label) { return ([number], [1]) }
    var (labels, weights): ([Int32], [Float]) = ([], [])
    for part in label.split(separator: ",") {
      let colon = part.lastIndex(of: ":")
      let name = String(part[..<(colon ?? part.endIndex)])
      let number: Int32
      do throws(LibrettoError) { number = try model.label(named: name) } catch {
        throw Failure(error.message, code: 64)
      }
      let text = colon.map { String(part[part.index(after: $0)...]) } ?? "1"
      guard let weight = Float(text), weight >= 0, weight <= 1e6 else {
        throw Failure(
          "the weight of the label \(name) is \"\(text)\"; expected a number from 0 to 1000000",
          code: 64)
      }
      labels.append(number)
      weights.append(weight)
    }
    return (labels, weights)
  }

  var settings: SamplerSettings {
    var settings = SamplerSettings()
    settings.temperature = temperature
    settings.topK = topK
    settings.topP = topP
    settings.minP = minP
    settings.repetitionPenalty = repetitionPenalty
    return settings
  }
}
