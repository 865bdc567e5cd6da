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
  /// The encoding, if it is one of text. (Worked out once: to ask a type what it is allocates.)
  private let text: (any TextEncoding)?
  /// The token that ends a piece or a document; -1 where there is none.
  public let endToken: Int32
  /// The token that ends a document of text; -1 where there is none. A document begins with it too: it
  /// is always read from a zero state.
  let documentEnd: Int32
  /// Changes with any parameter or size: ties a snapshot to the model it was taken with. It is that of
  /// the numbers in a model file, the same in every version, on every machine.
  let fingerprint: UInt64

  public var shape: NetworkShape { network.shape }
  public var precision: Precision { network.precision }

  init(network: Network, encoding: any Encoding, facts: [String: String]) {
    self.network = network
    self.encoding = encoding
    self.facts = facts
    ticksPerQuarter = (encoding as? any MusicEncoding)?.ticksPerQuarter ?? 0
    stepsPerQuarter = (encoding as? any GridEncoding)?.grid.stepsPerQuarter ?? 0
    text = encoding as? any TextEncoding
    endToken = encoding.endToken ?? -1
    documentEnd = text?.endToken ?? -1
    fingerprint = Self.fingerprint(network)
  }

  /// The hash of the sizes and the precision, then of the parameters in the order of the layout, two
  /// to a word.
  private static func fingerprint(_ network: Network) -> UInt64 {
    let shape = network.shape
    var hash = Hash()
    for number in [
      shape.vocabulary, shape.embedding, shape.hidden, shape.layers, network.precision.rawValue,
    ] { hash.add(UInt64(number)) }
    network.stored.forEachPart { numbers in
      for i in stride(from: 0, to: numbers.count, by: 2) {
        let second = i + 1 < numbers.count ? numbers[i + 1].bitPattern : 0
        hash.add(UInt64(second) << 32 | UInt64(numbers[i].bitPattern))
      }
    }
    return hash.value
  }

  /// Reads a model file, or a checkpoint, of which it takes the best weights.
  public convenience init(path: String) throws(LibrettoError) {
    let parts = try Self.parts(SafeTensors(try InputFile(path), name: path))
    self.init(network: parts.network, encoding: parts.encoding, facts: parts.facts)
  }

  /// Reads a model out of memory, which is not needed afterwards. `name` is what errors call it.
  public convenience init(bytes: UnsafeRawBufferPointer, name: String) throws(LibrettoError) {
    let parts = try Self.parts(SafeTensors(MemorySource(bytes: bytes), name: name))
    self.init(network: parts.network, encoding: parts.encoding, facts: parts.facts)
  }

  /// A model of these sizes that has learned nothing, its tokens numbers alone: for benchmarks.
  package static func random(_ shape: NetworkShape, precision: Precision = .float32)
    throws(LibrettoError) -> Model
  {
    let network = try Libretto.network { () throws(NetworkError) in
      try shape.validate()
      let parameters = try FloatBuffer(ParameterLayout(shape).count)
      initialize(parameters, shape, seed: 1)
      return try Network(shape, parameters: parameters, precision: precision)
    }
    return Model(network: network, encoding: BytesEncoding(), facts: [:])
  }

  private static func parts(_ file: SafeTensors) throws(LibrettoError)
    -> (network: Network, encoding: any Encoding, facts: [String: String])
  {
    let header = try ModelHeader(file)
    let parameters = try file.parameters(
      ParameterLayout(header.shape), precision: header.precision)
    let network = try Libretto.network { () throws(NetworkError) in
      try header.precision.round(parameters.pointer, ParameterLayout(header.shape))
      return try Network(header.shape, parameters: parameters, precision: header.precision)
    }
    return (network, header.encoding, header.facts)
  }

  /// The weights as they are in a file; not to be changed.
  func parameters() throws(LibrettoError) -> GRU.FloatBuffer {
    let network = network
    return try Libretto.network { () throws(NetworkError) in try network.parameters() }
  }

  /// The same model with its weights rounded to a precision: smaller, and faster to sample from. What
  /// is lost does not come back: float32 from int8 holds the numbers of int8.
  public func rounded(to precision: Precision) throws(LibrettoError) -> Model {
    let parameters = try FloatBuffer.make(network.layout.count)
    parameters.copy(from: try self.parameters())
    let layout = network.layout
    let network = try Libretto.network { () throws(NetworkError) in
      try precision.round(parameters.pointer, layout)
      return try Network(shape, parameters: parameters, precision: precision)
    }
    return Model(network: network, encoding: encoding, facts: facts)
  }

  /// Writes the model to a file, whole or not at all.
  public func save(_ path: String) throws(LibrettoError) { try image().write(path) }

  /// The file of this model, to be written.
  package func image() throws(LibrettoError) -> SafeTensorsImage {
    let header = ModelHeader(shape: shape, precision: precision, encoding: encoding, facts: facts)
    let (layout, precision) = (network.layout, precision)
    let parameters = try parameters()
    return try SafeTensorsImage(
      metadata: { (writer) throws(OutOfMemory) in try header.write(to: &writer) },
      { (visit) throws(LibrettoError) in
        try Self.visit(layout, parameters, precision, visit)
        // The scales of int8 lie together, after the tensors they are for.
        for tensor in layout.tensors where precision == .int8 && tensor.isMatrix {
          let (rows, columns) = (tensor.dimensions[0], tensor.dimensions[1])
          let scales = try FloatBuffer.make(rows)
          for row in 0..<rows {
            scales.pointer[row] = int8Scale(
              parameters.pointer + tensor.offset + row * columns, count: columns, stride: 1)
          }
          try visit(
            SafeTensorsImage.Entry(
              name: tensor.name + ".scale", dimensions: [rows], numbers: scales.pointer))
          withExtendedLifetime(scales) {}
        }
      })
  }

  /// Hands on the tensors of a network as they are in a file.
  static func visit(
    _ layout: ParameterLayout, _ parameters: FloatBuffer, _ precision: Precision,
    _ visit: SafeTensorsImage.Visit
  ) throws(LibrettoError) {
    for tensor in layout.tensors {
      let type: SafeTensors.ElementType =
        switch precision {
        case .bfloat16 where tensor.isMatrix: .bfloat16
        case .int8 where tensor.isMatrix: .int8
        default: .float32
        }
      try visit(
        SafeTensorsImage.Entry(
          name: tensor.name, dimensions: tensor.dimensions, type: type,
          numbers: parameters.pointer + tensor.offset))
    }
    withExtendedLifetime(parameters) {}
  }

  public var isText: Bool { text != nil }
  /// Whether the model learned from texts that each have an end.
  public var hasDocuments: Bool { documentEnd >= 0 }

  /// The encoding, if the model writes text; an error that says so if it does not.
  public func textEncoding() throws(LibrettoError) -> any TextEncoding {
    guard let text else {
      throw LibrettoError(
        .unsupported, "this is a model of \(encoding.name), not of text; use the calls for events")
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

/// A running 64-bit hash of words: exclusive-or and multiply, as in FNV-1a but a word at a time, and fold.
/// Each step can be undone, so that two sequences which differ in one word never have the same. Snapshots
/// and checkpoints keep its values: it must not change.
struct Hash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }
}
