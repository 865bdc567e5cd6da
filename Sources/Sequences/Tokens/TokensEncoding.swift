/// Numbers whose meaning only the host knows, from 0 to below a vocabulary it names; one token more, the
/// last, ends a piece, and begins it.
final class TokensEncoding: Encoding {
  static let name = "tokens"
  static let kind = EncodingKind.tokens

  private let vocabulary: Int

  convenience init(settings: EncodingSettings) throws(EncodingError) {
    try self.init(vocabulary: settings.vocabulary)
  }

  /// - `vocabulary`: the host's tokens, 1 to 65,535.
  private init(vocabulary: Int) throws(EncodingError) {
    guard (1...65_535).contains(vocabulary) else {
      throw .invalid(
        "the vocabulary of an encoding of tokens is \(vocabulary); expected 1 to 65535")
    }
    self.vocabulary = vocabulary
  }

  convenience init(properties: [String: EncodingProperty]) throws(EncodingError) {
    guard let vocabulary = properties["vocabulary"]?.string.flatMap({ Int($0) }) else {
      throw .invalid(
        "the encoding \"tokens\" needs encoding.vocabulary, which is missing or not a number")
    }
    try self.init(vocabulary: vocabulary)
  }

  var vocabularySize: Int { vocabulary + 1 }
  var startToken: Int32 { Int32(vocabulary) }
  var endToken: Int32? { Int32(vocabulary) }
  var properties: [String: EncodingProperty] { ["vocabulary": .short(String(vocabulary))] }

  func makeGrammar() -> any Grammar { AnyOrder() }
}

/// Any token may follow any other.
final class AnyOrder: Grammar {
  func reset() {}
  func advance(_ token: Int32) {}
  func forbid(_ logits: UnsafeMutablePointer<Float>) {}
  var isComplete: Bool { true }
  static var stateSize: Int { 0 }
  func save(to bytes: UnsafeMutableRawPointer) {}
  func restore(from bytes: UnsafeRawPointer) -> Bool { true }
}
