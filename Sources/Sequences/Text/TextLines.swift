/// Finds the lines of a text that comes in blocks. A line ends before a line feed, or before a carriage return and a line
/// feed; what comes after the last is a line if there is anything.
package struct TextLines {
  package struct Line: BitwiseCopyable {
    /// From 1 on.
    package fileprivate(set) var number = 1
    /// Where it begins in the text, and its bytes without those that end it.
    package fileprivate(set) var start = 0
    package fileprivate(set) var count = 0
    /// Bytes before its first tab; nil if it has none.
    package fileprivate(set) var tab: Int?
  }

  private var line = Line()
  private var last: UInt8 = 0

  package init() {}

  /// Hands on the lines that end in a block.
  package mutating func read<Failure: Error>(
    _ block: UnsafeRawBufferPointer, _ each: (Line) throws(Failure) -> Void
  ) throws(Failure) {
    for byte in block {
      if byte == 0x0A {
        try end(each)
      } else {
        if byte == 0x09 && line.tab == nil { line.tab = line.count }
        line.count += 1
        last = byte
      }
    }
  }

  /// Hands on the last line, if it did not end.
  package mutating func finish<Failure: Error>(_ each: (Line) throws(Failure) -> Void)
    throws(Failure)
  {
    if line.count > 0 { try end(each) }
  }

  private mutating func end<Failure: Error>(_ each: (Line) throws(Failure) -> Void)
    throws(Failure)
  {
    var next = Line()
    next.number = line.number + 1
    next.start = line.start + line.count + 1
    if line.count > 0 && last == 0x0D { line.count -= 1 }
    let ended = line
    (line, last) = (next, 0)
    try each(ended)
  }
}
