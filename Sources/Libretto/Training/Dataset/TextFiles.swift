import Memory
import Sequences

/// Files of text that are read later, a block at a time: it takes no memory that grows with them, and
/// whatever another process does to them meanwhile is an error at worst.
final class TextFiles {
  /// Bytes of a block: what is read at once, and what is worked on before a stop is heeded.
  static let blockSize = 1 << 20

  private struct File: BitwiseCopyable {
    /// Where the absolute path begins in `paths`.
    let path: Int
    let stamp: InputFile.Stamp
  }

  private let list = GrowableBuffer<File>()
  /// Paths, each with a zero at its end.
  private let paths = GrowableBuffer<UInt8>()

  /// Takes note of a file; gives its number and its size.
  func add(_ path: String) throws(LibrettoError) -> (number: Int32, count: Int) {
    let file = try InputFile(path)
    let start = paths.count
    try allocating { () throws(OutOfMemory) in
      try paths.append(contentsOf: absolutePath(path).utf8)
      try paths.append(0)
      try list.append(File(path: start, stamp: file.stamp))
    }
    return (Int32(list.count - 1), file.count)
  }

  /// Bytes of a byte order mark at the beginning of a file.
  func markLength(of number: Int32, _ kind: TextKind) throws(LibrettoError) -> Int {
    let file = try open(list[Int(number)])
    var start: UInt32 = 0
    return try withUnsafeMutableBytes(of: &start) { (bytes) throws(LibrettoError) in
      let head = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, file.count)])
      try file.read(at: 0, into: head)
      return kind.markLength(UnsafeRawBufferPointer(head))
    }
  }

  /// Hands on some bytes of a file in blocks of whole characters, as far as it has any, until the body
  /// says no.
  func eachBlock(
    of number: Int32, _ range: Range<Int>,
    _ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Bool
  ) throws(LibrettoError) {
    let file = try open(list[Int(number)])
    let block = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<UInt8>(repeating: 0, count: min(Self.blockSize, range.count))
    }
    var at = range.lowerBound
    while at < range.upperBound {
      let size = min(block.count, range.upperBound - at)
      let bytes = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(block.elements)[..<size])
      try file.read(at: at, into: bytes)
      let isLast = at + size == range.upperBound
      let count = isLast ? size : UTF8Text.wholeCharacters(UnsafeRawBufferPointer(bytes))
      guard try body(UnsafeRawBufferPointer(rebasing: bytes[..<count])) else { return }
      at += count
    }
    try requireUnchanged(file, list[Int(number)])
  }

  private func open(_ entry: File) throws(LibrettoError) -> InputFile {
    let path = paths.elements[entry.path...].prefix { $0 != 0 }
    let file = try InputFile(String(decoding: path, as: UTF8.self))
    try requireUnchanged(file, entry)
    return file
  }

  private func requireUnchanged(_ file: InputFile, _ entry: File) throws(LibrettoError) {
    let now = try file.currentStamp()
    guard now == entry.stamp else {
      throw LibrettoError(
        .file,
        "\(file.path) has been changed or replaced since it was added (it had \(entry.stamp.size) bytes and has \(now.size)); add it to a new trainer"
      )
    }
  }
}
