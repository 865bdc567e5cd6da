import Kernels
import Memory

/// A network unrolled over a window of time steps for some parallel streams: forward, backward, and
/// the memory both need. One thread works on one of these; threads share streams out among them and
/// need not meet until the gradients are added up.
///
/// Rows are ordered by time, then stream: row `t * streams + s`. With H the padded hidden size and
/// n = window * streams rows:
final class Unrolled {
  let shape: NetworkShape
  let layout: ParameterLayout
  let streams: Int
  let window: Int
  private let precision: Precision
  private let kernels: KernelTable
  private let dropout: Dropout?
  /// Floats from a row of a layer's cache to the next.
  private var gateStride: Int { KernelTable.cacheStride(hidden: shape.paddedHidden) }

  /// Tokens read and tokens to predict, `[n]`; a negative target does not count.
  private let tokens: (inputs: GrowableBuffer<Int32>, targets: GrowableBuffer<Int32>)
  /// With side inputs: the rows of the table each row's input is the sum of, `[n][1 + side inputs]`.
  private let tableRows: GrowableBuffer<Int32>
  var inputs: UnsafeMutablePointer<Int32> { tokens.inputs.base.unsafelyUnwrapped }
  var targets: UnsafeMutablePointer<Int32> { tokens.targets.base.unsafelyUnwrapped }
  /// Minus the log-probability of each target, `[n]`.
  let loss: FloatBuffer

  /// Per layer: the hidden state, `[window + 1][streams][H]`, the carried one first.
  private let hidden: [FloatBuffer]
  /// Per layer: its output after dropout, `[n][H]`; empty without dropout.
  private let dropped: [FloatBuffer]
  /// The input's share of the gates of the layers above 0, `[n][3 H]`, unless the cache has room for it.
  private let gateInput: FloatBuffer
  /// The recurrent products of one step, `[streams][3 H]`.
  private let sums: FloatBuffer
  /// Logits, then their gradient, `[n][padded vocabulary]`.
  private let logits: FloatBuffer
  /// Lent to products.
  private let operands: FloatBuffer
  private let training: Training?

