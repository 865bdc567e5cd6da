/// A command line, before the parser reads it: with the values of options joined to their names, so
/// that they may begin with a dash, and refused where an option is unknown, lacks its value or is
/// given twice.
struct Arguments {
  private let words: [String]
  private var next = 0
  private var command: Grammar.Command
  /// The options so far, each by its first name, and the value it was given.
  private var given: [(name: String, value: String?)] = []

  /// Reads the words after the tool's name and gives them back as the parser takes them.
  static func normalized(_ words: [String], _ grammar: Grammar) throws -> [String] {
    // What the parser offers to shells.
    if let first = words.first,
      ["--generate-completion-script", "--experimental-dump-help", "---completion"]
        .contains(where: first.hasPrefix)
    {
      return words
    }
    var arguments = Arguments(words: words, command: grammar.root)
    return try arguments.read()
  }

  private init(words: [String], command: Grammar.Command) {
    self.words = words
    self.command = command
  }

  private mutating func read() throws -> [String] {
    var result: [String] = []
    while next < words.count {
      let word = words[next]
      next += 1
      if word == "--" { return result + [word] + words[next...] }
      if word.hasPrefix("-") && word != "-" {
        result += try option(word)
      } else {
        if !command.subcommands.isEmpty { try enter(word) }
        // All that is left are names of files.
        if word.isEmpty { throw failure("an argument is empty; expected the name of a file") }
        result.append(word)
      }
    }
    return result
  }

  /// Goes on to a subcommand.
  private mutating func enter(_ word: String) throws {
    if let found = command.subcommands.first(where: { $0.name == word }) {
      // What follows `help` are commands too.
      if found.name != "help" { command = found }
      return
    }
    let names = command.subcommands.map(\.name)
    if let advice = Suggestions.sentence(for: word, among: names) {
      throw failure("there is no command '\(word)'; \(advice)")
    }
    let tool = command.path.joined(separator: " ")
    if exists(word) && command.path.count == 1 {
      let use = FileKind.isModel(word) ? "sample" : "train"
      throw failure(
        "'\(word)' is a file, not a command; for example: \(tool) \(use) \(shellFile(word))")
    }
    throw failure("there is no command '\(word)'; there are \(names.joined(separator: ", "))")
  }

  /// An option as the parser takes it, with its value.
  private mutating func option(_ word: String) throws -> [String] {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = command.option(name) else { throw unknown(name) }
    let first = option.names[0]
    guard option.takesValue else {
      try refuseOpposite(of: first)
      given.append((first, nil))
      return [word]
    }
    let value = try parts.count == 2 ? String(parts[1]) : value(of: name)
    if !option.mayRepeat, let before = given.first(where: { $0.name == first }) {
      throw failure(
        "\(first) is given twice, as '\(before.value ?? "")' and as '\(value)'; give it once")
    }
    given.append((first, value))
    // The parser takes no empty value after an equals sign, and none with a dash without one.
    return value.hasPrefix("-") ? ["\(first)=\(value)"] : [first, value]
  }

  /// The word after an option, if it can be meant as its value.
  private mutating func value(of name: String) throws -> String {
    guard next < words.count else { throw failure("\(name) needs a value") }
    let word = words[next]
    let isOption =
      command.option(String(word.prefix { $0 != "=" })) != nil
      || word.hasPrefix("--") && word.dropFirst(2).first?.isLetter == true && !word.contains(" ")
    if isOption || word == "--" {
      throw failure(
        "\(name) needs a value, and '\(word)' after it looks like an option; if it is the value, write \(name)=\(word)"
      )
    }
    next += 1
    return word
  }

  /// `--no-x` and `--x` in one command.
  private func refuseOpposite(of name: String) throws {
    let bare = name.dropFirst(2)
    let opposite = bare.hasPrefix("no-") ? "--" + bare.dropFirst(3) : "--no-" + bare
    if given.contains(where: { $0.name == opposite }) {
      throw failure("\(opposite) and \(name) exclude each other; give one of them")
    }
  }

  private func unknown(_ name: String) -> Failure {
    let letters = name.drop { $0 == "-" }
    if !name.hasPrefix("--"), let option = command.option(String(name.prefix(2))),
      option.takesValue,
      Suggestions.sentence(for: String(letters), among: names) == nil
    {
      return failure(
        "unknown option '\(name)'; did you mean \(name.prefix(2)) \(name.dropFirst(2))?")
    }
    if let advice = Suggestions.sentence(for: String(letters), among: names) {
      return failure("unknown option '\(name)'; \(advice)")
    }
    if let owner = command.subcommands.first(where: { words.contains($0.name) }),
      owner.option(name) != nil
    {
      return failure("unknown option '\(name)'; write it after the command \(owner.name)")
    }
    if exists(name) {
      return failure("unknown option '\(name)'; the file of this name is written ./\(name)")
    }
    return failure("unknown option '\(name)'")
  }

  private var names: [String] { command.options.flatMap(\.names).filter { $0.hasPrefix("--") } }

  private func failure(_ message: String) -> Failure {
    Failure(
      message, code: 64,
      advice: "See '\(command.path.joined(separator: " ")) --help' for more information.")
  }
}
