/// Fills a network's parameters before training: weights and biases uniform in ±1/sqrt(hidden), as
/// PyTorch does for `nn.GRU` and `nn.Linear`, the embedding normal with deviation 1, the head's bias
/// zero. Side inputs begin at zero, as if they were not there. The same seed gives the same numbers on every machine.
public func initialize(_ parameters: FloatBuffer, _ shape: NetworkShape, seed: UInt64) {
  let layout = ParameterLayout(shape)
  let bound = 1 / Float(shape.hidden).squareRoot()
  for (number, tensor) in layout.tensors.enumerated() {
    var state = mixed(seed ^ mixed(UInt64(number)))
    /// Uniform in [0, 1).
    func next() -> Float {
      state &+= 1
      return Float(mixed(state) >> 40) * 0x1p-24
    }
    let values = parameters.pointer + tensor.offset
    for i in 0..<tensor.count {
      switch tensor.role {
      case .embedding:
        // The sum of twelve uniform numbers is near enough to normal, and needs no logarithm.
        values[i] = (0..<12).reduce(Float(-6)) { sum, _ in sum + next() }
      case .side:
        let isTold = i >= shape.embedding
        values[i] = isTold ? (0..<12).reduce(Float(-6)) { sum, _ in sum + next() } * 0.5 : 0
      case .headBias: values[i] = 0
      default: values[i] = (2 * next() - 1) * bound
      }
    }
  }
}