  /// What only the way back needs.
  private struct Training {
    /// Per layer: what `gruForward` keeps of each step, then what `gruBackward` leaves in its place.
    let cache: [FloatBuffer]
    /// Gradient of a layer's output, `[n][H]`, and of the state between two steps, `[streams][H]`.
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
    _ shape: NetworkShape, streams: Int, window: Int, dropout: Dropout? = nil,
    training: Bool, operands: Int, precision: Precision = .float32, kernels: KernelTable = .current
  ) throws(NetworkError) {
    self.precision = precision
    self.shape = shape
    self.streams = streams
    self.window = window
    self.dropout = dropout
    self.kernels = kernels
    layout = ParameterLayout(shape)
    let n = window * streams
    let h = shape.paddedHidden
    let layers = shape.layers
    hidden = try buffers(layers, (window + 1) * streams * h)
    dropped = dropout == nil ? [] : try buffers(layers, n * h)
    let looksUp = layers == 1 && shape.sides.isEmpty
    gateInput = try FloatBuffer(looksUp || training ? 0 : n * 3 * h)
    sums = try FloatBuffer(streams * 3 * h)
    logits = try FloatBuffer(n * shape.paddedVocabulary)
    loss = try FloatBuffer(n)
    self.operands = try FloatBuffer(operands)
    if training {
      self.training = Training(
        cache: try buffers(layers, n * KernelTable.cacheStride(hidden: h)),
        outputGradient: try FloatBuffer(n * h),
        carry: try FloatBuffer(streams * h),
        tableGradient: try FloatBuffer(shape.tableRows * 3 * h),
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

  /// Runs the first `steps` steps of the window forward and gives the sum of the losses.
  ///
  /// - `state`: the hidden state of these streams, layer after layer, `stride` floats from one
  ///   layer to the next; replaced by the state after the last step.
  /// - `scale`: multiplies the gradient of the loss that is left for `backward`; 0 for none.
  /// - `drop`: which training step this is, for dropout; nil for none.
  func forward(
    _ weights: ForwardWeights, steps: Int, state: UnsafeMutablePointer<Float>, stride: Int,
    scale: Float = 0, drop: DropoutStep? = nil
  ) -> Double {
    let h = shape.paddedHidden
    let rowsOfState = streams * h
    let n = steps * streams
    var below: UnsafePointer<Float>?
    for layer in 0..<shape.layers {
      let all = hidden[layer].pointer
      all.update(from: state + layer * stride, count: rowsOfState)
      var (input, inputStride) = (weights.table.pointer, 3 * h)
      let looksUp = layer == 0 && shape.sides.isEmpty
      if !looksUp {
        // For the backward pass r, z and a take the places of the input's share.
        (input, inputStride) =
          training.map { ($0.cache[layer].pointer + h, gateStride) } ?? (gateInput.pointer, 3 * h)
      }
      if let below {
        weights.input[layer].multiply(
          rows: n, left: below, leftStride: h, bias: weights.inputBias[layer].pointer,
          result: input, resultStride: inputStride, operands: operands.pointer)
      } else if !looksUp {
        kernels.gatherSum(
          n, 3 * h, weights.table.pointer, tableRows.base.unsafelyUnwrapped,
          1 + shape.sides.count, input, inputStride)
      }
      for t in 0..<steps {
        let previous = all + t * rowsOfState
        weights.recurrent[layer].multiply(
          rows: streams, left: previous, leftStride: h, bias: weights.recurrentBias[layer].pointer,
          result: sums.pointer, resultStride: 3 * h, operands: operands.pointer)
        kernels.gruForward(
          streams, h, sums.pointer, previous,
          looksUp ? input : input + t * streams * inputStride, inputStride,
          looksUp ? UnsafePointer(inputs + t * streams) : nil, all + (t + 1) * rowsOfState,
          scale == 0 ? nil : training.map { $0.cache[layer].pointer + t * streams * gateStride })
      }
      (state + layer * stride).update(from: all + steps * rowsOfState, count: rowsOfState)
      below = output(of: layer, steps: steps, drop: drop)
    }
    weights.head.multiply(
      rows: n, left: below!, leftStride: h, bias: weights.headBias.pointer,
      result: logits.pointer, resultStride: shape.paddedVocabulary, operands: operands.pointer)
    kernels.crossEntropy(
      n, shape.paddedVocabulary, shape.vocabulary, logits.pointer, targets, scale, loss.pointer)
    var sum = 0.0
    for row in 0..<n { sum += Double(loss.pointer[row]) }
    return sum
  }

  /// The logits of the last `forward` that was given a scale of 0, `[steps * streams][stride]`.
  var lastLogits: UnsafePointer<Float> { UnsafePointer(logits.pointer) }

  /// What the layer above, or the head, reads: the states of the steps, with dropout if any.
  private func output(of layer: Int, steps: Int, drop: DropoutStep?) -> UnsafePointer<Float> {
    let h = shape.paddedHidden
    let states = UnsafePointer(hidden[layer].pointer + streams * h)
    guard let dropout, let drop else { return states }
    let result = dropped[layer].pointer
    for t in 0..<steps {
      let offset = t * streams * h
      dropout.apply(
        kernels, drop, layer: layer, time: t, width: h, rows: streams, x: states + offset,
        y: result + offset)
    }
    return UnsafePointer(result)
  }

  /// Adds the gradients of the last `forward` (over a whole window, with a scale) to `gradients`.
  func backward(
    _ weights: BackwardWeights, parameters: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, drop: DropoutStep?
  ) {
    guard let training else { return }
    let h = shape.paddedHidden
    let n = window * streams
    let top = shape.layers - 1
    headBackward(weights, training, gradients, drop)
    for layer in stride(from: top, through: 0, by: -1) {
      if let dropout, let drop {
        for t in 0..<window {
          let d = training.outputGradient.pointer + t * streams * h
          dropout.apply(
            kernels, drop, layer: layer, time: t, width: h, rows: streams, x: UnsafePointer(d), y: d
          )
        }
      }
      recurrentBackward(layer, weights, training)
      gateBiases(layer, UnsafePointer(training.sums.pointer), gradients)
      layerGradients(layer, training, gradients, drop)
      if layer > 0 {
        weights.input[layer].multiply(
          rows: n, left: training.cache[layer].pointer, leftStride: gateStride, bias: nil,
          result: training.outputGradient.pointer, resultStride: h, operands: operands.pointer)
      } else {
        tableBackward(weights, training, parameters, gradients)
      }
    }
  }

  private func headBackward(
    _ weights: BackwardWeights, _ training: Training, _ gradients: UnsafeMutablePointer<Float>,
    _ drop: DropoutStep?
  ) {
    let h = shape.paddedHidden
    let n = window * streams
    let v = shape.paddedVocabulary
    let top = shape.layers - 1
    let read =
      drop == nil || dropout == nil
      ? UnsafePointer(hidden[top].pointer + streams * h) : UnsafePointer(dropped[top].pointer)
    kernels.weightGradient(
      precision.numbersPerCell, shape.vocabulary, shape.hidden, n, logits.pointer, v, read, h,
      gradients + layout.headWeight,
      training.scratch.pointer)
    training.sums.clear()
    kernels.columnSums(n, v, logits.pointer, v, training.sums.pointer)
    for i in 0..<shape.vocabulary {
      gradients[layout.headBias + i] += training.sums.pointer[i]
    }
    weights.head.multiply(
      rows: n, left: logits.pointer, leftStride: v, bias: nil,
      result: training.outputGradient.pointer, resultStride: h, operands: operands.pointer)
  }

  /// Back through the time steps of one layer: fills the gradients of its gates, and the sums with
  /// those of its biases.
  private func recurrentBackward(_ layer: Int, _ weights: BackwardWeights, _ training: Training) {
    let h = shape.paddedHidden
    let rowsOfState = streams * h
    training.carry.clear()
    training.sums.clear()
    for t in Swift.stride(from: window - 1, through: 0, by: -1) {
      let gates = training.cache[layer].pointer + t * streams * gateStride
      kernels.gruBackward(
        streams, h, gates, hidden[layer].pointer + t * rowsOfState,
        training.outputGradient.pointer + t * rowsOfState, training.carry.pointer,
        training.sums.pointer)
      if t > 0 {
        weights.recurrent[layer].multiply(
          rows: streams, left: gates + h, leftStride: gateStride, bias: nil, accumulate: true,
          result: training.carry.pointer, resultStride: h, operands: operands.pointer)
      }
    }
  }

  /// The gradients of a layer's weights, each one product over all rows.
  private func layerGradients(
    _ layer: Int, _ training: Training, _ gradients: UnsafeMutablePointer<Float>,
    _ drop: DropoutStep?
  ) {
    let h = shape.paddedHidden
    let n = window * streams
    let gates = training.cache[layer].pointer
    gateGradient(
      precision, gates, gateStride, first: 1, UnsafePointer(hidden[layer].pointer),
      rightStride: h, inputs: shape.hidden, rows: n,
      into: gradients + layout.recurrentWeight(layer), training)
    guard layer > 0 else { return }
    let read =
      drop == nil || dropout == nil
      ? UnsafePointer(hidden[layer - 1].pointer + streams * h)
      : UnsafePointer(dropped[layer - 1].pointer)
    gateGradient(
      precision, gates, gateStride, first: 0, read, rightStride: h, inputs: shape.hidden,
      rows: n, into: gradients + layout.inputWeight(layer), training)
  }

  /// Layer 0: the rows of the table collect the gradients of their tokens, and the input weight and
  /// the embedding get theirs from the table.
  private func tableBackward(
    _ weights: BackwardWeights, _ training: Training, _ parameters: UnsafePointer<Float>,
    _ gradients: UnsafeMutablePointer<Float>
  ) {
    let h = shape.paddedHidden
    let table = training.tableGradient
    table.clear()
    kernels.scatterAdd(
      window * streams, 3 * h, training.cache[0].pointer, gateStride,
      shape.sides.isEmpty ? UnsafePointer(inputs) : UnsafePointer(tableRows.base.unsafelyUnwrapped),
      1 + shape.sides.count, table.pointer)
    embeddingBackward(
      weights, training, parameters, gradients, rows: shape.vocabulary, table: table.pointer,
      embedding: layout.embedding)
    for side in 0..<shape.sides.count {
      embeddingBackward(
        weights, training, parameters, gradients, rows: shape.sides[side],
        table: table.pointer + (shape.vocabulary + shape.sides.first(side)) * 3 * h,
        embedding: layout.side(side))
    }
  }

  /// From some rows of the table's gradient to those of the input weight and of the embedding they are of.
  ///
  /// - `embedding`: where its tensor begins in the layout.
  private func embeddingBackward(
    _ weights: BackwardWeights, _ training: Training, _ parameters: UnsafePointer<Float>,
    _ gradients: UnsafeMutablePointer<Float>, rows: Int, table: UnsafePointer<Float>, embedding: Int
  ) {
    let h = shape.paddedHidden
    let e = shape.paddedEmbedding
    gateGradient(
      .float32, table, 3 * h, first: 0, parameters + embedding,
      rightStride: shape.embedding, inputs: shape.embedding, rows: rows,
      into: gradients + layout.inputWeight(0), training)
    weights.input[0].multiply(
      rows: rows, left: table, leftStride: 3 * h, bias: nil,
      result: training.embeddingGradient.pointer, resultStride: e, operands: operands.pointer)
    for row in 0..<rows {
      let from = training.embeddingGradient.pointer + row * e
      let to = gradients + embedding + row * shape.embedding
      for i in 0..<shape.embedding { to[i] += from[i] }
    }
  }

  /// `weight[3 * hidden][inputs] += left^T right`, where the gates of `left` are padded and in the order
  /// n, r, z if gate `first`, 0 or 1, is the first one; or r, z, n.
  private func gateGradient(
    _ precision: Precision, _ left: UnsafePointer<Float>, _ leftStride: Int,
    first: Int, _ right: UnsafePointer<Float>, rightStride: Int, inputs: Int, rows: Int,
    into weight: UnsafeMutablePointer<Float>, _ training: Training
  ) {
    let h = shape.paddedHidden
    func add(_ gate: Int, _ count: Int, from place: Int) {
      kernels.weightGradient(
        precision.numbersPerCell, count, inputs, rows, left + place * h, leftStride, right,
        rightStride,
        weight + gate * shape.hidden * inputs, training.scratch.pointer)
    }
    if h > shape.hidden {
      for gate in 0..<3 { add(gate, shape.hidden, from: gate == 2 && first == 0 ? 0 : 1 + gate) }
    } else if first == 1 {
      add(0, 3 * h, from: 1)
    } else {
      add(0, 2 * h, from: 1)
      add(2, h, from: 0)
    }
  }

  /// Both biases of a gate add to the same sum and have the same gradient, but those of n: the reset
  /// gate lies between them.
  private func gateBiases(
    _ layer: Int, _ sums: UnsafePointer<Float>, _ gradients: UnsafeMutablePointer<Float>
  ) {
    let h = shape.paddedHidden
    for gate in 0..<3 {
      let input = gradients + layout.inputBias(layer) + gate * shape.hidden
      let recurrent = gradients + layout.recurrentBias(layer) + gate * shape.hidden
      for unit in 0..<shape.hidden {
        input[unit] += sums[(gate + 1) % 3 * h + unit]
        recurrent[unit] += sums[(gate + 1) * h + unit]
      }
    }
  }
}
