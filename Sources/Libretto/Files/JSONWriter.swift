import Memory

/// Writes JSON text (RFC 8259) piece by piece into a buffer.
package struct JSONWriter {
  package let text = GrowableBuffer<UInt8>()
  /// Whether a comma is due before the next element.
  private var needsComma = false

  package init() {}

  package mutating func beginObject() throws(OutOfMemory) { try open("{") }
  package mutating func endObject() throws(OutOfMemory) { try close("}") }
  package mutating func beginArray() throws(OutOfMemory) { try open("[") }
  package mutating func endArray() throws(OutOfMemory) { try close("]") }

  /// The name of the object's next member.
  package mutating func name(_ name: String) throws(OutOfMemory) {
    try string(name)
    try text.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ string: String) throws(OutOfMemory) {
    try quoted { (text) throws(OutOfMemory) in
      for byte in string.utf8 { try Self.append(byte, to: text) }
    }
  }

  /// A string of UTF-8 that is in a buffer.
  package mutating func string(_ string: GrowableBuffer<UInt8>) throws(OutOfMemory) {
    try quoted { (text) throws(OutOfMemory) in
      for byte in string.elements { try Self.append(byte, to: text) }
    }
  }

  /// Anything else: a number, `true`, `false`, `null`.
  package mutating func literal(_ literal: String) throws(OutOfMemory) {
    try separate()
    try text.append(contentsOf: literal.utf8)
  }

  private mutating func quoted(
    _ body: (GrowableBuffer<UInt8>) throws(OutOfMemory) -> Void
  ) throws(OutOfMemory) {
    try separate()
    try text.append(UInt8(ascii: "\""))
    try body(text)
    try text.append(UInt8(ascii: "\""))
  }

  private static func append(_ byte: UInt8, to text: GrowableBuffer<UInt8>) throws(OutOfMemory) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      try text.append(UInt8(ascii: "\\"))
      try text.append(byte)
    case 0..<0x20, 0x7F:
      let hex = String(byte, radix: 16)
      try text.append(contentsOf: (byte < 16 ? "\\u000" : "\\u00").utf8)
      try text.append(contentsOf: hex.utf8)
    default: try text.append(byte)
    }
  }

  private mutating func separate() throws(OutOfMemory) {
    if needsComma { try text.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  private mutating func open(_ bracket: Unicode.Scalar) throws(OutOfMemory) {
    try separate()
    try text.append(UInt8(ascii: bracket))
    needsComma = false
  }

  private mutating func close(_ bracket: Unicode.Scalar) throws(OutOfMemory) {
    try text.append(UInt8(ascii: bracket))
    needsComma = true
  }
}
