import Libretto

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a MIDI file becomes sound on this machine.
enum Listening {
  /// One line that says how to hear a file.
  static func advice(_ path: String) -> String {
    let file = quoted(path)
    if let player = program("fluidsynth"), let font = soundfont() {
      _ = player
      return "To hear it: fluidsynth -ni \(quoted(font)) \(file)"
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

  /// Lets FluidSynth render a file.
  static func render(_ midi: String, to wav: String, soundfont wanted: String?) throws {
    guard let player = program("fluidsynth") else {
      throw Failure("there is no FluidSynth to make \(wav) with; \(installation)")
    }
    if let wanted, access(wanted, R_OK) != 0 {
      throw Failure("cannot open \(wanted): \(String(cString: strerror(errno)))", code: 2)
    }
    guard let font = wanted ?? soundfont() else {
      throw Failure("there is no soundfont to make \(wav) with; \(installation)")
    }
    // A name that begins with a dash would be an option.
    func name(_ path: String) -> String { path.hasPrefix("-") ? "./" + path : path }
    let arguments = [
      "fluidsynth", "-ni", "-q", "-F", name(wav), "-r", "44100", name(font), name(midi),
    ]
    // What is there from before must not pass for the result.
    var facts = stat()
    if lstat(wav, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG { unlink(wav) }
    let status = try run(player, arguments)
    guard status == 0, access(wav, R_OK) == 0 else {
      throw Failure(
        "FluidSynth did not make \(wav); see what it says to: "
          + arguments.filter { $0 != "-q" }.map(quoted).joined(separator: " "))
    }
  }

  /// Runs a program to its end, its output thrown away; its exit code.
  private static func run(_ path: String, _ arguments: [String]) throws -> Int32 {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
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
      FolderWalk.names(in: folder).filter { $0.hasSuffix(".sf2") || $0.hasSuffix(".sf3") }
        .sorted { ($0.hasPrefix("default") ? 0 : 1, $0) < ($1.hasPrefix("default") ? 0 : 1, $1) }
        .map { "\(folder)/\($0)" }
    }
    return names.first { access($0, R_OK) == 0 }
  }

  /// A name as a shell takes it.
  private static func quoted(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy {
      $0 >= 0x30 && $0 <= 0x39 || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A
        || "-_./+:@%,=".utf8.contains($0)
    }
    if isPlain && !name.isEmpty { return name }
    return "'"
      + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
