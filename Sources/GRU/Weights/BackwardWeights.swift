import Kernels

/// The parameters packed for the backward pass: `dx = dy W`, so the depth is a weight's outputs.
final class BackwardWeights: @unchecked Sendable {
  private let shape: NetworkShape
  private let layout: ParameterLayout

  /// Per layer: W_ih, its gates in the order n, r, z, in which `gruBackward` leaves their gradients. That
  /// of layer 0 is float32: it only meets the gradient of the table.
  let input: [PackedWeights]
  /// Per layer: W_hh.
  let recurrent: [PackedWeights]
  let head: PackedWeights
  private let precision: Precision

  init(_ shape: NetworkShape, precision: Precision = .float32, kernels: KernelTable = .current)
    throws(NetworkError)
  {
    self.shape = shape
    self.precision = precision
    layout = ParameterLayout(shape)
    let depth = GRUCell.gates * shape.paddedHidden
    var input: [PackedWeights] = []
    var recurrent: [PackedWeights] = []
    for layer in 0..<shape.layers {
      input.append(
        try PackedWeights(
          layer == 0 ? .float32 : precision, columns: Panels.padded(shape.inputs(of: layer)),
          depth: depth, kernels: kernels))
      recurrent.append(
        try PackedWeights(precision, columns: shape.paddedHidden, depth: depth, kernels: kernels))
    }
    self.input = input
    self.recurrent = recurrent
    head = try PackedWeights(
      precision, columns: shape.paddedHidden, depth: shape.paddedVocabulary, kernels: kernels)
  }

  /// Floats of memory the products want to be lent, for so many rows at most, and for the gradient of
  /// layer 0's table, which has a row for every token.
  func operandCount(rows: Int) -> Int {
    PackedWeights.operandCount(
      precision, rows: max(rows, shape.vocabulary, shape.sides.max() ?? 0),
      depth: max(GRUCell.gates * shape.paddedHidden, shape.paddedVocabulary))
  }

  /// Packs one worker's share of the columns.
  func pack(_ parameters: UnsafePointer<Float>, worker: Int = 0, of workers: Int = 1) {
    for layer in 0..<shape.layers {
      gates(
        parameters + layout.inputWeight(layer), inputs: shape.inputs(of: layer), into: input[layer],
        places: [1, 2, 0], worker, workers)
      gates(
        parameters + layout.recurrentWeight(layer), inputs: shape.hidden, into: recurrent[layer],
        places: [0, 1, 2], worker, workers)
    }
    let columns = share(of: shape.hidden, worker: worker, workers: workers, multiple: 32)
    head.pack(
      parameters + layout.headWeight + columns.lowerBound, first: columns.lowerBound,
      count: columns.count, columnStride: 1, rows: shape.vocabulary, rowStride: shape.hidden)
  }

  private func gates(
    _ weight: UnsafePointer<Float>, inputs: Int, into packed: PackedWeights,
    places: InlineArray<3, Int>, _ worker: Int, _ workers: Int
  ) {
    let hidden = shape.hidden
    let columns = share(of: inputs, worker: worker, workers: workers, multiple: 32)
    for gate in 0..<GRUCell.gates {
      packed.pack(
        weight + gate * hidden * inputs + columns.lowerBound, first: columns.lowerBound,
        count: columns.count, columnStride: 1, rows: hidden, rowStride: inputs,
        from: places[gate] * shape.paddedHidden)
    }
  }
}
