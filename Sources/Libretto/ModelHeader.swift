import GRU
import Sequences

/// What a model file says of itself in its metadata, where every value is a string.
///
/// | key | value |
/// |---|---|
/// | `format` | `libretto` |
/// | `format_version` | `1` |
/// | `vocabulary_size`, `embedding_size`, `hidden_size`, `layers` | the sizes |
/// | `precision` | `bfloat16` or `int8`, which the matrices are then stored in; else left out |
/// | `encoding` | `bytes`, `characters`, `melody`, `polyphony`, `drums`, `performance` |
/// | `encoding.alphabet` ... | what the encoding needs, by its own names |
/// | `training.tokens` ... | facts about the training, for people |
struct ModelHeader {
  let shape: NetworkShape
  let precision: Precision
  let encoding: any Encoding
  let facts: [String: String]

  init(
    shape: NetworkShape, precision: Precision = .float32, encoding: any Encoding,
    facts: [String: String]
  ) {
    self.shape = shape
    self.precision = precision
    self.encoding = encoding
    self.facts = facts
  }

  init(_ metadata: [String: String], name: String) throws(LibrettoError) {
    try Self.requireAll(metadata, name)
    guard metadata["format_version"] == "1" else {
      throw LibrettoError(
        .unsupported,
        "\(name) has format version \(printable(metadata["format_version"] ?? "none")); this version reads 1"
      )
    }
    func size(_ key: String) throws(LibrettoError) -> Int {
      guard let text = metadata[key], let value = Int(text) else {
        throw LibrettoError(
          .format,
          "\(name): the metadata \(key) is \"\(printable(metadata[key] ?? ""))\"; expected a whole number"
        )
      }
      return value
    }
    let shape = NetworkShape(
      vocabulary: try size("vocabulary_size"), embedding: try size("embedding_size"),
      hidden: try size("hidden_size"), layers: try size("layers"))
    do { try shape.validate() } catch {
      throw LibrettoError(.format, "\(name): \(LibrettoError(error).message)")
    }
    guard let precision = Precision(name: metadata["precision"] ?? "float32") else {
      throw LibrettoError(
        .unsupported,
        "\(name) has the precision \(printable(metadata["precision"] ?? "")); this version knows float32, bfloat16 and int8"
      )
    }
    var properties: [String: String] = [:]
    var facts: [String: String] = [:]
    for (key, value) in metadata {
      if key.hasPrefix("encoding.") { properties[String(key.dropFirst(9))] = value }
      if key.hasPrefix("training.") { facts[key] = value }
    }
    do {
      encoding = try Encodings.make(name: metadata["encoding"] ?? "", properties: properties)
    } catch {
      let inner = LibrettoError(error)
      throw LibrettoError(inner.kind, "\(name): \(inner.message)")
    }
    guard encoding.vocabularySize == shape.vocabulary else {
      throw LibrettoError(
        .format,
        "\(name) has an encoding of \(encoding.vocabularySize) tokens and a network of \(shape.vocabulary)"
      )
    }
    self.shape = shape
    self.precision = precision
    self.facts = facts
  }

  /// What no model file can do without; encodings have properties of their own besides.
  private static let required = [
    "format", "format_version", "vocabulary_size", "embedding_size", "hidden_size", "layers",
    "encoding",
  ]

  /// Throws if something is missing, and names all that is: somebody may have written the file with
  /// another library, which kept the tensors alone.
  private static func requireAll(_ metadata: [String: String], _ name: String)
    throws(LibrettoError)
  {
    let missing = required.filter { metadata[$0] == nil }
    let isOther = metadata["format"] != "libretto"
    guard isOther || !missing.isEmpty else { return }
    var reasons: [String] = []
    if isOther, let format = metadata["format"] {
      reasons.append("format is \"\(printable(format))\", expected \"libretto\"")
    }
    if !missing.isEmpty { reasons.append("missing: \(missing.joined(separator: ", "))") }
    throw LibrettoError(
      .format,
      "\(name) is a safetensors file without the metadata of a Libretto model (\(reasons.joined(separator: "; "))); write it with the metadata of the model it comes from"
    )
  }

  var metadata: [(String, String)] {
    var result = [
      ("format", "libretto"), ("format_version", "1"),
      ("vocabulary_size", String(shape.vocabulary)), ("embedding_size", String(shape.embedding)),
      ("hidden_size", String(shape.hidden)), ("layers", String(shape.layers)),
      ("encoding", encoding.name),
    ]
    if precision != .float32 { result.append(("precision", precision.name)) }
    for (key, value) in encoding.properties.sorted(by: { $0.key < $1.key }) {
      result.append(("encoding.\(key)", value))
    }
    for (key, value) in facts.sorted(by: { $0.key < $1.key }) { result.append((key, value)) }
    return result
  }
}
