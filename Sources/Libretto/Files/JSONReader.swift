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
    kind == .string ? String(decoding: Array(JSONCharacters(bytes: bytes)), as: UTF8.self) : ""
  }

  /// Appends what a string says, as UTF-8.
  package func append(to text: GrowableBuffer<UInt8>) throws(OutOfMemory) {
    guard kind == .string else { return }
    try text.reserve(bytes.count)
    for byte in JSONCharacters(bytes: bytes) { text.appendReserved(byte) }
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
    kind == .string && JSONCharacters(bytes: bytes).elementsEqual(text.utf8)
  }

  /// Whether what this string says comes before what another says, byte by byte.
  package func precedes(_ other: JSONValue) -> Bool {
    JSONCharacters(bytes: bytes).lexicographicallyPrecedes(JSONCharacters(bytes: other.bytes))
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
        var escape = JSONEscape(bytes: bytes, at: at + 1)
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
