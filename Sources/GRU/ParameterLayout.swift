/// Where each tensor lies in the one buffer that holds all parameters of a network.
///
/// Names, shapes and the order of the gates (r, z, n) are PyTorch's, for a module with the members
/// `embedding`, `gru` and `head`. Gradients and the optimiser's moments use the same layout. Each
/// tensor begins at a multiple of 16 floats; the floats between are zero and stay zero.
public struct ParameterLayout: Sendable {
  public struct Tensor: Sendable {
    public let name: String
    public let dimensions: [Int]
    public let offset: Int
    /// Whether weight decay applies: to the matrices of products, not to tables and biases.
    public let decays: Bool

    public var count: Int { dimensions.reduce(1, *) }
  }

  public let tensors: [Tensor]
  /// Floats of the whole buffer.
  public let count: Int
  let layers: Int

  public init(_ shape: NetworkShape) {
    var tensors: [Tensor] = []
    var offset = 0
    func add(_ name: String, _ dimensions: [Int], decays: Bool = false) {
      let tensor = Tensor(name: name, dimensions: dimensions, offset: offset, decays: decays)
      tensors.append(tensor)
      offset += (tensor.count + 15) / 16 * 16
    }
    let gates = 3 * shape.hidden
    add("embedding.weight", [shape.vocabulary, shape.embedding])
    for layer in 0..<shape.layers {
      add("gru.weight_ih_l\(layer)", [gates, shape.inputs(of: layer)], decays: true)
      add("gru.weight_hh_l\(layer)", [gates, shape.hidden], decays: true)
      add("gru.bias_ih_l\(layer)", [gates])
      add("gru.bias_hh_l\(layer)", [gates])
    }
    add("head.weight", [shape.vocabulary, shape.hidden], decays: true)
    add("head.bias", [shape.vocabulary])
    self.tensors = tensors
    count = offset
    layers = shape.layers
  }

  /// Numbers that are learned: what "parameters" means to a user.
  public var parameters: Int { tensors.reduce(0) { $0 + $1.count } }

  var embedding: Int { tensors[0].offset }
  func inputWeight(_ layer: Int) -> Int { tensors[1 + 4 * layer].offset }
  func recurrentWeight(_ layer: Int) -> Int { tensors[2 + 4 * layer].offset }
  func inputBias(_ layer: Int) -> Int { tensors[3 + 4 * layer].offset }
  func recurrentBias(_ layer: Int) -> Int { tensors[4 + 4 * layer].offset }
  var headWeight: Int { tensors[1 + 4 * layers].offset }
  var headBias: Int { tensors[2 + 4 * layers].offset }
}
