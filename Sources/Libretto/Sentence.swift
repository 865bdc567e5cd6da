/// What an error says: literal text with numbers and names in it.
///
/// It is kept in pieces and put together when somebody reads it. Pieces are literals, integers, floats and
/// strings of up to 15 bytes, a dozen words of them; to make and to throw such a sentence allocates nothing,
/// so calls that are real-time can fail and stay so. Whatever else is interpolated is copied.
public struct Sentence: ExpressibleByStringInterpolation, CustomStringConvertible, Sendable {
  package private(set) var pieces = Pieces()
  /// What the pieces had no room for, and all that came after it.
  package private(set) var rest = ""

  public init(stringLiteral literal: StaticString) { append(literal) }
  public init(stringInterpolation interpolation: StringInterpolation) {
    self = interpolation.sentence
  }
  public init(_ text: String) { append(text) }

  public var description: String { pieces.description + rest }

  private mutating func append(_ literal: StaticString) {
    guard literal.utf8CodeUnitCount > 0 || !literal.hasPointerRepresentation else { return }
    guard rest.isEmpty, literal.hasPointerRepresentation, pieces.append(literal) else {
      return rest += "\(literal)"
    }
  }

  private mutating func append(_ number: Pieces.Kind, _ word: UInt64) {
    guard rest.isEmpty, pieces.append(number, word) else {
      return rest += Pieces.description(number, word)
    }
  }

  private mutating func append(_ text: String) {
    guard rest.isEmpty, pieces.append(text) else { return rest += text }
  }

  private mutating func append(_ sentence: Sentence) {
    guard rest.isEmpty, sentence.rest.isEmpty, pieces.append(sentence.pieces) else {
      return rest += sentence.description
    }
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sentence = Sentence("")

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: StaticString) { sentence.append(literal) }
    public mutating func appendInterpolation(_ literal: StaticString) { sentence.append(literal) }
    public mutating func appendInterpolation(_ inner: Sentence) { sentence.append(inner) }
    public mutating func appendInterpolation(_ text: String) { sentence.append(text) }
    public mutating func appendInterpolation(_ x: Int) { integer(Int64(x)) }
    public mutating func appendInterpolation(_ x: Int64) { integer(x) }
    public mutating func appendInterpolation(_ x: Int32) { integer(Int64(x)) }
    public mutating func appendInterpolation(_ x: UInt) { natural(UInt64(x)) }
    public mutating func appendInterpolation(_ x: UInt64) { natural(x) }
    public mutating func appendInterpolation(_ x: UInt32) { natural(UInt64(x)) }
    public mutating func appendInterpolation(_ x: UInt8) { natural(UInt64(x)) }
    public mutating func appendInterpolation(_ x: Float) {
      sentence.append(.float, UInt64(x.bitPattern))
    }
    public mutating func appendInterpolation<Value>(_ value: Value) {
      sentence.append(String(describing: value))
    }

    private mutating func integer(_ x: Int64) { sentence.append(.integer, UInt64(bitPattern: x)) }
    private mutating func natural(_ x: UInt64) { sentence.append(.natural, x) }
  }

  /// The pieces of a sentence: words, and what each one is. No reference is among them, so they can be
  /// kept as plain bytes.
  package struct Pieces: BitwiseCopyable, CustomStringConvertible, Sendable {
    enum Kind: UInt64 {
      /// The address of a literal, which ends with a 0.
      case literal = 0
      case integer, natural, float
      /// Up to eight bytes of text, ending with a 0 if there are fewer.
      case text
    }
    static let capacity = 12
    private static let longestText = 15

    private var words = InlineArray<12, UInt64>(repeating: 0)
    /// Four bits each.
    private var kinds: UInt64 = 0
    private var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    mutating func append(_ kind: Kind, _ word: UInt64) -> Bool {
      guard count < Self.capacity else { return false }
      words[count] = word
      kinds |= kind.rawValue << UInt64(4 * count)
      count += 1
      return true
    }

    mutating func append(_ literal: StaticString) -> Bool {
      append(.literal, UInt64(UInt(bitPattern: literal.utf8Start)))
    }

    mutating func append(_ text: String) -> Bool {
      var bytes: (UInt64, UInt64) = (0, 0)
      var length: UInt64 = 0
      for byte in text.utf8 {
        guard length < Self.longestText else { return false }
        if length < 8 {
          bytes.0 |= UInt64(byte) << (8 * length)
        } else {
          bytes.1 |= UInt64(byte) << (8 * (length - 8))
        }
        length += 1
      }
      let before = self
      guard length == 0 || append(.text, bytes.0), length <= 8 || append(.text, bytes.1) else {
        self = before
        return false
      }
      return true
    }

    mutating func append(_ others: Pieces) -> Bool {
      guard count + others.count <= Self.capacity else { return false }
      for i in 0..<others.count { _ = append(others.kind(i), others.words[i]) }
      return true
    }

    private func kind(_ i: Int) -> Kind { Kind(rawValue: kinds >> UInt64(4 * i) & 15)! }

    package var description: String {
      var bytes: [UInt8] = []
      for i in 0..<count {
        if case .text = kind(i) {
          // A character may lie across two words.
          for j in 0..<8 {
            let byte = UInt8(truncatingIfNeeded: words[i] >> UInt64(8 * j))
            if byte != 0 { bytes.append(byte) }
          }
        } else {
          bytes += Self.description(kind(i), words[i]).utf8
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }

    static func description(_ kind: Kind, _ word: UInt64) -> String {
      switch kind {
      case .literal: String(cString: UnsafePointer<CChar>(bitPattern: UInt(word))!)
      case .integer: String(Int64(bitPattern: word))
      case .natural: String(word)
      case .float: String(Float(bitPattern: UInt32(truncatingIfNeeded: word)).description)
      case .text: ""
      }
    }
  }
}

extension Sentence: Equatable {
  public static func == (a: Sentence, b: Sentence) -> Bool { a.description == b.description }
}
