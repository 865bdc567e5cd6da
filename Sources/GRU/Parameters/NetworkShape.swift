import Kernels

/// The sizes of a network: embeddings of the token and of the side inputs -> layers of GRU -> linear head
/// over the vocabulary.
public struct NetworkShape: Equatable, Sendable {
  public var vocabulary: Int
  public var embedding: Int
  public var hidden: Int
  public var layers: Int
  /// The values of each side input; none to begin with.
  public var sides: SideSizes

  /// The largest sizes accepted, in the order vocabulary, embedding, hidden, layers.
  public static let limits = (vocabulary: 65_536, embedding: 16_384, hidden: 16_384, layers: 32)

  public init(
    vocabulary: Int, embedding: Int, hidden: Int, layers: Int, sides: SideSizes = SideSizes()
  ) {
    self.vocabulary = vocabulary
    self.embedding = embedding
    self.hidden = hidden
    self.layers = layers
    self.sides = sides
  }

  /// Throws, with a sentence, what keeps these sizes from being a network.
  public func validate() throws(NetworkError) {
    let limits = Self.limits
    for (name, value, most) in [
      ("vocabulary", vocabulary, limits.vocabulary), ("embedding", embedding, limits.embedding),
      ("hidden", hidden, limits.hidden), ("layers", layers, limits.layers),
    ] where value < 1 || value > most {
      throw .invalidShape("\(name) is \(value); it must be from 1 to \(most)")
    }
    for (i, count) in sides.enumerated() where count < 1 || count > limits.vocabulary + 1 {
      throw .invalidShape(
        "side input \(i) has \(count) values; expected from 1 to \(limits.vocabulary + 1)")
    }
    let most = 1 << 30
    if ParameterLayout(self).parameters > most {
      throw .invalidShape(
        "these sizes make \(ParameterLayout(self).parameters) parameters; the most is \(most)")
    }
  }

  /// Rows of the table that replaces the input product of layer 0: one for each token, then one for each
  /// value of each side input.
  var tableRows: Int { vocabulary + sides.total }

  /// Inputs of a layer.
  func inputs(of layer: Int) -> Int { layer == 0 ? embedding : hidden }

  /// Floats from one row of hidden units to the next.
  public var paddedHidden: Int { Panels.padded(hidden) }
  var paddedEmbedding: Int { Panels.padded(embedding) }

  /// Floats from one row of logits to the next.
  public var paddedVocabulary: Int { Panels.padded(vocabulary) }

  /// Floats of one stream's state: the hidden vector of each layer, padded.
  public var stateCount: Int { layers * paddedHidden }
}
