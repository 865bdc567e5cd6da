import Libretto
import Platform

/// How a MIDI file becomes sound on this machine.
enum Listening {
  /// One line that says how to hear a file.
  static func advice(_ path: String) -> String {
    let file = shellWord(path)
    if program("fluidsynth") != nil, let font = soundfont() {
      // Its usual gain is that of a mixer's channel.
      return "To hear it: fluidsynth -ni -g 1 \(shellWord(font)) \(file)"
    }
    if program("timidity") != nil { return "To hear it: timidity \(file)" }
    #if os(macOS)
      return "To hear it: open \(file)"
    #else
      if program("aplaymidi") != nil {
        return "To hear it: aplaymidi -p PORT \(file)  (aplaymidi -l lists the ports)"
      }
      return "To hear it, open it in any music player; or \(installation)."
    #endif
  }

  private static let installation =
    "install FluidSynth and a soundfont (Debian: apt install fluidsynth fluid-soundfont-gm)"

  /// FluidSynth with a soundfont; throws what to do if either is missing.
  struct Renderer {
    private let player, font: String

    /// - `wav`: what it is wanted for.
    init(for wav: String, soundfont wanted: String?) throws {
      guard let player = program("fluidsynth") else {
        throw Failure("cannot write \(wav): FluidSynth is not installed; \(installation)")
      }
      if let wanted { try Self.check(wanted) }
      guard let font = wanted ?? soundfont() else {
        throw Failure(
          "cannot write \(wav): there is no soundfont; name one with --soundfont, or \(installation)"
        )
      }
      self.player = player
      self.font = font
    }

    /// FluidSynth itself takes anything, and renders silence.
    private static func check(_ font: String) throws {
      guard let file = fopen(font, "rb") else {
        throw Failure("cannot open \(font): \(String(cString: strerror(errno)))", code: 2)
      }
      defer { fclose(file) }
      var bytes = [UInt8](repeating: 0, count: 12)
      guard fread(&bytes, 1, 12, file) == 12, bytes.starts(with: "RIFF".utf8),
        [Array("sfbk".utf8), Array("DLS ".utf8)].contains(Array(bytes[8...]))
      else {
        throw Failure("\(font) is not a soundfont; expected an SF2, SF3 or DLS file", code: 2)
      }
    }

    /// The sound of a MIDI file. FluidSynth reads and writes files without names, of which nothing
    /// is left whatever happens.
    func render(_ midi: [UInt8]) throws -> WaveFile {
      guard let input = tmpfile(), let output = tmpfile(), let log = tmpfile() else {
        throw Failure("cannot make a temporary file: \(String(cString: strerror(errno)))")
      }
      defer { for file in [input, log] { fclose(file) } }
      guard fwrite(midi, 1, midi.count, input) == midi.count, fflush(input) == 0 else {
        throw Failure("cannot write a temporary file: \(String(cString: strerror(errno)))")
      }
      // A name that begins with a dash would be an option.
      let font = font.hasPrefix("-") ? "./" + font : font
      let status = try run(
        player,
        [
          "fluidsynth", "-ni", "-q", "-r", "44100", "-T", "wav", "-O", "float", "-F",
          "/dev/fd/\(fileno(output))", font, "/dev/fd/\(fileno(input))",
        ], log: fileno(log))
      guard status == 0, let sound = WaveFile(output) else {
        throw Failure("FluidSynth rendered nothing\(lastLine(log).map { ": \($0)" } ?? "")")
      }
      guard sound.bytes <= WaveFile.mostBytes else {
        throw Failure("the music is too long for a WAV file, which holds 4 GB; ask for less")
      }
      return sound
    }

    private func lastLine(_ file: UnsafeMutablePointer<FILE>) -> String? {
      var bytes = [UInt8](repeating: 0, count: 4096)
      fseek(file, 0, SEEK_END)
      fseek(file, max(0, ftell(file) - bytes.count), SEEK_SET)
      let count = fread(&bytes, 1, bytes.count, file)
      return String(decoding: bytes[..<count], as: UTF8.self)
        .split(whereSeparator: \.isNewline).last.map { printable(String($0)) }
    }
  }

  /// Runs a program to its end, its output written to a log; its exit code.
  private static func run(_ path: String, _ arguments: [String], log: Int32) throws -> Int32 {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_adddup2(&actions, log, descriptor)
    }
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let failure = posix_spawn(&process, path, &actions, nil, &pointers, environ)
    guard failure == 0 else {
      throw Failure("cannot run \(path): \(String(cString: strerror(failure)))")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else { return -1 }
    }
    return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
  }

  /// The path of a program among those the shell finds.
  private static func program(_ name: String) -> String? {
    guard let path = getenv("PATH") else { return nil }
    return String(cString: path).split(separator: ":").map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }

  /// A soundfont where systems keep them; the one the system calls its default if there is one.
  private static func soundfont() -> String? {
    let home = getenv("HOME").map { String(cString: $0) + "/.local/share" }
    let roots =
      ["/usr/share", "/usr/local/share", "/opt/homebrew/share"] + [home].compactMap { $0 }
    let folders = roots.flatMap { ["\($0)/sounds/sf2", "\($0)/sounds/sf3", "\($0)/soundfonts"] }
    let names = folders.flatMap { folder in
      (SystemPath.names(in: folder) ?? []).filter { $0.hasSuffix(".sf2") || $0.hasSuffix(".sf3") }
        .sorted { ($0.hasPrefix("default") ? 0 : 1, $0) < ($1.hasPrefix("default") ? 0 : 1, $1) }
        .map { "\(folder)/\($0)" }
    }
    return names.first { access($0, R_OK) == 0 }
  }
}
