import ArgumentParser
import CVersion
import Kernels

/// The command-line tool: each subcommand is a file of its own, named for it.
@main
struct LibrettoTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "libretto",
    abstract: "Learns from text, MIDI files or numbers and writes more of the kind.",
    discussion: """
      Begin with:

        libretto sample folk
        libretto train my.txt
        libretto sample my.safetensors

      Exit codes: 0 done, 1 the work failed, 2 a file cannot be used, 64 wrong usage.
      """,
    version: String(cString: version_text()),
    subcommands: [
      Train.self, Sample.self, Classify.self, Translate.self, Forecast.self, Evaluate.self,
      Score.self, Info.self,
      Quantize.self, MIDI.self,
      Roll.self, Models.self, Bench.self,
    ])

  static let _errorPrefix = "libretto: "

  static func main() {
    reserveStandardStreams()
    do {
      try checkArguments()
      try checkInstructionSet()
      let words = Array(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot(
        Grammar(of: self).map { try Arguments.normalized(words, $0) } ?? words)
      try command.run()
      leave(0)
    } catch let error as Failure {
      printError("libretto: \(Streams.named(error.message))")
      if let advice = error.advice { printError("  \(advice)") }
      leave(error.code)
    } catch {
      // Help and the version come this way too.
      let code = exitCode(for: error)
      if code.isSuccess {
        print(fullMessage(for: error))
      } else {
        printError(fullMessage(for: error))
      }
      leave(code.rawValue)
    }
  }

  /// What is not UTF-8 would be altered on its way to `String`, and name another file.
  private static func checkArguments() throws {
    for i in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = CommandLine.unsafeArgv[i], String(validatingCString: argument) == nil
      else { continue }
      throw Failure(
        "\"\(String(cString: argument))\" is not UTF-8, which arguments must be; rename the file, if it is one",
        code: 64)
    }
  }

  /// The library passes over what it does not know; a person wants to hear of it.
  private static func checkInstructionSet() throws {
    guard let wanted = InstructionSet.wanted, InstructionSet.named(wanted) == nil else { return }
    let names = InstructionSet.available.map(\.shortName).joined(separator: ", ")
    throw Failure("LIBRETTO_ISA is \"\(wanted)\"; this processor has \(names)", code: 64)
  }
}
