import Memory

/// A value of JSON, small enough to be held by Swift's own types, which end the process where there is no
/// memory for them; objects keep their order. What grows with the library's input is read by a
/// `JSONDocument` and written by a `JSONWriter`.
package enum JSON: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSON])
  case object([(key: String, value: JSON)])

  package static func number(_ value: Int) -> JSON { .number(String(value)) }
  /// Enough digits to give the same number back; null if it is not finite.
  package static func number(_ value: Double) -> JSON {
    value.isFinite ? .number("\(value)") : .null
  }

  package static func == (a: JSON, b: JSON) -> Bool { a.text == b.text }

  package func write(to writer: inout JSONWriter) throws(OutOfMemory) {
    switch self {
    case .null: try writer.literal("null")
    case .bool(let b): try writer.literal(b ? "true" : "false")
    case .number(let n): try writer.literal(n)
    case .string(let s): try writer.string(s)
    case .array(let items):
      try writer.beginArray()
      for item in items { try item.write(to: &writer) }
      try writer.endArray()
    case .object(let members):
      try writer.beginObject()
      for member in members {
        try writer.name(member.key)
        try member.value.write(to: &writer)
      }
      try writer.endObject()
    }
  }

  /// The text, for programs that end where there is no memory for it.
  package var text: String {
    var writer = JSONWriter()
    do { try write(to: &writer) } catch { fatalError("no memory for a text of JSON") }
    return writer.text.withElements { String(decoding: $0, as: UTF8.self) }
  }
}

extension JSON {
  /// Reads one value that fills the text, white space aside.
  package static func parse(_ text: some Sequence<UInt8>) throws(JSONError) -> JSON {
    let bytes = GrowableBuffer<UInt8>()
    do { try bytes.append(contentsOf: text) } catch { throw .outOfMemory(error) }
    return JSON(try JSONDocument(bytes).root)
  }

  package static func parse(_ text: String) throws(JSONError) -> JSON { try parse(text.utf8) }

  private init(_ value: JSONValue) {
    switch value.kind {
    case .null: self = .null
    case .bool: self = .bool(value.bool == true)
    case .number: self = .number(value.digits ?? "")
    case .string: self = .string(value.wholeString)
    case .array: self = .array((value.array ?? .none).map { JSON($0) })
    case .object:
      self = .object((value.members ?? .none).map { ($0.key.wholeString, JSON($0.value)) })
    }
  }

  /// A member of an object; of several with this name the last one.
  package subscript(key: String) -> JSON? { members?.last { $0.key == key }?.value }

  package var string: String? { if case .string(let s) = self { s } else { nil } }
  package var integer: Int? { if case .number(let n) = self { Int(n) } else { nil } }
  package var double: Double? { if case .number(let n) = self { Double(n) } else { nil } }
  package var array: [JSON]? { if case .array(let a) = self { a } else { nil } }
  package var members: [(key: String, value: JSON)]? {
    if case .object(let m) = self { m } else { nil }
  }
}
