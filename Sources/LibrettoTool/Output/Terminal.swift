@preconcurrency import Platform

/// Standard output: whether a person watches it, what it can show, and how wide it is.
enum Terminal {
  /// Whether it is a terminal on which a line can be rewritten.
  static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 && !isDumb }

  /// Whether it is a terminal that shows colours, and nobody asked for none (https://no-color.org).
  static var hasColor: Bool { isInteractive && (variable("NO_COLOR") ?? "").isEmpty }

  private static var isDumb: Bool { ["dumb", "", nil].contains(variable("TERM")) }

  private static func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  static var width: Int { columns(of: STDOUT_FILENO) ?? 80 }

  /// The columns of a terminal; nil for what is none.
  static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  static func write(_ text: String) {
    fputs(text, stdout)
  }

  static func write(_ bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    _ = fwrite(bytes, 1, bytes.count, stdout)
  }

  static func flush() { fflush(stdout) }

  /// Writes what is left. Why some of all that was written is lost, as the end of a sentence, which
  /// is empty where the system no longer knows; nil if nothing is, or nobody wants it any more.
  static func finish() -> String? {
    let reason = fflush(stdout) == 0 ? "" : ": \(String(cString: strerror(errno)))"
    guard ferror(stdout) != 0, !isAbandoned else { return nil }
    return reason
  }

  /// Whether it is a pipe whose reader has gone.
  private static var isAbandoned: Bool {
    var state = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLERR) != 0
  }

  /// Replaces what stands on the current line.
  static func rewriteLine(_ text: String) {
    write("\r\u{1B}[K" + text.cut(toColumns: max(10, width - 1)))
    flush()
  }
}

/// A number with a fixed number of decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
  guard value.isFinite else { return "-" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = (abs(value) * scale).rounded()
  guard scaled < 1e17 else { return "\(value)" }
  let digits = String(Int(scaled))
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  let sign = value < 0 && scaled > 0 ? "-" : ""
  if decimals == 0 { return sign + padded }
  return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// A whole number with commas between the thousands.
func grouped(_ value: Int) -> String {
  let digits = String(abs(value))
  var result = ""
  for (i, digit) in digits.enumerated() {
    if i > 0 && (digits.count - i) % 3 == 0 { result += "," }
    result.append(digit)
  }
  return (value < 0 ? "-" : "") + result
}

/// Seconds as a person reads them: 45s, 2m05s, 1h20m.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "-" }
  let whole = Int(seconds.rounded())
  if whole < 60 { return "\(whole)s" }
  let two = { (n: Int) in n < 10 ? "0\(n)" : "\(n)" }
  if whole < 3600 { return "\(whole / 60)m\(two(whole % 60))s" }
  return "\(whole / 3600)h\(two(whole % 3600 / 60))m"
}

/// Seconds of a clock that only goes forward.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
