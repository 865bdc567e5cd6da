import Memory

@testable import Libretto

/// Any bytes are JSON that is written as it is read, or an error that names one of the bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = GrowableBuffer<UInt8>()
  try! text.append(contentsOf: UnsafeBufferPointer(start: start, count: count))
  do {
    let json = try JSONDocument(text).root
    let copy = copied(json)
    let again = copied(try JSONDocument(copy).root)
    claim(again.elements.elementsEqual(copy.elements), "what is written reads the same")
    for (key, value) in json.members ?? .none {
      if let name = key.string { claim(json[name] != nil, "a member is found by its name") }
      _ = (value.integer, value.double, value.string)
    }
  } catch {
    guard case .malformed(let at) = error else { return 0 }
    claim(at >= 0 && at <= count, "the error names a byte")
  }
  return 0
}

private func copied(_ value: JSONValue) -> GrowableBuffer<UInt8> {
  var writer = JSONWriter()
  try! copy(value, to: &writer)
  return writer.text
}

private func copy(_ value: JSONValue, to writer: inout JSONWriter) throws(OutOfMemory) {
  switch value.kind {
  case .null: try writer.literal("null")
  case .bool: try writer.literal(value.bool == true ? "true" : "false")
  case .number: try writer.literal(value.digits!)
  case .string:
    let text = GrowableBuffer<UInt8>()
    try value.append(to: text)
    try writer.string(text)
  case .array:
    try writer.beginArray()
    for element in value.array! { try copy(element, to: &writer) }
    try writer.endArray()
  case .object:
    try writer.beginObject()
    for (key, value) in value.members! {
      let name = GrowableBuffer<UInt8>()
      try key.append(to: name)
      try writer.name(name.withElements { String(decoding: $0, as: UTF8.self) })
      try copy(value, to: &writer)
    }
    try writer.endObject()
  }
}
