@testable import Libretto

/// Any bytes are JSON that is written as it is read, or an error that names one of the bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  do {
    let json = try JSON.parse(input)
    let text = json.text
    let again = try JSON.parse(text)
    claim(again.text == text, "what is written reads the same")
    for (key, value) in json.members ?? [] {
      claim(json[key] != nil, "a member is found by its name")
      _ = (value.integer, value.double, value.string)
    }
  } catch { claim(error.at >= 0 && error.at <= count, "the error names a byte") }
  return 0
}
