import Memory
import Sequences

/// JSON text (RFC 8259) that is read where it lies: values at most 16 deep, numbers of at most 40
/// characters. What grows with the text is kept in a `GrowableBuffer`.
package final class JSONDocument {
  fileprivate struct Node: BitwiseCopyable {
    let kind: JSONValue.Kind
    /// The bytes of the value; of a string those between the quotes.
    let start: UInt32
    var end: UInt32
    /// The node after this value and all that is in it.
    var next: UInt32
  }

  fileprivate let text: GrowableBuffer<UInt8>
  fileprivate let nodes = GrowableBuffer<Node>()

  /// Longer texts are refused: 256 MiB.
  package static let maximumSize = 1 << 28

  /// Reads one value that fills the text, white space aside. The text must not change afterwards.
  package init(_ text: GrowableBuffer<UInt8>) throws(JSONError) {
    self.text = text
    guard text.count <= Self.maximumSize else { throw .malformed(at: Self.maximumSize) }
    var parser = Parser(bytes: UnsafeRawBufferPointer(text.elements), nodes: nodes)
    try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.at == text.count else { throw .malformed(at: parser.at) }
  }

  package var root: JSONValue { JSONValue(document: self, index: 0) }

  /// Where a value is in a document.
  struct Place: BitwiseCopyable {
    fileprivate let index: Int
  }

  subscript(place: Place) -> JSONValue { JSONValue(document: self, index: place.index) }
}

package enum JSONError: Error, Equatable {
  /// The text is not JSON from this byte on.
  case malformed(at: Int)
  case outOfMemory(OutOfMemory)
}

/// A value of a document.
package struct JSONValue {
  package enum Kind: UInt8, BitwiseCopyable { case null, bool, number, string, array, object }

  fileprivate let document: JSONDocument
  fileprivate let index: Int

  private var node: JSONDocument.Node { document.nodes[index] }
  package var kind: Kind { node.kind }
  var place: JSONDocument.Place { JSONDocument.Place(index: index) }

  /// The bytes of the text that are this value's.
  private var bytes: UnsafeRawBufferPointer {
    let node = node
    return UnsafeRawBufferPointer(
      rebasing: UnsafeRawBufferPointer(document.text.elements)[Int(node.start)..<Int(node.end)])
  }

  /// What a string says, if that is short: at most 1000 bytes of the text. See `append(to:)` for others.
  package var string: String? {
    kind == .string && bytes.count <= 1000 ? wholeString : nil
  }
  package var isString: Bool { kind == .string }

  /// What a string says, however long, for programs that end where there is no memory for it.
  var wholeString: String {
    kind == .string ? String(decoding: Array(Characters(bytes: bytes)), as: UTF8.self) : ""
  }

  /// Appends what a string says, as UTF-8.
  package func append(to text: GrowableBuffer<UInt8>) throws(OutOfMemory) {
    guard kind == .string else { return }
    try text.reserve(bytes.count)
    for byte in Characters(bytes: bytes) { text.appendReserved(byte) }
  }

  /// A number as it is written.
  package var digits: String? {
    kind == .number ? String(decoding: bytes, as: UTF8.self) : nil
  }
  package var integer: Int? { digits.flatMap { Int($0) } }
  package var double: Double? { digits.flatMap { Double($0) } }
  package var bool: Bool? { kind == .bool ? bytes[0] == UInt8(ascii: "t") : nil }

  /// The elements of an array; nil if it is none.
  package var array: Elements? { kind == .array ? Elements(of: self) : nil }

  /// The members of an object; nil if it is none.
  package var members: Members? { kind == .object ? Members(elements: Elements(of: self)) : nil }

  /// A member of an object; of several with this name the last one.
  package subscript(name: String) -> JSONValue? {
    var found: JSONValue?
    for (key, value) in members ?? .none where key.says(name) {
      found = value
    }
    return found
  }

  /// Whether it is a string that says this.
  package func says(_ text: String) -> Bool {
    kind == .string && Characters(bytes: bytes).elementsEqual(text.utf8)
  }

  /// Whether what this string says comes before what another says, byte by byte.
  package func precedes(_ other: JSONValue) -> Bool {
    Characters(bytes: bytes).lexicographicallyPrecedes(Characters(bytes: other.bytes))
  }

  package struct Elements: Sequence, IteratorProtocol {
    private let document: JSONDocument?
    private var index = 0
    private var end = 0

    package static var none: Elements { Elements(of: nil) }

    fileprivate init(of value: JSONValue?) {
      document = value?.document
      if let value { (index, end) = (value.index + 1, Int(value.node.next)) }
    }

    /// How many there are; takes a time proportional to it.
    package var count: Int { reduce(0) { count, _ in count + 1 } }

    package mutating func next() -> JSONValue? {
      guard let document, index < end else { return nil }
      defer { index = Int(document.nodes[index].next) }
      return JSONValue(document: document, index: index)
    }
  }

  package struct Members: Sequence, IteratorProtocol {
    fileprivate var elements: Elements

    package static var none: Members { Members(elements: Elements(of: nil)) }

    package mutating func next() -> (key: JSONValue, value: JSONValue)? {
      guard let key = elements.next(), let value = elements.next() else { return nil }
      return (key, value)
    }
  }
}

