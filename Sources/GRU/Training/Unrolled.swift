import Kernels
import Memory

/// A network unrolled over the time steps of a batch of sequences: forward, backward, and
/// the memory both need. One thread works on one of these; threads share the batch's rows out and
/// need not meet until the gradients are added up.
///
/// Rows are ordered by time, then row: row `t * batch + s`. With H the padded hidden size and
/// n = sequence * batch rows:
final class Unrolled {
  let shape: NetworkShape
  let layout: ParameterLayout
  let batch: Int
  let sequence: Int
  let precision: Precision
  let kernels: KernelTable
  let dropout: Dropout?
  /// Floats from a row of a layer's cache to the next.
  var gateStride: Int { KernelTable.cacheStride(hidden: shape.paddedHidden) }

  /// Tokens read and tokens to predict, `[n]`; a negative target does not count.
  let tokens: (inputs: GrowableBuffer<Int32>, targets: GrowableBuffer<Int32>)
  /// With side inputs: the rows of the table each row's input is the sum of,
  /// `[n][side inputs, then the token]`.
  let tableRows: GrowableBuffer<Int32>
  let tableSum: TableSum?
  /// Lent to `addUpTable`, `[3 H]`.
  let sideSum: FloatBuffer
  var inputs: UnsafeMutablePointer<Int32> { tokens.inputs.base.unsafelyUnwrapped }
  var targets: UnsafeMutablePointer<Int32> { tokens.targets.base.unsafelyUnwrapped }
  /// Minus the log-probability of each target, `[n]`.
  let loss: FloatBuffer

  /// Per layer: the hidden state, `[sequence + 1][batch][H]`, the carried one first.
  let hidden: [FloatBuffer]
  /// Per layer: its output after dropout, `[n][H]`; empty without dropout.
  let dropped: [FloatBuffer]
  /// The input's share of the gates of the layers above 0, `[n][3 H]`, unless the cache has room for it.
  let gateInput: FloatBuffer
  /// The recurrent products of one step, `[batch][3 H]`.
  let sums: FloatBuffer
  /// Logits, then their gradient, `[n][padded vocabulary]`.
  let logits: FloatBuffer
  /// Lent to products.
  let operands: FloatBuffer
  let training: Training?

  /// What only the backward pass needs.
  struct Training {
    /// Per layer: what `gruForward` keeps of each step, then what `gruBackward` leaves in its place.
    let cache: [FloatBuffer]
    /// Gradient of a layer's output, `[n][H]`, and of the state between two steps, `[batch][H]`.
    let outputGradient: FloatBuffer
    let carry: FloatBuffer
    /// Gradient of the table of layer 0, `[vocabulary][3 H]`, and of the embedding, padded.
    let tableGradient: FloatBuffer
    let embeddingGradient: FloatBuffer
    /// Sums of rows, for the gradients of biases, and the scratch of `weightGradient`.
    let sums: FloatBuffer
    let scratch: FloatBuffer
  }

  init(
    _ shape: NetworkShape, batch: Int, sequence: Int, dropout: Dropout? = nil,
    training: Bool, operands: Int, precision: Precision = .float32, kernels: KernelTable = .current
  ) throws(NetworkError) {
    self.precision = precision
    self.shape = shape
    self.batch = batch
    self.sequence = sequence
    self.dropout = dropout
    self.kernels = kernels
    layout = ParameterLayout(shape)
    let n = sequence * batch
    let h = shape.paddedHidden
    let layers = shape.layers
    hidden = try buffers(layers, (sequence + 1) * batch * h)
    dropped = dropout == nil ? [] : try buffers(layers, n * h)
    let looksUp = layers == 1 && shape.sides.isEmpty
    gateInput = try FloatBuffer(looksUp || training ? 0 : n * GRUCell.gates * h)
    sums = try FloatBuffer(batch * GRUCell.gates * h)
    logits = try FloatBuffer(n * shape.paddedVocabulary)
    loss = try FloatBuffer(n)
    self.operands = try FloatBuffer(operands)
    if training {
      self.training = Training(
        cache: try buffers(layers, n * KernelTable.cacheStride(hidden: h)),
        outputGradient: try FloatBuffer(n * h),
        carry: try FloatBuffer(batch * h),
        tableGradient: try FloatBuffer(shape.tableRows * GRUCell.gates * h),
        embeddingGradient: try FloatBuffer(
          max(shape.vocabulary, shape.sides.max() ?? 0) * shape.paddedEmbedding),
        sums: try FloatBuffer(max(4 * h, shape.paddedVocabulary)),
        scratch: try FloatBuffer(
          KernelTable.weightGradientRoom(columns: max(shape.hidden, shape.embedding))))
    } else {
      self.training = nil
    }
    tokens = (
      try GRU.tokens(0, count: max(n, 1)), try GRU.tokens(-1, count: max(n, 1))
    )
    tableSum = shape.sides.isEmpty ? nil : try TableSum(shape, kernels)
    sideSum = try FloatBuffer(shape.sides.isEmpty ? 0 : GRUCell.gates * h)
    tableRows = try GRU.tokens(
      0, count: shape.sides.isEmpty ? 0 : max(n, 1) * (1 + shape.sides.count))
  }

