#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the files on a command line stand for.
enum FolderWalk {
  static func isFolder(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
  }

  static func isMIDI(_ path: String) -> Bool {
    let name = path.lowercased()
    return [".mid", ".midi", ".kar", ".rmi"].contains { name.hasSuffix($0) }
  }

  /// The names in a folder that do not begin with a dot, in no order.
  static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// What a path on a command line stands for: itself, or the MIDI files of a folder.
  static func wanted(_ path: String) throws -> [String] {
    guard isFolder(path) else { return [path] }
    let files = midiFiles(in: path)
    guard !files.isEmpty else {
      throw Failure("\(path) is a folder without MIDI files; name text files one by one", code: 2)
    }
    return files
  }

  /// The MIDI files in a folder and all folders below it, in the order of their names.
  static func midiFiles(in folder: String) -> [String] {
    var files: [String] = []
    var folders = [folder]
    while let next = folders.popLast() {
      for name in names(in: next) {
        let path = next.hasSuffix("/") ? next + name : next + "/" + name
        // A link to a folder above would lead round for ever.
        var facts = stat()
        guard lstat(path, &facts) == 0 else { continue }
        if facts.st_mode & S_IFMT == S_IFDIR {
          folders.append(path)
        } else if isMIDI(path) {
          files.append(path)
        }
      }
    }
    return files.sorted()
  }
}
