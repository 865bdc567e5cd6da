/// JSON (RFC 8259), as much of it as headers of model files need: strings, whole numbers and
/// decimals, lists and objects, at most 16 deep. Objects keep their order.
package enum JSON: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([(key: String, value: JSON)])

  package static func == (a: JSON, b: JSON) -> Bool { a.text == b.text }

  package subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  package var string: String? {
    if case .string(let s) = self { s } else { nil }
  }
  package var integer: Int? {
    if case .number(let s) = self { Int(s) } else { nil }
  }
  package var double: Double? {
    if case .number(let s) = self { Double(s) } else { nil }
  }
  package var array: [JSON]? {
    if case .array(let a) = self { a } else { nil }
  }
  package var members: [(key: String, value: JSON)]? {
    if case .object(let m) = self { m } else { nil }
  }

  package static func number(_ value: Int) -> JSON { .number(String(value)) }
  /// Enough digits to give the same number back; null if it is not finite.
  package static func number(_ value: Double) -> JSON {
    value.isFinite ? .number("\(value)") : .null
  }

  package var text: String {
    var out = ""
    write(&out)
    return out
  }

  private func write(_ out: inout String) {
    switch self {
    case .null: out += "null"
    case .bool(let b): out += b ? "true" : "false"
    case .number(let n): out += n
    case .string(let s): JSON.write(s, &out)
    case .array(let items):
      out += "["
      for (i, item) in items.enumerated() {
        if i > 0 { out += "," }
        item.write(&out)
      }
      out += "]"
    case .object(let members):
      out += "{"
      for (i, member) in members.enumerated() {
        if i > 0 { out += "," }
        JSON.write(member.key, &out)
        out += ":"
        member.value.write(&out)
      }
      out += "}"
    }
  }

  private static func write(_ s: String, _ out: inout String) {
    out += "\""
    for scalar in s.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    out += "\""
  }

  /// Reads one value that fills the bytes, white space aside; the error names the byte.
  package static func parse(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> JSON {
    var parser = Parser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.at == bytes.count else { throw Malformed(at: parser.at) }
    return value
  }

  package static func parse(_ text: String) throws(Malformed) -> JSON {
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { (b) throws(Malformed) in
      try parse(UnsafeRawBufferPointer(b))
    }
  }

  package struct Malformed: Error {
    package let at: Int
  }
}

private struct Parser {
  let bytes: UnsafeRawBufferPointer
  var at = 0

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  mutating func skipSpace() {
    while let c = next, c == 0x20 || c == 0x0A || c == 0x0D || c == 0x09 { at += 1 }
  }

  mutating func expect(_ text: StaticString) throws(JSON.Malformed) {
    for i in 0..<text.utf8CodeUnitCount {
      guard next == text.utf8Start[i] else { throw JSON.Malformed(at: at) }
      at += 1
    }
  }

  mutating func value(depth: Int) throws(JSON.Malformed) -> JSON {
    guard depth < 16 else { throw JSON.Malformed(at: at) }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth)
    case UInt8(ascii: "["): return try array(depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try expect("true")
      return .bool(true)
    case UInt8(ascii: "f"):
      try expect("false")
      return .bool(false)
    case UInt8(ascii: "n"):
      try expect("null")
      return .null
    default: return try number()
    }
  }

  mutating func object(_ depth: Int) throws(JSON.Malformed) -> JSON {
    var members: [(key: String, value: JSON)] = []
    try expect("{")
    skipSpace()
    if next == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      let key = try string()
      skipSpace()
      try expect(":")
      members.append((key, try value(depth: depth + 1)))
      skipSpace()
      if next == UInt8(ascii: ",") {
        at += 1
      } else {
        try expect("}")
        return .object(members)
      }
    }
  }

  mutating func array(_ depth: Int) throws(JSON.Malformed) -> JSON {
    var items: [JSON] = []
    try expect("[")
    skipSpace()
    if next == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      if next == UInt8(ascii: ",") {
        at += 1
      } else {
        try expect("]")
        return .array(items)
      }
    }
  }

  mutating func number() throws(JSON.Malformed) -> JSON {
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
    guard at - start <= 40 else { throw JSON.Malformed(at: start) }
    return .number(String(decoding: bytes[start..<at], as: UTF8.self))
  }

  private mutating func digits() throws(JSON.Malformed) {
    let start = at
    while let c = next, (0x30...0x39).contains(c) { at += 1 }
    guard at > start else { throw JSON.Malformed(at: at) }
  }

  mutating func string() throws(JSON.Malformed) -> String {
    let start = at
    try expect("\"")
    var content: [UInt8] = []
    while let c = next {
      at += 1
      switch c {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw JSON.Malformed(at: start)
        }
        return text
      case UInt8(ascii: "\\"): try escape(&content)
      case 0..<0x20: throw JSON.Malformed(at: at - 1)
      default: content.append(c)
      }
    }
    throw JSON.Malformed(at: start)
  }

  private mutating func escape(_ content: inout [UInt8]) throws(JSON.Malformed) {
    guard let c = next else { throw JSON.Malformed(at: at) }
    at += 1
    switch c {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(c)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      var value = try hex4()
      if (0xD800..<0xDC00).contains(value) {
        try expect("\\u")
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else { throw JSON.Malformed(at: at) }
        value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else { throw JSON.Malformed(at: at) }
      content.append(contentsOf: String(Character(scalar)).utf8)
    default: throw JSON.Malformed(at: at - 1)
    }
  }

  private mutating func hex4() throws(JSON.Malformed) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let c = next, let digit = Character(Unicode.Scalar(c)).hexDigitValue else {
        throw JSON.Malformed(at: at)
      }
      value = value << 4 | UInt32(digit)
      at += 1
    }
    return value
  }
}
