import GRU
import Kernels
import Memory
import Sequences

/// A trained model: a network and the encoding that says what its tokens mean. It never changes;
/// any number of sessions on any number of threads may read it.
public final class Model: @unchecked Sendable {
  public let network: Network
  public let encoding: any Encoding
  /// What is known of its training, for `info`; the keys are those of the file's metadata.
  public let facts: [String: String]
  /// What events of a model of music are counted in; 0 for text.
  public let ticksPerQuarter: Int
  /// Steps per quarter note of the grid; 0 for text and performances, which have none.
  public let stepsPerQuarter: Int
  /// The token that ends a piece or a document; -1 where there is none.
  public let endToken: Int32
  /// The token that ends a document of text; -1 where there is none. A document begins with it too: it
  /// is always read from a zero state.
  let documentEnd: Int32
  /// Changes with any parameter or size: ties a snapshot to the model it was taken with. It is that of
  /// the numbers in a model file, the same in every version, on every machine.
  let fingerprint: UInt64
  /// The fingerprint of the model this one was adapted from; its own if it was not.
  let origin: UInt64

  /// The side inputs of the network.
  let sides: Sides
  /// The number of the side input for the label, nil if there are no labels, and how many there are.
  let labelSide: Int?
  let labelCount: Int

  public var shape: NetworkShape { network.shape }
  public var precision: Precision { network.precision }

  init(
    network: Network, encoding: any Encoding, sides: Sides = Sides(), facts: [String: String],
    adapting original: Model? = nil
  ) {
    self.sides = sides
    labelSide = sides.labels.sideInputs.first.flatMap { sides.inputs.firstIndex(of: $0) }
    labelCount = sides.labels.count
    self.network = network
    self.encoding = encoding
    self.facts = facts
    ticksPerQuarter = encoding.music?.ticksPerQuarter ?? 0
    stepsPerQuarter = encoding.music?.stepsPerQuarter ?? 0
    endToken = encoding.endToken ?? -1
    hasMemory = sides.haveMemory(encoding)
    barRounds = facts[Self.barRoundsFact].flatMap { Int($0) } ?? 1
    documentEnd = encoding.kind == .music ? -1 : encoding.endToken ?? -1
    fingerprint = network.fingerprint
    origin = original?.origin ?? fingerprint
  }

  /// Reads a model file, or a checkpoint, of which it takes the best weights.
  public convenience init(path: String) throws(LibrettoError) {
    let parts = try Self.parts(SafeTensors(try InputFile(path), name: path))
    self.init(
      network: parts.network, encoding: parts.header.encoding, sides: parts.header.sides,
      facts: parts.header.facts)
  }

  /// Reads a model out of memory, which is not needed afterwards. `name` is what errors call it.
  public convenience init(bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError) {
    let parts = try Self.parts(SafeTensors(MemorySource(bytes: bytes), name: name))
    self.init(
      network: parts.network, encoding: parts.header.encoding, sides: parts.header.sides,
      facts: parts.header.facts)
  }

  /// A model of these sizes that has learned nothing, for benchmarks.
  ///
  /// - `encoding`: of as many tokens, whose first side inputs are those of the shape; nil for tokens
  ///   that are numbers alone.
  package static func random(
    _ shape: NetworkShape, precision: Precision = .float32, encoding: (any Encoding)? = nil
  ) throws(LibrettoError) -> Model {
    let network = try Libretto.network { () throws(NetworkError) in
      try shape.validate()
      let parameters = try FloatBuffer(ParameterLayout(shape).count)
      initialize(parameters, shape, seed: 1)
      return try Network(shape, parameters: parameters, precision: precision)
    }
    return Model(
      network: network, encoding: encoding ?? BytesEncoding(),
      sides: Sides(Array((encoding?.sideInputs() ?? []).prefix(shape.sides.count))), facts: [:])
  }

  private static func parts(_ file: SafeTensors) throws(LibrettoError)
    -> (network: Network, header: ModelHeader)
  {
    let header = try ModelHeader(file)
    return (try file.network(header.shape, header.sides, precision: header.precision), header)
  }

  /// The weights as floats, in the layout of the network.
  func parameters() throws(LibrettoError) -> GRU.FloatBuffer {
    let network = network
    return try Libretto.network { () throws(NetworkError) in try network.parameters() }
  }

