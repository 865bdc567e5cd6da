import ArgumentParser
import Libretto
import Memory
import Sequences

struct Translate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Let a model trained on pairs answer: a source in, its target out.",
    discussion: """
      Each line of the files, or of standard input, is a source; the target is printed on one line. The model was \
      trained with `libretto train --pairs`. With --test the lines are pairs, and the answers are compared.
      """)

  @Argument(help: "A model file, a checkpoint, or the name of a model (libretto models).")
  var model: String

  @Argument(help: "Text files; - for standard input, as without any.")
  var files: [String] = []

  @Option(
    help: "How many unfinished answers are kept while the likeliest is looked for. (default: 4)",
    transform: number(.from(1, to: BeamSearch.mostWidth)))
  var beam = 4

  @Option(
    help: "Print so many of the likeliest answers, with their log-probabilities, at most --beam.",
    transform: number(.from(1, to: BeamSearch.mostWidth)))
  var best: Int?

  @Option(
    help: "Draw the answer instead, at this temperature.", transform: number(.from(0, to: 100)))
  var temperature: Float?

  @Option(
    help: "Starts the choice with --temperature. (default: 0)",
    transform: number(.from(0, to: UInt64.max)))
  var seed: UInt64 = 0

  @Option(
    help: "The most characters of an answer. (default: 1000)",
    transform: number(.from(1, to: 1_000_000)))
  var length = 1000

  @Flag(
    help: """
      The lines are pairs: print how many answers are none of the targets given for the same source, and how many \
      differences there are to the nearest of them (Levenshtein), by words where targets have spaces.
      """)
  var test = false

  @Flag(help: "Print JSON: with --test the result, else an object for each line.")
  var json = false

  func run() throws {
    let files = files.isEmpty ? ["-"] : files
    try Outputs([]).spare([model] + files)
    let loaded = try ModelFiles.read(model)
    guard loaded.hasPairs else {
      throw Failure("\(model) was not trained on pairs: train with --pairs", code: 2)
    }
    if let best, best > beam {
      throw Failure("--best is \(best) and --beam \(beam); give at most as many", code: 64)
    }
    if temperature != nil && best != nil {
      throw Failure("--best is for the likeliest answers, and --temperature draws one", code: 64)
    }
    let answers = try orFail { () throws(LibrettoError) in try Answers(loaded, self) }
    var tests = PairTest()
    for file in files {
      for line in try lines(of: file) {
        if line.text.isEmpty {
          // Each line has its answer, so that answers can be put beside their sources.
          if !test && !json { print("") }
          continue
        }
        let place = "\(Streams.name(file)), line \(line.number)"
        guard let tab = line.text.utf8.firstIndex(of: 0x09) else {
          if test {
            throw Failure(
              "\(place): there is no tab; expected a source, a tab and a target", code: 2)
          }
          try answer(line.text, answers)
          continue
        }
        guard test else {
          throw Failure("\(place) holds a tab; expected a source alone, or --test", code: 2)
        }
        let source = String(decoding: line.text.utf8[..<tab], as: UTF8.self)
        let target = String(decoding: line.text.utf8[tab...].dropFirst(), as: UTF8.self)
        tests.add(source, target)
      }
    }
    guard test else { return }
    for source in tests.sources { try tests.note(source, answers.best(source)?.text ?? "") }
    guard tests.answers > 0 else { throw Failure("there is nothing to answer", code: 2) }
    json ? print(tests.json) : tests.show()
  }

  private func lines(of file: String) throws -> [(number: Int, text: String)] {
    let source = try Streams.file(file)
    return try orFail { () throws(LibrettoError) in
      try FileContents.read(source) { (bytes) throws(LibrettoError) in
        var result: [(number: Int, text: String)] = []
        func add(_ line: TextLines.Line) {
          let text = bytes[line.start..<line.start + line.count]
          result.append((line.number, String(decoding: text, as: UTF8.self)))
        }
        var lines = TextLines()
        lines.read(bytes, add)
        lines.finish(add)
        return result
      }
    }
  }

  private func answer(_ source: String, _ answers: Answers) throws {
    let found = try orFail { () throws(LibrettoError) in try answers.all(source) }
    if json {
      print(
        JSON.object([
          ("source", .string(source)),
          (
            "targets",
            .array(
              found.prefix(best ?? 1).map {
                .object([
                  ("text", .string($0.text)), ("log_probability", .number($0.logProbability)),
                  ("complete", .bool($0.isComplete)),
                ])
              })
          ),
        ]).text)
    } else if let best {
      for answer in found.prefix(best) {
        print("\(fixed(answer.logProbability, 3))\t\(answer.text)")
      }
    } else {
      print(found.first?.text ?? "")
    }
    Terminal.flush()
  }
}