/// The bytes that a string of a document says, its escapes resolved.
private struct Characters: Sequence, IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0
  /// The rest of an escaped character, the next byte in the lowest 8 bits.
  private var pending: UInt32 = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func next() -> UInt8? {
    if pending != 0 {
      defer { pending >>= 8 }
      return UInt8(truncatingIfNeeded: pending)
    }
    guard at < bytes.count else { return nil }
    let byte = bytes[at]
    at += 1
    guard byte == UInt8(ascii: "\\") else { return byte }
    var escape = Escape(bytes: bytes, at: at)
    guard let scalar = escape.read() else { return nil }
    at = escape.at
    let packed = UTF8Text.bytes(of: scalar).packed
    pending = packed >> 8
    return UInt8(truncatingIfNeeded: packed)
  }
}

/// What follows a backslash.
private struct Escape {
  let bytes: UnsafeRawBufferPointer
  var at: Int

  /// The character; nil, and `at` where it is wrong, if there is no such escape.
  mutating func read() -> UInt32? {
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return single(UInt32(bytes[at]))
    case UInt8(ascii: "b"): return single(0x08)
    case UInt8(ascii: "f"): return single(0x0C)
    case UInt8(ascii: "n"): return single(0x0A)
    case UInt8(ascii: "r"): return single(0x0D)
    case UInt8(ascii: "t"): return single(0x09)
    case UInt8(ascii: "u"):
      at += 1
      guard let value = hex4() else { return nil }
      guard (0xD800..<0xE000).contains(value) else { return value }
      guard value < 0xDC00, take("\\"), take("u"), let low = hex4(),
        (0xDC00..<0xE000).contains(low)
      else { return nil }
      return 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
    default: return nil
    }
  }

  private mutating func single(_ value: UInt32) -> UInt32 {
    at += 1
    return value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func hex4() -> UInt32? {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard at < bytes.count, let digit = Self.digit(bytes[at]) else { return nil }
      value = value << 4 | digit
      at += 1
    }
    return value
  }

  private static func digit(_ c: UInt8) -> UInt32? {
    switch c {
    case 0x30...0x39: UInt32(c) - 0x30
    case 0x41...0x46: UInt32(c) - 0x41 + 10
    case 0x61...0x66: UInt32(c) - 0x61 + 10
    default: nil
    }
  }
}

private struct Parser {
  let bytes: UnsafeRawBufferPointer
  let nodes: GrowableBuffer<JSONDocument.Node>
  var at = 0

  init(bytes: UnsafeRawBufferPointer, nodes: GrowableBuffer<JSONDocument.Node>) {
    self.bytes = bytes
    self.nodes = nodes
  }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let c = next, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { at += 1 }
  }

  private mutating func expect(_ text: StaticString) throws(JSONError) {
    for i in 0..<text.utf8CodeUnitCount {
      guard next == text.utf8Start[i] else { throw .malformed(at: at) }
      at += 1
    }
  }

  private func begin(_ kind: JSONValue.Kind, at start: Int) throws(JSONError) -> Int {
    do {
      try nodes.append(
        JSONDocument.Node(kind: kind, start: UInt32(start), end: UInt32(start), next: 0))
    } catch { throw .outOfMemory(error) }
    return nodes.count - 1
  }

  private func end(_ node: Int, at end: Int) {
    nodes[node].end = UInt32(end)
    nodes[node].next = UInt32(nodes.count)
  }

  mutating func value(depth: Int) throws(JSONError) {
    guard depth < 16 else { throw .malformed(at: at) }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): try list(.object, "{", "}", depth)
    case UInt8(ascii: "["): try list(.array, "[", "]", depth)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try word("true", .bool)
    case UInt8(ascii: "f"): try word("false", .bool)
    case UInt8(ascii: "n"): try word("null", .null)
    default: try number()
    }
  }

  private mutating func word(_ word: StaticString, _ kind: JSONValue.Kind) throws(JSONError) {
    let node = try begin(kind, at: at)
    try expect(word)
    end(node, at: at)
  }

  private mutating func list(
    _ kind: JSONValue.Kind, _ opening: StaticString, _ closing: StaticString, _ depth: Int
  ) throws(JSONError) {
    let node = try begin(kind, at: at)
    try expect(opening)
    skipSpace()
    if next != closing.utf8Start[0] {
      while true {
        if kind == .object {
          skipSpace()
          try string()
          skipSpace()
          try expect(":")
        }
        try value(depth: depth + 1)
        skipSpace()
        guard next == UInt8(ascii: ",") else { break }
        at += 1
      }
    }
    try expect(closing)
    end(node, at: at)
  }

  private mutating func number() throws(JSONError) {
    let start = at
    if next == UInt8(ascii: "-") { at += 1 }
    if next == UInt8(ascii: "0") { at += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      at += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      at += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
      try digits()
    }
    guard at - start <= 40 else { throw .malformed(at: start) }
    end(try begin(.number, at: start), at: at)
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while let c = next, (0x30...0x39).contains(c) { at += 1 }
    guard at > start else { throw .malformed(at: at) }
  }

  private mutating func string() throws(JSONError) {
    let quote = at
    try expect("\"")
    let node = try begin(.string, at: at)
    while let c = next {
      switch c {
      case UInt8(ascii: "\""):
        end(node, at: at)
        at += 1
        return
      case UInt8(ascii: "\\"):
        var escape = Escape(bytes: bytes, at: at + 1)
        guard escape.read() != nil else { throw .malformed(at: escape.at) }
        at = escape.at
      case 0..<0x20: throw .malformed(at: at)
      case 0x80...:
        let rest = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + at
        guard let (_, length) = UTF8Text.scalar(rest, bytes.count - at) else {
          throw .malformed(at: at)
        }
        at += length
      default: at += 1
      }
    }
    throw .malformed(at: quote)
  }
}
