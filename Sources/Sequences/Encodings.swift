/// What an encoding is made of; each takes what it needs.
public struct EncodingSettings: Sendable {
  /// Steps per quarter note, for encodings on a grid.
  public var stepsPerQuarter = 4
  /// Whether texts are documents, each with an end.
  public var documents = false
  /// The host's tokens, for encodings that give them no meaning.
  public var vocabulary = 0

  public init() {}
}

/// An encoding as the registry knows it.
struct EncodingDescription: Sendable {
  let name: String
  let kind: EncodingKind
  /// Before it is fitted to material.
  let make: @Sendable (EncodingSettings) throws -> any Encoding
  /// From what a model file kept of it.
  let restore: @Sendable ([String: EncodingProperty]) throws -> any Encoding

  init<Of: Encoding>(
    _: Of.Type, make: @escaping @Sendable (EncodingSettings) throws -> Of,
    restore: @escaping @Sendable ([String: EncodingProperty]) throws -> any Encoding
  ) {
    name = Of.name
    kind = Of.kind
    self.make = make
    self.restore = restore
  }

  /// An encoding on a grid.
  init<Of: GridEncoding>(grid: Of.Type, _ make: @escaping @Sendable (Int) throws -> Of) {
    self.init(Of.self) {
      try make($0.stepsPerQuarter)
    } restore: {
      let steps = try stepsPerQuarter($0)
      return try make(steps).with(TimeSignatureTable(properties: $0, stepsPerQuarter: steps))
    }
  }
}

/// The encodings there are: a new one is a file of its own, and a line here.
public enum Encodings {
  private static let all: [EncodingDescription] = [
    .init(
      BytesEncoding.self, make: { BytesEncoding(documents: $0.documents) },
      restore: BytesEncoding.init(properties:)),
    .init(
      CharactersEncoding.self,
      make: { try CharactersEncoding(alphabet: [], documents: $0.documents) },
      restore: CharactersEncoding.init(properties:)),
    .init(
      WordsEncoding.self, make: { try WordsEncoding(documents: $0.documents) },
      restore: WordsEncoding.init(properties:)),
    .init(grid: MelodyEncoding.self) { try MelodyEncoding(stepsPerQuarter: $0) },
    .init(grid: PolyphonyEncoding.self) { try PolyphonyEncoding(stepsPerQuarter: $0) },
    .init(grid: DrumsEncoding.self) { try DrumsEncoding(stepsPerQuarter: $0) },
    .init(grid: EnsembleEncoding.self) { try EnsembleEncoding(stepsPerQuarter: $0) },
    .init(
      PerformanceEncoding.self, make: { _ in PerformanceEncoding() },
      restore: PerformanceEncoding.init(properties:)),
    .init(TokensEncoding.self, make: TokensEncoding.init, restore: TokensEncoding.init),
    .init(
      SeriesEncoding.self, make: SeriesEncoding.init(settings:),
      restore: SeriesEncoding.init(properties:)),
  ]

  public static var names: [String] { all.map(\.name) }

  /// The one for text where none is named.
  public static let usualText = CharactersEncoding.name

  /// The one for labelled text where none is named: its words tell more of its label than its letters, and a network
  /// learns words of which there are few sooner than their spelling.
  public static let usualLabelledText = WordsEncoding.name

  /// nil if there is no encoding of that name.
  public static func kind(of name: String) -> EncodingKind? {
    all.first { $0.name == name }?.kind
  }

  /// Whether the name is that of an encoding of music.
  public static func isMusic(_ name: String) -> Bool { kind(of: name) == .music }

  /// An encoding by name, before it is fitted to material.
  public static func make(_ name: String, _ settings: EncodingSettings) throws(EncodingError)
    -> any Encoding
  {
    try find(name) { try $0.make(settings) }
  }

  /// An encoding of music by name, on a grid of so many steps where it has one.
  public static func music(_ name: String, stepsPerQuarter: Int) throws(EncodingError)
    -> any MusicEncoding
  {
    var settings = EncodingSettings()
    settings.stepsPerQuarter = stepsPerQuarter
    guard let music = try make(name, settings).music else { throw .unknown(name) }
    return music
  }

  /// An encoding of text by name, before it is fitted to material.
  public static func text(_ name: String, _ settings: EncodingSettings) throws(EncodingError)
    -> any TextEncoding
  {
    guard let text = try make(name, settings).text else { throw .unknown(name) }
    return text
  }

  /// Builds an encoding again from what a model file kept of it.
  public static func make(name: String, properties: [String: EncodingProperty])
    throws(EncodingError) -> any Encoding
  {
    try find(name) { try $0.restore(properties) }
  }

  private static func find(
    _ name: String, _ body: (EncodingDescription) throws -> any Encoding
  ) throws(EncodingError) -> any Encoding {
    guard let description = all.first(where: { $0.name == name }) else { throw .unknown(name) }
    do { return try body(description) } catch let error as EncodingError { throw error } catch {
      throw .invalid("the encoding \(name) cannot be made")
    }
  }
}