/// What a model of pairs answers.
private struct Answers {
  struct Answer {
    let text: String
    let logProbability: Double
    let isComplete: Bool
  }

  private let encoding: any TextEncoding
  private let session: Session
  private let search: BeamSearch?
  private let longest: Int
  private let seed: UInt64

  init(_ model: Model, _ options: Translate) throws(LibrettoError) {
    encoding = try model.textEncoding()
    var settings = SamplerSettings()
    settings.temperature = options.temperature ?? 1
    session = try Session(model, seed: options.seed, settings: settings)
    search = options.temperature == nil ? try BeamSearch(model, width: options.beam) : nil
    (longest, seed) = (options.length, options.seed)
  }

  func best(_ source: String) throws -> Answer? {
    try orFail { () throws(LibrettoError) in try all(source).first }
  }

  func all(_ source: String) throws(LibrettoError) -> [Answer] {
    session.reset(seed: seed)
    try Array((source + "\t").utf8).withUnsafeBufferPointer { (bytes) throws(LibrettoError) in
      try session.feed(text: UnsafeRawBufferPointer(bytes))
    }
    if let search {
      return try search.continuations(of: session, longest: longest).map {
        Answer(
          text: text($0.tokens), logProbability: $0.logProbability, isComplete: $0.isComplete)
      }
    }
    var (tokens, sum, isComplete) = ([Int32](), 0.0, false)
    while tokens.count < longest && !isComplete {
      let (token, logProbability) = try session.next()
      sum += Double(logProbability)
      isComplete = token == encoding.endToken
      tokens.append(token)
    }
    return [Answer(text: text(tokens), logProbability: sum, isComplete: isComplete)]
  }

  private func text(_ tokens: some Sequence<Int32>) -> String {
    var bytes: [UInt8] = []
    for token in tokens { encoding.forEachByte(of: token) { bytes.append($0) } }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Compares answers with the targets that were given for their sources.
struct PairTest {
  private var targets: [String: [String]] = [:]
  private(set) var sources: [String] = []
  private(set) var answers = 0
  private var wrong = 0
  private var (differences, parts) = (0, 0)

  mutating func add(_ source: String, _ target: String) {
    if targets[source] == nil { sources.append(source) }
    targets[source, default: []].append(target)
  }

  mutating func note(_ source: String, _ answer: String) {
    answers += 1
    let given = targets[source] ?? []
    if !given.contains(answer) { wrong += 1 }
    let nearest = given.map { ($0, Self.difference(Self.split($0), Self.split(answer))) }
      .min { $0.1 < $1.1 }
    differences += nearest?.1 ?? 0
    parts += nearest.map { Self.split($0.0).count } ?? 0
  }

  private static func split(_ text: String) -> [String] {
    text.contains(" ")
      ? text.split(separator: " ").map(String.init) : text.map { String($0) }
  }

  /// Parts to insert, delete or replace.
  private static func difference(_ a: [String], _ b: [String]) -> Int {
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var before = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let here = min(row[j + 1] + 1, row[j] + 1, before + (a[i] == b[j] ? 0 : 1))
        before = row[j + 1]
        row[j + 1] = here
      }
    }
    return row[b.count]
  }

  private var errorRate: Double { Double(wrong) / Double(max(answers, 1)) }
  private var partRate: Double { Double(differences) / Double(max(parts, 1)) }

  func show() {
    print(
      "\(grouped(wrong)) of \(grouped(answers)) answers are wrong (\(fixed(100 * errorRate, 2)) %); \(fixed(100 * partRate, 2)) % of the parts of the targets differ"
    )
  }

  var json: String {
    JSON.object([
      ("answers", .number(answers)), ("wrong", .number(wrong)), ("error_rate", .number(errorRate)),
      ("part_error_rate", .number(partRate)),
    ]).text
  }
}
