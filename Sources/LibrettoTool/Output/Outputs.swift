import Libretto
import Platform

/// The files a command is going to write: none may be one that it reads, or another of them. `-` is
/// standard output.
struct Outputs {
  private var files: [(path: String, identity: FileIdentity)] = []

  /// `text`: those that hold text, which may go to a terminal.
  init(_ binary: [String], text: [String] = []) throws {
    for path in binary + text {
      let identity = FileIdentity(path == "-" ? "/dev/stdout" : path)
      if files.contains(where: { $0.identity == identity }) {
        throw Failure("two results cannot both go into \(path); name another for one", code: 64)
      }
      files.append((path, identity))
    }
    if (binary + text).contains("-") { try StandardOutput.claim(isText: !binary.contains("-")) }
  }

  /// How messages call one.
  static func name(_ path: String) -> String { path == "-" ? "standard output" : path }

  /// Throws where one cannot be written.
  func checkReplaceable() throws {
    for (path, _) in files where path != "-" {
      try orFail { () throws(LibrettoError) in try Libretto.checkReplaceable(path) }
    }
  }

  /// Refuses to write over an input, and to read standard input twice.
  func spare(_ inputs: [String?]) throws {
    let inputs = inputs.compactMap { $0 }
    if inputs.count(where: { $0 == "-" }) > 1 {
      throw Failure(
        "standard input (-) can be read only once; name a file for the others", code: 64)
    }
    for input in inputs { try spare(input) }
  }

  func spare(_ input: String) throws {
    // What standard input comes from may be a file too.
    let source = input == "-" ? "/dev/stdin" : input
    // A pipe or a terminal takes no harm.
    guard !Streams.isStream(source) else { return }
    let identity = FileIdentity(source)
    guard let output = files.first(where: { $0.identity == identity }) else { return }
    let name = output.path == input ? input : "\(output.path), which is \(input),"
    throw Failure("\(name) would be read and written over; name another output", code: 64)
  }
}

/// What tells whether two paths lead to one file: where it is on its disk, or, if there is none yet,
/// its folder and its name.
struct FileIdentity: Hashable {
  private var device = UInt64.max
  private var number = UInt64.max
  private var path = ""

  init(_ path: String) {
    var facts = stat()
    if SystemPath.with(path, { stat($0, &facts) }) == 0 {
      device = UInt64(truncatingIfNeeded: facts.st_dev)
      number = UInt64(truncatingIfNeeded: facts.st_ino)
    } else {
      let slash = path.lastIndex(of: "/")
      let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
      self.path = resolved(slash.map { String(path[...$0]) } ?? ".") + "/" + name
    }
  }
}

extension FileIdentity {
  /// Why there is nothing by a name, in the system's words; nil if there is, be it a link to nothing.
  static func whyMissing(_ path: String) -> String? {
    var facts = stat()
    return SystemPath.with(path) { lstat($0, &facts) } == 0
      ? nil : String(cString: strerror(errno))
  }
}

/// A path from the root on, without links, of what exists; else as it was.
func resolved(_ path: String) -> String { SystemPath.resolved(path) ?? path }

func exists(_ path: String) -> Bool { SystemPath.with(path) { access($0, F_OK) } == 0 }
