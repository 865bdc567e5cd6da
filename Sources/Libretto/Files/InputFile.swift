import Memory
import Platform

/// A regular file that is open for reading.
///
/// It is read, never mapped: what another process does to a file meanwhile is then an error, where a
/// page of a mapping that is no more ends the process (SIGBUS).
package final class InputFile {
  package let path: String
  /// What it was when it was opened.
  let stamp: Stamp
  /// Bytes, when it was opened.
  package var count: Int { stamp.size }
  private let descriptor: Int32

  package init(_ path: String) throws(LibrettoError) {
    self.path = path
    // Not to wait, at a pipe, for somebody to write to it.
    descriptor = SystemPath.with(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      throw LibrettoError(.file, "cannot open \(path): \(systemError())")
    }
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else {
      let reason = systemError()
      close(descriptor)
      throw LibrettoError(.file, "cannot read \(path): \(reason)")
    }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw notRegular("read", path, facts)
    }
    stamp = Stamp(facts)
  }

  /// Which file it is, and when it was last changed.
  struct Stamp: BitwiseCopyable, Equatable {
    let device, node: UInt64
    let size: Int
    private let seconds, nanoseconds: Int

    fileprivate init(_ facts: stat) {
      device = UInt64(truncatingIfNeeded: facts.st_dev)
      node = UInt64(truncatingIfNeeded: facts.st_ino)
      size = Int(facts.st_size)
      #if canImport(Darwin)
        let changed = facts.st_mtimespec
      #else
        let changed = facts.st_mtim
      #endif
      (seconds, nanoseconds) = (Int(changed.tv_sec), Int(changed.tv_nsec))
    }
  }

  /// What it is now.
  func currentStamp() throws(LibrettoError) -> Stamp {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else {
      throw LibrettoError(.file, "cannot read \(path): \(systemError())")
    }
    return Stamp(facts)
  }

  deinit { close(descriptor) }

  /// Fills the buffer with the bytes from `offset` on; an error if the file has not so many any more.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
    throws(LibrettoError)
  {
    var done = 0
    while done < buffer.count {
      let got = pread(
        descriptor, buffer.baseAddress! + done, min(buffer.count - done, 1 << 30),
        off_t(offset + done))
      if got < 0 {
        if errno == EINTR { continue }
        throw LibrettoError(.file, "cannot read \(path): \(systemError())")
      }
      guard got > 0 else {
        throw LibrettoError(
          .file,
          "cannot read \(path): it was truncated to \(offset + done) bytes while it was read; expected \(count)"
        )
      }
      done += got
    }
  }
}

/// A whole file in memory.
package final class FileContents {
  private let buffer: GrowableBuffer<UInt8>
  /// As long as somebody holds this object; see `read` for a use that sees to it.
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(buffer.elements) }

  /// - `most`: a larger file is refused before it is read.
  package init(_ path: String, most: Int = .max) throws(LibrettoError) {
    let file = try InputFile(path)
    guard file.count <= most else {
      throw LibrettoError(
        .format, "\(path) has \(file.count) bytes; the most that is read is \(most)")
    }
    buffer = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer(repeating: 0, count: file.count)
    }
    try file.read(at: 0, into: UnsafeMutableRawBufferPointer(buffer.elements))
  }

  /// Reads a file and keeps it for as long as the body runs.
  package static func read<Value>(
    _ path: String, most: Int = .max,
    _ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Value
  ) throws(LibrettoError) -> Value {
    let file = try FileContents(path, most: most)
    defer { withExtendedLifetime(file) {} }
    return try body(file.bytes)
  }
}
