import ArgumentParser
import Libretto
import Sequences

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what in a file surprises a model.",
    discussion: """
      On a terminal the text is coloured by surprise, in bits: from none over yellow to red. Then \
      come the most surprising places, at most one of each line, by line and column: typing errors \
      and strangers stand out. In music they are at most one of each bar, by bar and beat, or of \
      each second of a performance. Of numbers they are the values least expected at their times.
      """)

  @Argument(help: "A model file, a checkpoint, or the name of a model (libretto models).")
  var model: String

  @Argument(
    help: "A text file, a MIDI file for a model of music, or a CSV file for one of numbers.")
  var file: String

  @Option(help: ArgumentHelp("Convert text from this encoding, as for train.", valueName: "name"))
  var textEncoding: String?

  @Option(
    help: """
      How many lines, bars, seconds or values to list, the most surprising first. (default: 10)
      """,
    transform: number(.from(0, to: 1_000_000)))
  var places = 10

  @Option(
    help: ArgumentHelp(
      "Draw numbers and what was expected into an SVG file.", valueName: "file.svg"))
  var plot: String?

  @Flag(help: "Print every token with its log-probability as JSON; of numbers each value.")
  var json = false

  func run() throws {
    try Outputs([], text: [plot].compactMap { $0 }).spare([model, file])
    if let plot { try FileName.check(plot, "--plot", FileName.picture) }
    let loaded = try ModelFiles.read(model)
    if FolderWalk.isFolder(file) {
      throw Failure("\(file) is a folder; expected a file. To measure folders: evaluate", code: 2)
    }
    if loaded.kind == .series {
      return try SeriesAnomalies(places: places, plot: plot, json: json).show(loaded, file)
    }
    if plot != nil { throw Failure("--plot is for models of numbers", code: 64) }
    let file = try Material([file], for: loaded, textEncoding).files[0]
    if json { return try printJSON(loaded, file) }
    if let encoding = loaded.encoding.music {
      try scoreMusic(loaded, encoding, file.source)
    } else {
      try scoreText(loaded, file)
    }
  }

  private func scoreText(_ loaded: Model, _ file: Material.File) throws {
    let encoding = try orFail { () throws(LibrettoError) in try loaded.textEncoding() }
    func bytes(_ token: Int32) -> [UInt8] { Self.bytes(encoding, token) }
    var map = HeatMap(colored: Terminal.hasColor, places: places)
    var evaluation = Evaluation()
    try orFail { () throws(LibrettoError) in
      try file.read { (text) throws(LibrettoError) in
        try loaded.score(text: text) { input, token, logProbability in
          if evaluation.tokens == 0 { map.note(bytes(input), nil) }
          evaluation.tokens += 1
          evaluation.characters += encoding.characters(in: token)
          evaluation.nats -= logProbability
          // The end of a document is no character.
          if token != encoding.endToken { map.note(bytes(token), Self.bits(logProbability)) }
        }
      }
    }
    map.finish()
    if let bits = evaluation.bitsPerCharacter {
      let without = try withoutMemory(loaded) { () throws(LibrettoError) in
        try file.read { (text) throws(LibrettoError) in
          try loaded.evaluate(text: text, memory: false)
        }
      }
      print(
        "\(fixed(bits, 3)) bits per character\(without.map { ", without the memory \(fixed($0.bitsPerCharacter ?? 0, 3))," } ?? "") over \(grouped(evaluation.characters)) characters"
      )
    } else {
      print("There is nothing to predict.")
    }
    map.places.show()
  }

  private func scoreMusic(_ loaded: Model, _ encoding: any MusicEncoding, _ file: String) throws {
    let piece = try readMIDI(file)
    var surprises = MusicSurprises(encoding, piece, places: places)
    var evaluation = Evaluation()
    try orFail { () throws(LibrettoError) in
      let tokens = try loaded.encode(piece, name: file)
      try tokens.withUnsafeBufferPointer { (tokens) throws(LibrettoError) in
        evaluation.steps = encoding.steps(of: tokens) ?? 0
        try loaded.score(tokens) { _, token, logProbability in
          evaluation.tokens += 1
          evaluation.nats -= logProbability
          surprises.note(token, Self.bits(logProbability))
        }
      }
    }
    let perStep = evaluation.natsPerStep.map {
      "\(fixed($0, 3)) nats per step over \(grouped(evaluation.steps)) steps, "
    }
    let without = try withoutMemory(loaded) { () throws(LibrettoError) in
      try loaded.evaluate(piece: piece, name: file, memory: false)
    }
    print(
      "\(perStep ?? "")\(fixed(evaluation.natsPerToken, 3)) nats per token\(without.map { ", without the memory \(fixed($0.natsPerToken, 3))," } ?? "") over \(grouped(evaluation.tokens)) tokens"
    )
    surprises.places.show()
  }

  /// nil for a model that has no memory.
  private func withoutMemory(
    _ model: Model, _ evaluate: () throws(LibrettoError) -> Evaluation
  ) throws -> Evaluation? {
    model.hasMemory ? try orFail(evaluate) : nil
  }

  private static func bits(_ logProbability: Double) -> Double {
    -logProbability / 0.693147180559945309
  }

  private static func bytes(_ encoding: any TextEncoding, _ token: Int32) -> [UInt8] {
    (0..<encoding.byteCount(of: token)).map { encoding.byte($0, of: token) }
  }

  private func printJSON(_ model: Model, _ file: Material.File) throws {
    func text(_ token: Int32) -> String {
      if let text = model.encoding.text {
        return String(decoding: Self.bytes(text, token), as: UTF8.self)
      }
      return model.encoding.music?.name(of: token) ?? ""
    }
    Terminal.write("{\"tokens\":[")
    var first = true
    func show(_ input: Int32, _ token: Int32, _ logProbability: Double) {
      if !first { Terminal.write(",") }
      first = false
      Terminal.write(
        JSON.object([
          ("input", .number(Int(input))), ("token", .number(Int(token))),
          ("text", .string(text(token))), ("log_probability", .number(logProbability)),
        ]).text)
    }
    try orFail { () throws(LibrettoError) in
      guard model.isText else { return try model.score(file: file.source, each: show) }
      try file.read { (bytes) throws(LibrettoError) in try model.score(text: bytes, each: show) }
    }
    print("]}")
  }
}
