import Libretto
import Platform

/// The files in a folder and in all folders below it, by kind. Names that begin with a dot are passed
/// over; links are followed, and what several lead to is taken once.
struct FolderWalk {
  /// By the ends of their names, each in the order of the names.
  private(set) var music: [String] = []
  private(set) var text: [String] = []
  /// Files that are neither by their names.
  private(set) var others: [String] = []
  /// What could not be read, and why.
  private(set) var problems: [(path: String, reason: String)] = []

  /// The files that a command may read.
  var files: [String] { music + text }

  private var seen: Set<FileIdentity> = []

  init(_ folder: String) {
    walk(folder)
    music.sort()
    text.sort()
    others.sort()
    problems.sort { $0.path < $1.path }
  }

  static func isFolder(_ path: String) -> Bool { type(of: path) == S_IFDIR }

  /// What a path leads to, a type of stat(2); nil for nothing.
  private static func type(of path: String) -> mode_t? {
    var facts = stat()
    return SystemPath.with(path) { stat($0, &facts) } == 0 ? facts.st_mode & S_IFMT : nil
  }

  private mutating func walk(_ folder: String) {
    // A link to a folder above would lead round for ever.
    guard seen.insert(FileIdentity(folder)).inserted else { return }
    guard let names = SystemPath.names(in: folder) else {
      let reason = String(cString: strerror(errno))
      problems.append((folder, "cannot read the folder \(folder): \(reason)"))
      return
    }
    for name in names {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      switch Self.type(of: path) {
      case S_IFDIR: walk(path)
      case S_IFREG: note(path)
      case nil: problems.append((path, "\(path): a link that leads to no file"))
      case _?: problems.append((path, "\(path): not a regular file"))
      }
    }
  }

  private mutating func note(_ path: String) {
    guard seen.insert(FileIdentity(path)).inserted else {
      problems.append((path, "\(path): the same file as another"))
      return
    }
    if FileKind.hasEnding(path, of: FileKind.musicEndings) {
      music.append(path)
    } else if FileKind.hasEnding(path, of: FileKind.textEndings) {
      text.append(path)
    } else {
      others.append(path)
    }
  }
}
