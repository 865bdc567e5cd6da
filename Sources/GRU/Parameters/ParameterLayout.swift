/// Where each tensor lies in the one buffer that holds all parameters of a network.
///
/// Names, shapes and the order of the gates (r, z, n) are PyTorch's, for a module with the members
/// `embedding`, `gru` and `head`, and `side`, an `nn.ModuleDict` of an `nn.Embedding` for each side input, in
/// place of whose names there are numbers here. Gradients and the optimiser's moments use the same layout. Each
/// tensor begins at a multiple of 16 floats; the floats between are zero and stay zero.
public struct ParameterLayout: Sendable {
  public struct Tensor: Sendable {
    public enum Role: Sendable {
      case embedding
      case inputWeight(Int), recurrentWeight(Int), inputBias(Int), recurrentBias(Int)
      case headWeight, headBias
      case side(Int)
    }

    public let role: Role
    /// The dimensions; a vector has one row.
    public let rows, columns: Int
    public let offset: Int

    public var count: Int { rows * columns }

    public var name: String {
      switch role {
      case .embedding: "embedding.weight"
      case .inputWeight(let layer): "gru.weight_ih_l\(layer)"
      case .recurrentWeight(let layer): "gru.weight_hh_l\(layer)"
      case .inputBias(let layer): "gru.bias_ih_l\(layer)"
      case .recurrentBias(let layer): "gru.bias_hh_l\(layer)"
      case .headWeight: "head.weight"
      case .headBias: "head.bias"
      case .side(let number): "side.\(number).weight"
      }
    }

    public var isMatrix: Bool {
      switch role {
      case .embedding, .inputWeight, .recurrentWeight, .headWeight, .side: true
      case .inputBias, .recurrentBias, .headBias: false
      }
    }

    public var dimensions: [Int] { isMatrix ? [rows, columns] : [columns] }

    /// Whether weight decay applies: to the matrices of products, not to tables and biases.
    public var decays: Bool {
      switch role {
      case .inputWeight, .recurrentWeight, .headWeight: true
      case .embedding, .side, .inputBias, .recurrentBias, .headBias: false
      }
    }
  }

  /// All tensors in their order: worked out as they are asked for, so that they take no memory however
  /// many layers there are.
  public struct Tensors: RandomAccessCollection, Sendable {
    fileprivate let shape: NetworkShape

    public var startIndex: Int { 0 }
    public var endIndex: Int { 4 * shape.layers + 3 + shape.sides.count }

    public subscript(i: Int) -> Tensor {
      precondition(i >= 0 && i < endIndex)
      let (role, rows, columns) = place(i)
      return Tensor(role: role, rows: rows, columns: columns, offset: offset(i))
    }

    private func place(_ i: Int) -> (Tensor.Role, rows: Int, columns: Int) {
      let gates = GRUCell.gates * shape.hidden
      switch i {
      case 0: return (.embedding, shape.vocabulary, shape.embedding)
      case 4 * shape.layers + 1: return (.headWeight, shape.vocabulary, shape.hidden)
      case 4 * shape.layers + 2: return (.headBias, 1, shape.vocabulary)
      case 4 * shape.layers + 3..<endIndex:
        let side = i - (4 * shape.layers + 3)
        return (.side(side), shape.sides[side], shape.embedding)
      default: break
      }
      let layer = (i - 1) / 4
      switch (i - 1) % 4 {
      case 0: return (.inputWeight(layer), gates, shape.inputs(of: layer))
      case 1: return (.recurrentWeight(layer), gates, shape.hidden)
      case 2: return (.inputBias(layer), 1, gates)
      default: return (.recurrentBias(layer), 1, gates)
      }
    }

    /// Floats before a tensor. The layers above 0 are all alike.
    fileprivate func offset(_ i: Int) -> Int {
      func floats(_ tensors: Range<Int>) -> Int {
        tensors.reduce(0) { sum, i in
          let (_, rows, columns) = place(i)
          return sum + (rows * columns + 15) / 16 * 16
        }
      }
      if i <= 5 || shape.layers < 2 { return floats(0..<i) }
      let (layers, rest) = (i - 5).quotientAndRemainder(dividingBy: 4)
      if i > 4 * shape.layers + 1 {
        return floats(0..<5) + (shape.layers - 1) * floats(5..<9)
          + floats(4 * shape.layers + 1..<i)
      }
      return floats(0..<5) + layers * floats(5..<9) + floats(5..<5 + rest)
    }
  }

  public let tensors: Tensors
  /// Floats of the whole buffer.
  public let count: Int
  let layers: Int

  public init(_ shape: NetworkShape) {
    tensors = Tensors(shape: shape)
    count = tensors.offset(tensors.endIndex)
    layers = shape.layers
  }

  /// Numbers that are learned: what "parameters" means to a user.
  public var parameters: Int { tensors.reduce(0) { $0 + $1.count } }

  /// The place of a tensor among all.
  func index(of role: Tensor.Role) -> Int {
    switch role {
    case .embedding: 0
    case .inputWeight(let layer): 1 + 4 * layer
    case .recurrentWeight(let layer): 2 + 4 * layer
    case .inputBias(let layer): 3 + 4 * layer
    case .recurrentBias(let layer): 4 + 4 * layer
    case .headWeight: 1 + 4 * layers
    case .headBias: 2 + 4 * layers
    case .side(let number): 3 + 4 * layers + number
    }
  }

  /// Makes the floats between the tensors zero, as all that works on the whole buffer expects.
  public func clearPadding(of buffer: FloatBuffer) {
    for (i, tensor) in tensors.enumerated() {
      let end = i + 1 < tensors.count ? tensors[i + 1].offset : count
      for place in tensor.offset + tensor.count..<end { buffer.pointer[place] = 0 }
    }
  }

  var embedding: Int { tensors.offset(0) }
  func inputWeight(_ layer: Int) -> Int { tensors.offset(1 + 4 * layer) }
  func recurrentWeight(_ layer: Int) -> Int { tensors.offset(2 + 4 * layer) }
  func inputBias(_ layer: Int) -> Int { tensors.offset(3 + 4 * layer) }
  func recurrentBias(_ layer: Int) -> Int { tensors.offset(4 + 4 * layer) }
  var headWeight: Int { tensors.offset(1 + 4 * layers) }
  var headBias: Int { tensors.offset(2 + 4 * layers) }
  func side(_ number: Int) -> Int { tensors.offset(3 + 4 * layers + number) }
}
