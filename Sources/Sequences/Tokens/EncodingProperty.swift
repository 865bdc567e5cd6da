import Memory

/// Something that an encoding keeps of itself in a model file: a number, a name, or a long text.
public enum EncodingProperty: Equatable, Sendable, ExpressibleByStringLiteral {
  case short(String)
  /// A text of any length, as UTF-8.
  case long(GrowableBuffer<UInt8>)

  public init(stringLiteral text: String) { self = .short(text) }

  /// The text, which the caller knows to be of a bounded length.
  var text: String {
    switch self {
    case .short(let text): text
    case .long(let bytes): bytes.withElements { String(decoding: $0, as: UTF8.self) }
    }
  }

  /// The text if it is short.
  public var string: String? { if case .short(let text) = self { text } else { nil } }

  /// Appends the text as UTF-8.
  func append(to text: GrowableBuffer<UInt8>) throws(OutOfMemory) {
    switch self {
    case .short(let string): try text.append(contentsOf: string.utf8)
    case .long(let bytes): try text.append(contentsOf: UnsafeBufferPointer(bytes.elements))
    }
  }

  public static func == (a: EncodingProperty, b: EncodingProperty) -> Bool {
    switch (a, b) {
    case (.short(let a), .short(let b)): a == b
    case (.short(let a), .long(let b)): b.elements.elementsEqual(a.utf8)
    case (.long(let a), .short(let b)): a.elements.elementsEqual(b.utf8)
    case (.long(let a), .long(let b)): a.elements.elementsEqual(b.elements)
    }
  }
}
