import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The sentence the system has for the last failed call.
func systemError() -> String { String(cString: strerror(errno)) }

/// A whole file, read through the page cache: it takes no memory of the process's own.
package final class MappedFile: @unchecked Sendable {
  /// As long as somebody holds this object; see `read` for a use that sees to it.
  package let bytes: UnsafeRawBufferPointer

  package init(_ path: String) throws(LibrettoError) {
    // Not to wait, at a pipe, for somebody to write to it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw LibrettoError(.file, "cannot open \(path): \(systemError())")
    }
    defer { close(descriptor) }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else {
      throw LibrettoError(.file, "cannot read \(path): \(systemError())")
    }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw LibrettoError(.file, "cannot read \(path): it is not a regular file")
    }
    let size = Int(facts.st_size)
    guard size > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED
    else { throw LibrettoError(.file, "cannot map \(path): \(systemError())") }
    bytes = UnsafeRawBufferPointer(start: memory, count: size)
  }

  /// Maps a file for as long as the body runs.
  package static func read<Value>(
    _ path: String, _ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Value
  ) throws(LibrettoError) -> Value {
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    return try body(file.bytes)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }
}

/// Temporary files this process has made, so that no two threads share one.
private let temporaries = Atomic<Int>(0)

/// Writes a file so that its name always holds a whole one, the old or the new: into a temporary
/// file in the same folder, which is synced and then renamed.
func replaceFile(
  _ path: String, with write: (Output) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  let number = temporaries.wrappingAdd(1, ordering: .relaxed).newValue
  let temporary = "\(path).\(getpid()).\(number).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else {
    throw LibrettoError(.file, "cannot write \(path): \(systemError())")
  }
  do throws(LibrettoError) {
    try write(Output(descriptor: descriptor, path: path))
    guard fsync(descriptor) == 0 else {
      throw LibrettoError(.file, "cannot write \(path): \(systemError())")
    }
  } catch {
    close(descriptor)
    unlink(temporary)
    throw error
  }
  close(descriptor)
  guard rename(temporary, path) == 0 else {
    let reason = systemError()
    unlink(temporary)
    throw LibrettoError(.file, "cannot write \(path): \(reason)")
  }
  syncFolder(of: path)
}

/// Makes the renaming itself survive a power cut, as far as the file system goes along.
private func syncFolder(of path: String) {
  let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
  let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return }
  fsync(descriptor)
  close(descriptor)
}

/// An open file that takes bytes until all are written.
struct Output {
  fileprivate let descriptor: Int32
  fileprivate let path: String

  func write(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) {
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
