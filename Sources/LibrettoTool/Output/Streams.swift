import Libretto
@preconcurrency import Platform

/// Standard input, pipes and terminals where a command takes a file to read.
enum Streams {
  /// Whether a path is `-`, for standard input, or leads to what has no place to read from again.
  static func isStream(_ path: String) -> Bool {
    if path == "-" { return true }
    var facts = stat()
    guard stat(path, &facts) == 0 else { return false }
    switch facts.st_mode & S_IFMT {
    case S_IFIFO, S_IFSOCK: return true
    case S_IFCHR: return isTerminal(path)
    default: return false
    }
  }

  /// What names a regular file with the same bytes: the path itself, or for a stream, which is read
  /// to its end at the first call, a temporary file. No stream is read for two purposes; see
  /// `Outputs.spare`.
  static func file(_ path: String) throws -> String {
    guard !path.isEmpty else { throw Failure("the name of a file is empty", code: 64) }
    guard isStream(path) else { return path }
    if let known = copies.first(where: { $0.path == path }) { return known.copy }
    let source = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard source >= 0 else { throw failed("open", name(path)) }
    defer { if source != STDIN_FILENO { close(source) } }
    let target = try temporaryFile()
    try spool(source, to: target, name(path))
    let copy = "/dev/fd/\(target)"
    copies.append((path, copy))
    return copy
  }

  /// How messages call a path.
  static func name(_ path: String) -> String { path == "-" ? "standard input" : path }

  /// A message with the names of streams in place of those of their copies.
  static func named(_ message: String) -> String {
    var message = message
    for (path, copy) in copies {
      message = message.split(separator: copy, omittingEmptySubsequences: false)
        .joined(separator: name(path))
    }
    return message
  }

  /// The tool has one thread where it reads files.
  nonisolated(unsafe) private static var copies: [(path: String, copy: String)] = []

  private static func isTerminal(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return isatty(descriptor) == 1
  }

  /// An open file without a name, which is gone when the process ends.
  private static func temporaryFile() throws -> Int32 {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/libretto.XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw failed("make a temporary file in", folder) }
    unlink(template)
    return descriptor
  }

  private static func spool(_ source: Int32, to target: Int32, _ name: String) throws {
    var block = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(source, &block, block.count)
      if count == 0 { return }
      if count < 0 {
        if errno == EINTR { continue }
        throw failed("read", name)
      }
      guard writeAll(target, block[..<count]) else {
        throw failed("write a temporary file for", name)
      }
    }
  }

  private static func failed(_ what: String, _ name: String) -> Failure {
    Failure("cannot \(what) \(name): \(String(cString: strerror(errno)))", code: 2)
  }
}

/// Standard output where a command takes a file to write, `-`.
enum StandardOutput {
  /// What standard output was before `claim`.
  nonisolated(unsafe) private static var descriptor: Int32 = -1

  /// Keeps standard output for a result: what is printed from now on goes to standard error.
  static func claim(isText: Bool) throws {
    if !isText && isatty(STDOUT_FILENO) == 1 {
      throw Failure(
        "the result is binary and is not written to a terminal; redirect standard output, or name a file",
        code: 64)
    }
    fflush(stdout)
    descriptor = dup(STDOUT_FILENO)
    guard descriptor >= 0, dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 else {
      throw Failure("cannot write to standard output: \(String(cString: strerror(errno)))")
    }
  }

  static func write(_ bytes: some Collection<UInt8>) throws {
    guard writeAll(descriptor, ArraySlice(bytes)) else {
      throw Failure("cannot write to standard output: \(String(cString: strerror(errno)))")
    }
  }
}

/// Writes bytes to a descriptor; false, with `errno`, where that fails.
private func writeAll(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
  bytes.withUnsafeBytes { bytes in
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let count = write(descriptor, part.baseAddress, part.count)
      if count < 0 && errno != EINTR { return false }
      if count > 0 { rest = rest.dropFirst(count) }
    }
    return true
  }
}

/// Opens what is closed of standard input, output and error, so that no other file gets their
/// numbers: each in the direction in which its use still fails.
func reserveStandardStreams() {
  for (number, direction) in [
    (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
  ] where fcntl(number, F_GETFD) < 0 && errno == EBADF {
    // The lowest number that is free.
    _ = open("/dev/null", direction)
  }
}
