import GRU
import Memory
import Sequences

/// What a model file says of itself in its metadata, where every value is a string.
///
/// | key | value |
/// |---|---|
/// | `format` | `libretto` |
/// | `format_version` | `1` |
/// | `vocabulary_size`, `embedding_size`, `hidden_size`, `layers` | the sizes |
/// | `precision` | `bfloat16` or `int8`, which the matrices are then stored in; else left out |
/// | `encoding` | `bytes`, `characters`, `melody`, `polyphony`, `drums`, `ensemble`, `performance`, `tokens` |
/// | `encoding.alphabet` ... | what the encoding needs, by its own names |
/// | `sides` | the side inputs and their numbers of values, `bars_to_go=34,phrase=9,key=25,close=14`; left out if there are none |
/// | `labels` | the names of the labels that pieces may have, one a line; left out if there are none |
/// | `label_calibration` | a scale, then a bias for each label, with spaces between them: see `LabelCalibration` |
/// | `pair_alignment` | how the targets of pairs go along with their sources: see `PairAlignment`; left out if there are none |
/// | `training.tokens` ... | facts about the training, for people |
///
/// The tensors are those of `ParameterLayout`, by name and in its order, little-endian: V is the vocabulary, E the
/// embedding size, H the hidden size; the gates are r, z, n, one after another, as in PyTorch's `nn.GRU`.
///
/// | tensor | shape |
/// |---|---|
/// | `embedding.weight` | V × E |
/// | `gru.weight_ih_l0`; of the layers k above | 3H × E; `gru.weight_ih_lk` 3H × H |
/// | `gru.weight_hh_lk` | 3H × H |
/// | `gru.bias_ih_lk`, `gru.bias_hh_lk` | 3H |
/// | `head.weight`, `head.bias` | V × H, V |
///
/// Matrices have the element type of the precision (F32, BF16, I8), vectors F32. A matrix NAME of I8 has numbers from
/// -127 to 127, and after all of these tensors an F32 tensor `NAME.scale`, one number for each of its rows: a weight
/// is the number times the scale of its row. Any of the three types is read in a file of any precision, and is
/// quantized once if the network's is another.
struct ModelHeader {
  let shape: NetworkShape
  let precision: Precision
  let encoding: any Encoding
  let sides: Sides
  let facts: [String: String]

  init(
    shape: NetworkShape, precision: Precision = .float32, encoding: any Encoding, sides: Sides,
    facts: [String: String]
  ) {
    self.shape = shape
    self.sides = sides
    self.precision = precision
    self.encoding = encoding
    self.facts = facts
  }

  init(_ file: SafeTensors) throws(LibrettoError) {
    let name = file.name
    let metadata = Metadata(json: file.metadata)
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
    var shape = NetworkShape(
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
    let properties = try metadata.properties
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
    sides = try Sides(
      metadata["sides"] ?? "", labels: try metadata.text("labels"),
      calibration: try metadata.text("label_calibration"),
      alignment: try metadata.long("pair_alignment"), encoding, name)
    shape.sides = sides.sizes
    do { try shape.validate() } catch {
      throw LibrettoError(.format, "\(name): \(LibrettoError(error).message)")
    }
    self.shape = shape
    self.precision = precision
    facts = metadata.facts
  }

  /// What no model file can do without; encodings have properties of their own besides.
  private static let required = [
    "format", "format_version", "vocabulary_size", "embedding_size", "hidden_size", "layers",
    "encoding",
  ]

  /// Throws if something is missing, and names all that is: somebody may have written the file with
  /// another library, which kept the tensors alone.
  private static func requireAll(_ metadata: Metadata, _ name: String)
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

  /// Writes the metadata's members.
  func write(to writer: inout JSONWriter) throws(OutOfMemory) {
    for (key, value) in [
      ("format", "libretto"), ("format_version", "1"),
      ("vocabulary_size", String(shape.vocabulary)), ("embedding_size", String(shape.embedding)),
      ("hidden_size", String(shape.hidden)), ("layers", String(shape.layers)),
      ("encoding", encoding.name),
    ] {
      try writer.name(key)
      try writer.string(value)
    }
    if precision != .float32 {
      try writer.name("precision")
      try writer.string(precision.name)
    }
    if !sides.inputs.isEmpty {
      try writer.name("sides")
      try writer.string(sides.text)
    }
    if !sides.labels.isEmpty {
      try writer.name("labels")
      try writer.string(sides.labels.text)
      try writer.name("label_calibration")
      try writer.string(sides.labels.calibration.text)
    }
    if let alignment = sides.alignment {
      try writer.name("pair_alignment")
      try writer.string(alignment.text)
    }
    for (key, value) in encoding.properties.sorted(by: { $0.key < $1.key }) {
      try writer.name("encoding.\(key)")
      switch value {
      case .short(let text): try writer.string(text)
      case .long(let text): try writer.string(text)
      }
    }
    for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
      try writer.name(key)
      try writer.string(value)
    }
  }
}

/// The metadata of a file, in which only strings count.
private struct Metadata {
  let json: JSONValue?

  /// A short string.
  subscript(key: String) -> String? { json?[key]?.string }

  private static let longest = Labels.most * (Labels.longestName + 1)

  /// A string; nil if there is none. An empty one stands for what is longer than labels can be.
  func text(_ key: String) throws(LibrettoError) -> String? {
    if let text = self[key] { return text }
    guard let text = try long(key) else { return nil }
    // No labels need more; a text that is too long is no text of theirs.
    return text.count > Self.longest ? "" : String(decoding: text.elements, as: UTF8.self)
  }

  /// A string of any length; nil if there is none.
  func long(_ key: String) throws(LibrettoError) -> GrowableBuffer<UInt8>? {
    guard let value = json?[key], value.isString else { return nil }
    return try Self.bytes(of: value)
  }

  private static func bytes(of string: JSONValue) throws(LibrettoError) -> GrowableBuffer<UInt8> {
    let bytes = GrowableBuffer<UInt8>()
    try allocating { () throws(OutOfMemory) in try string.append(to: bytes) }
    return bytes
  }

  /// How many properties and facts are read; a file may hold any number.
  private static let most = 32

  /// What the encoding keeps of itself.
  var properties: [String: EncodingProperty] {
    get throws(LibrettoError) {
      var result: [String: EncodingProperty] = [:]
      for (key, value) in json?.members ?? .none
      where value.isString && result.count < Self.most {
        guard let key = key.string, key.hasPrefix("encoding.") else { continue }
        let name = String(key.dropFirst(9))
        if let text = value.string {
          result[name] = .short(text)
        } else {
          result[name] = .long(try Self.bytes(of: value))
        }
      }
      return result
    }
  }

  /// What is said about the training, for people.
  var facts: [String: String] {
    var result: [String: String] = [:]
    for (key, value) in json?.members ?? .none where result.count < Self.most {
      guard let key = key.string, key.hasPrefix("training."), let text = value.string else {
        continue
      }
      result[key] = text
    }
    return result
  }
}
