import ArgumentParser
import Libretto

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a model write.",
    discussion: """
      Writes the prompt and what the model goes on with, each character as it comes. With a seed the \
      same text comes each time.
      """)

  @Argument(help: "A model file, or a checkpoint.")
  var model: String

  @Option(help: "Text to begin with.")
  var prompt = ""

  @Option(help: "Characters to write.")
  var length = 500

  @OptionGroup(title: "How characters are chosen") var sampler: SamplerOptions

  @Option(help: "Starts the choice. (default: another one each time)")
  var seed: UInt64?

  @Option(help: ArgumentHelp("End before this text would come.", valueName: "string"))
  var stop: String?

  func validate() throws {
    if length < 0 { throw ValidationError("--length must be 0 or more") }
    if stop == "" { throw ValidationError("--stop must not be empty") }
  }

  func run() throws {
    let loaded = try orFail { () throws(LibrettoError) in
      let model = try Model(path: model)
      _ = try model.textEncoding()
      return model
    }
    let seed = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
    let session = try orFail { () throws(LibrettoError) in
      let session = try Session(loaded, seed: seed, settings: sampler.settings)
      try Array(prompt.utf8).withUnsafeBufferPointer { (bytes) throws(LibrettoError) in
        try session.feed(text: UnsafeRawBufferPointer(bytes))
      }
      return session
    }
    Terminal.write(prompt)
    try write(session)
    Terminal.write("\n")
    Terminal.flush()
    if self.seed == nil && Terminal.isInteractive {
      printError("(--seed \(seed) gives this again)")
    }
  }

  /// Writes characters, holding back those that may be the beginning of the text to stop at.
  private func write(_ session: Session) throws {
    let end = Array((stop ?? "").utf8)
    var held: [UInt8] = []
    var character = [UInt8](repeating: 0, count: Session.longestText)
    for _ in 0..<length {
      let count = try orFail { () throws(LibrettoError) in try session.nextText(&character) }
      held.append(contentsOf: character[..<count])
      if !end.isEmpty && held.suffix(end.count).elementsEqual(end) {
        Terminal.write(held.dropLast(end.count))
        return
      }
      // What is written cannot be taken back: keep the longest end of `held` that `end` begins with.
      var keep = min(held.count, max(0, end.count - 1))
      while keep > 0 && !held.suffix(keep).elementsEqual(end.prefix(keep)) { keep -= 1 }
      Terminal.write(held.dropLast(keep))
      held = Array(held.suffix(keep))
      Terminal.flush()
    }
    Terminal.write(held)
  }
}

struct SamplerOptions: ParsableArguments {
  @Option(
    help: "Below 1 the likely becomes likelier, above 1 less so; 0 always takes the likeliest.")
  var temperature: Float = 0.8

  @Option(help: "Only so many of the likeliest stay; 0 for all.")
  var topK = 0

  @Option(help: "Of these the likeliest that together have this probability.")
  var topP: Float = 1

  @Option(help: "Of these those at least this much as likely as the likeliest.")
  var minP: Float = 0

  @Option(help: "Above 1, tokens that came lately come less.")
  var repetitionPenalty: Float = 1

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
