import Platform
import Synchronization

/// The sentence the system has for the last failed call.
func systemError() -> String { String(cString: strerror(errno)) }

/// What keeps a file from being read or written whole.
func notRegular(_ what: String, _ path: String, _ facts: stat) -> LibrettoError {
  let isDirectory = facts.st_mode & S_IFMT == S_IFDIR
  return LibrettoError(
    .file, "cannot \(what) \(path): it is \(isDirectory ? "a directory, " : "")not a regular file")
}

/// A path that leads to the same file whatever the working directory becomes.
func absolutePath(_ path: String) -> String {
  guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
  defer { free(folder) }
  return SystemPath.string(folder) + "/" + path
}

/// Temporary files this process has made, so that no two threads share one.
private let temporaries = Atomic<Int>(0)

/// Writes a file so that its name always holds a whole one, the old or the new: into a temporary
/// file in the same folder, which is synced and then renamed. A file keeps its permissions, and a
/// symbolic link still points to it; anything but a regular file is not replaced.
package func replaceFile(
  _ path: String, with write: (Output) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  var new = try Replacement(path, isNamed: false)
  try new.fill(write)
  if !new.takeName() {
    new.remove()
    new = try Replacement(path, isNamed: true)
    try new.fill(write)
  }
  close(new.descriptor)
  guard rename(new.temporary, new.target) == 0 else {
    let reason = systemError()
    unlink(new.temporary)
    throw LibrettoError(.file, "cannot write \(path): \(reason)")
  }
  syncFolder(of: new.target)
}

package func replaceFile(_ path: String, with bytes: [UInt8]) throws(LibrettoError) {
  try replaceFile(path) { (out) throws(LibrettoError) in
    try bytes.withUnsafeBufferPointer { (b) throws(LibrettoError) in
      try out.write(UnsafeRawBufferPointer(b))
    }
  }
}

/// Throws where `replaceFile` would, but for want of room: before work whose result goes there.
package func checkReplaceable(_ path: String) throws(LibrettoError) {
  try Replacement(path, isNamed: true).remove()
}

/// A temporary file that is to take another's place. Where that is possible it has no name until it
/// is whole: what ends the process before leaves nothing of it behind.
private struct Replacement {
  let path: String
  let target: String
  let temporary: String
  let descriptor: Int32
  private var isNamed: Bool

  init(_ path: String, isNamed: Bool) throws(LibrettoError) {
    self.path = path
    let old = try Self.replaced(path)
    target = old?.path ?? path
    let number = temporaries.wrappingAdd(1, ordering: .relaxed).newValue
    temporary = "\(target).\(getpid()).\(number).tmp"
    let permissions = old?.permissions ?? 0o666
    let nameless = isNamed ? -1 : Self.openNameless(in: folder(of: target), permissions)
    self.isNamed = nameless < 0
    descriptor =
      nameless >= 0
      ? nameless : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions)
    guard descriptor >= 0 else {
      throw LibrettoError(.file, "cannot write \(path): \(systemError())")
    }
    // Those that the mask of the process took away. Some file systems have none; that is no harm.
    if let old { fchmod(descriptor, old.permissions) }
  }

  /// Below 0 where the system or the file system has no files without names.
  private static func openNameless(in folder: String, _ permissions: mode_t) -> Int32 {
    #if os(Linux)
      // O_TMPFILE of open(2), which Glibc shows to none but GNU sources.
      open(folder, O_WRONLY | 0o20000000 | O_DIRECTORY | O_CLOEXEC, permissions)
    #else
      -1
    #endif
  }

  /// Writes and syncs; an error removes it.
  func fill(_ write: (Output) throws(LibrettoError) -> Void) throws(LibrettoError) {
    do throws(LibrettoError) {
      try write(Output(descriptor: descriptor, path: path))
      guard fsync(descriptor) == 0 else {
        throw LibrettoError(.file, "cannot write \(path): \(systemError())")
      }
    } catch {
      remove()
      throw error
    }
  }

  /// Gives it the temporary name if it has none; false where the system does not allow it.
  mutating func takeName() -> Bool {
    #if os(Linux)
      if !isNamed {
        // There may be one of a process of the same number.
        unlink(temporary)
        isNamed =
          linkat(
            AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0
      }
    #endif
    return isNamed
  }

  func remove() {
    close(descriptor)
    if isNamed { unlink(temporary) }
  }

  /// The file that has a name now, at the end of all links; nil if there is none.
  private static func replaced(_ path: String) throws(LibrettoError)
    -> (path: String, permissions: mode_t)?
  {
    guard !path.isEmpty else {
      throw LibrettoError(.file, "cannot write a file whose name is empty")
    }
    var facts = stat()
    guard stat(path, &facts) == 0 else {
      guard lstat(path, &facts) == 0 else { return nil }
      throw LibrettoError(.file, "cannot write \(path): it is a link that leads to no file")
    }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw notRegular("write", path, facts)
    }
    guard let full = realpath(path, nil) else {
      throw LibrettoError(.file, "cannot write \(path): \(systemError())")
    }
    defer { free(full) }
    return (String(cString: full), facts.st_mode & 0o777)
  }
}

private func folder(of path: String) -> String {
  path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
}

/// Makes the renaming itself survive a power cut, as far as the file system goes along.
private func syncFolder(of path: String) {
  let descriptor = open(folder(of: path), O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

/// An open file that takes bytes until all are written.
package struct Output {
  fileprivate let descriptor: Int32
  fileprivate let path: String

  package func write(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) {
    var rest = bytes
    #if canImport(Glibc)
      let put = Glibc.write
    #elseif canImport(Musl)
      let put = Musl.write
    #elseif canImport(Darwin)
      let put = Darwin.write
    #endif
    while !rest.isEmpty {
      let count = put(descriptor, rest.baseAddress!, min(rest.count, 1 << 30))
      if count < 0 {
        if errno == EINTR { continue }
        throw LibrettoError(.file, "cannot write \(path): \(systemError())")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}