  /// The same model with its weights quantized to a precision: smaller, and faster to sample from. What
  /// is lost does not come back: float32 from int8 holds the numbers of int8.
  public func quantized(to precision: Precision) throws(LibrettoError) -> Model {
    let network = network
    let made = try Libretto.network { () throws(NetworkError) in
      try network.quantized(to: precision)
    }
    return Model(network: made, encoding: encoding, sides: sides, facts: facts)
  }

  /// The same model with a sentence about what it learned, for people: `about` in `facts`.
  public func described(as about: String) -> Model {
    var facts = facts
    facts[Self.aboutFact] = about
    return Model(network: network, encoding: encoding, sides: sides, facts: facts)
  }
  private static let aboutFact = "training.about"
  /// What it learned, in words; nil if nobody said.
  public var about: String? { facts[Self.aboutFact] }

  /// Writes the model to a file, whole or not at all.
  public func save(_ path: String) throws(LibrettoError) { try image().write(path) }

  /// The file of this model, to be written.
  package func image() throws(LibrettoError) -> SafeTensorsImage {
    let header = ModelHeader(
      shape: shape, precision: precision, encoding: encoding, sides: sides, facts: facts)
    let (stored, sides) = (network.stored, sides)
    return try SafeTensorsImage(
      metadata: { (writer) throws(OutOfMemory) in try header.write(to: &writer) },
      { (visit) throws(LibrettoError) in
        for (i, tensor) in stored.layout.tensors.enumerated() {
          try visit(SafeTensorsImage.Entry(stored, i, name: sides.name(of: tensor)))
        }
        // The scales of int8 lie together, after the tensors they are for.
        for (i, tensor) in stored.layout.tensors.enumerated() {
          guard let scales = stored.scales(of: i) else { continue }
          try visit(
            SafeTensorsImage.Entry(
              name: sides.name(of: tensor) + ".scale", dimensions: [tensor.rows], bytes: scales))
        }
        withExtendedLifetime(stored) {}
      })
  }

  /// What its tokens are.
  public var kind: EncodingKind { encoding.kind }
  public var isText: Bool { kind == .text }
  /// Whether the model learned from texts that each have an end.
  public var hasDocuments: Bool { kind == .text && documentEnd >= 0 }
  /// The labels of its material; none if it had no labels.
  public var labels: Labels { sides.labels }
  /// What the network is told beside the tokens.
  public var sideInputs: [SideInput] { sides.inputs }

  /// Whether the network is told what the memory of the sequence expects: see `SequenceMemory`.
  public let hasMemory: Bool
  /// How often bars come round in one go in the material, more than in one piece of twenty.
  let barRounds: Int
  static let barRoundsFact = "training.bar_rounds"
  /// Throws if there are none. Real-time.
  func requireLabels() throws(LibrettoError) {
    guard labelSide != nil else {
      throw LibrettoError(
        .unsupported, "this model has no labels; train it on labelled material")
    }
  }
  /// The number of the label of a name.
  public func label(named name: String) throws(LibrettoError) -> Int32 {
    guard let number = labels.number(of: name) else {
      throw LibrettoError(
        .argument,
        labels.isEmpty
          ? "this model has no labels"
          : "this model has no label \"\(printable(name))\"; it has \(labels.shown)")
    }
    return number
  }
  /// Whether it learned from pairs: documents made of a source, a tab and a target.
  public var hasPairs: Bool { kind == .text && facts[Self.pairsFact] == "1" }
  static let pairsFact = "training.pairs"

  /// The encoding, if the model writes text; an error that says so if it does not.
  public func textEncoding() throws(LibrettoError) -> any TextEncoding {
    guard let text = encoding.text else {
      throw LibrettoError(
        .unsupported,
        encoding.kind == .tokens
          ? "this is a model of \(encoding.name), not of text; use the calls for tokens"
          : "this is a model of \(encoding.name), not of text; use the calls for events")
    }
    return text
  }

  /// Throws if a token is none of this model's.
  public func check(_ tokens: UnsafeBufferPointer<Int32>) throws(LibrettoError) {
    for (i, token) in tokens.enumerated() where token < 0 || token >= shape.vocabulary {
      throw LibrettoError(
        .argument,
        "token \(i) is \(token); this model's tokens are from 0 to \(shape.vocabulary - 1)")
    }
  }
}

extension FloatBuffer {
  static func make(_ count: Int) throws(LibrettoError) -> FloatBuffer {
    try network { () throws(NetworkError) in try FloatBuffer(count) }
  }
}
