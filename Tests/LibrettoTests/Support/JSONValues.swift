import Memory

@testable import Libretto

extension JSON {
  /// The same as a document has it.
  var value: JSONValue {
    let text = GrowableBuffer<UInt8>()
    try! text.append(contentsOf: self.text.utf8)
    return try! JSONDocument(text).root
  }
}