  /// Takes the side values of the rows from `first` on, whose inputs are there already; nil if none is told.
  func setSides(_ sides: UnsafePointer<Int32>?, first: Int, rows: Int) {
    guard !shape.sides.isEmpty else { return }
    ForwardWeights.tableRows(
      shape, rows: rows, tokens: inputs + first, sides: sides,
      into: tableRows.base.unsafelyUnwrapped + first * (1 + shape.sides.count))
  }

  /// Runs the first `steps` steps of the sequence forward and gives the sum of the losses.
  ///
  /// - `state`: the hidden state of this batch, layer after layer, `stride` floats from one
  ///   layer to the next; replaced by the state after the last step.
  /// - `scale`: multiplies the gradient of the loss that is left for `backward`; 0 for none.
  /// - `drop`: which training step this is, for dropout; nil for none.
  func forward(
    _ weights: ForwardWeights, steps: Int, state: UnsafeMutablePointer<Float>, stride: Int,
    scale: Float = 0, drop: DropoutStep? = nil
  ) -> Double {
    let h = shape.paddedHidden
    let rowsOfState = batch * h
    let n = steps * batch
    var below: UnsafePointer<Float>?
    for layer in 0..<shape.layers {
      let all = hidden[layer].pointer
      all.update(from: state + layer * stride, count: rowsOfState)
      var (input, inputStride) = (weights.table.pointer, GRUCell.gates * h)
      let looksUp = layer == 0 && shape.sides.isEmpty
      if !looksUp {
        // For the backward pass r, z and a take the places of the input's share.
        (input, inputStride) =
          training.map { ($0.cache[layer].pointer + h, gateStride) } ?? (
            gateInput.pointer, GRUCell.gates * h
          )
      }
      if let below {
        weights.input[layer].multiply(
          rows: n, left: below, leftStride: h, bias: weights.inputBias[layer].pointer,
          result: input, resultStride: inputStride, operands: operands.pointer)
      } else if !looksUp {
        addUpInputs(weights, steps: steps, into: input, stride: inputStride)
      }
      for t in 0..<steps {
        let previous = all + t * rowsOfState
        weights.recurrent[layer].multiply(
          rows: batch, left: previous, leftStride: h, bias: weights.recurrentBias[layer].pointer,
          result: sums.pointer, resultStride: GRUCell.gates * h, operands: operands.pointer)
        kernels.gruForward(
          rows: batch, hidden: h, sums: sums.pointer, previous: previous,
          input: looksUp ? input : input + t * batch * inputStride, inputStride: inputStride,
          index: looksUp ? UnsafePointer(inputs + t * batch) : nil,
          next: all + (t + 1) * rowsOfState,
          cache: scale == 0
            ? nil : training.map { $0.cache[layer].pointer + t * batch * gateStride })
      }
      (state + layer * stride).update(from: all + steps * rowsOfState, count: rowsOfState)
      below = output(of: layer, steps: steps, drop: drop)
    }
    weights.head.multiply(
      rows: n, left: below!, leftStride: h, bias: weights.headBias.pointer,
      result: logits.pointer, resultStride: shape.paddedVocabulary, operands: operands.pointer)
    kernels.crossEntropy(
      rows: n, columns: shape.paddedVocabulary, vocabulary: shape.vocabulary,
      logits: logits.pointer, targets: targets, scale: scale, loss: loss.pointer)
    var sum = 0.0
    for row in 0..<n { sum += Double(loss.pointer[row]) }
    return sum
  }

  /// The logits of the last `forward` that was given a scale of 0, `[steps * batch][stride]`.
  var lastLogits: UnsafePointer<Float> { UnsafePointer(logits.pointer) }

  /// What the layer above, or the head, reads: the states of the steps, with dropout if any.
  func output(of layer: Int, steps: Int, drop: DropoutStep?) -> UnsafePointer<Float> {
    let h = shape.paddedHidden
    let states = UnsafePointer(hidden[layer].pointer + batch * h)
    guard let dropout, let drop else { return states }
    let result = dropped[layer].pointer
    for t in 0..<steps {
      let offset = t * batch * h
      dropout.apply(
        kernels, drop, layer: layer, time: t, width: h, rows: batch, x: states + offset,
        y: result + offset)
    }
    return UnsafePointer(result)
  }
}
