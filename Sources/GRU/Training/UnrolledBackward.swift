import CSimd
import Kernels
import Memory

// The backward pass through a batch: from the gradient of the loss to those of the parameters.

extension Unrolled {
  /// Adds the gradients of the last `forward` (over all time steps, with a scale) to `gradients`.
  func backward(
    _ weights: BackwardWeights, parameters: UnsafePointer<Float>,
    gradients: UnsafeMutablePointer<Float>, drop: DropoutStep?
  ) {
    guard let training else { return }
    let h = shape.paddedHidden
    let n = sequence * batch
    let top = shape.layers - 1
    headBackward(weights, training, gradients, drop)
    for layer in stride(from: top, through: 0, by: -1) {
      if let dropout, let drop {
        for t in 0..<sequence {
          let d = training.outputGradient.pointer + t * batch * h
          dropout.apply(
            kernels, drop, layer: layer, time: t, width: h, rows: batch, x: UnsafePointer(d), y: d
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
    let n = sequence * batch
    let v = shape.paddedVocabulary
    let top = shape.layers - 1
    let read =
      drop == nil || dropout == nil
      ? UnsafePointer(hidden[top].pointer + batch * h) : UnsafePointer(dropped[top].pointer)
    var arguments = WeightGradientArguments(
      numbers: precision.numbersPerCell, m: shape.vocabulary, n: shape.hidden, depth: n,
      left: logits.pointer, leftStride: v, right: read, rightStride: h,
      result: gradients + layout.headWeight, scratch: training.scratch.pointer)
    kernels.weightGradient(&arguments)
    training.sums.clear()
    kernels.columnSums(
      rows: n, columns: v, x: logits.pointer, stride: v, sums: training.sums.pointer)
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
    let rowsOfState = batch * h
    training.carry.clear()
    training.sums.clear()
    for t in Swift.stride(from: sequence - 1, through: 0, by: -1) {
      let gates = training.cache[layer].pointer + t * batch * gateStride
      kernels.gruBackward(
        rows: batch, hidden: h, cache: gates, previous: hidden[layer].pointer + t * rowsOfState,
        output: training.outputGradient.pointer + t * rowsOfState,
        carry: training.carry.pointer, biasGradient: training.sums.pointer)
      if t > 0 {
        weights.recurrent[layer].multiply(
          rows: batch, left: gates + h, leftStride: gateStride, bias: nil, accumulate: true,
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
    let n = sequence * batch
    let gates = training.cache[layer].pointer
    gateGradient(
      precision, gates, gateStride, first: 1, UnsafePointer(hidden[layer].pointer),
      rightStride: h, inputs: shape.hidden, rows: n,
      into: gradients + layout.recurrentWeight(layer), training)
    guard layer > 0 else { return }
    let read =
      drop == nil || dropout == nil
      ? UnsafePointer(hidden[layer - 1].pointer + batch * h)
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
    if shape.sides.isEmpty {
      kernels.scatterAdd(
        rows: sequence * batch, columns: GRUCell.gates * h, x: training.cache[0].pointer,
        stride: gateStride, index: inputs, terms: 1, table: table.pointer)
    } else {
      addUpTable(training.cache[0].pointer, stride: gateStride, into: table.pointer)
    }
    embeddingBackward(
      weights, training, parameters, gradients, rows: shape.vocabulary, table: table.pointer,
      embedding: layout.embedding)
    for side in 0..<shape.sides.count {
      embeddingBackward(
        weights, training, parameters, gradients, rows: shape.sides[side],
        table: table.pointer + (shape.vocabulary + shape.sides.first(side)) * GRUCell.gates * h,
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
      .float32, table, GRUCell.gates * h, first: 0, parameters + embedding,
      rightStride: shape.embedding, inputs: shape.embedding, rows: rows,
      into: gradients + layout.inputWeight(0), training)
    weights.input[0].multiply(
      rows: rows, left: table, leftStride: GRUCell.gates * h, bias: nil,
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
      var arguments = WeightGradientArguments(
        numbers: precision.numbersPerCell, m: count, n: inputs, depth: rows,
        left: left + place * h, leftStride: leftStride, right: right, rightStride: rightStride,
        result: weight + gate * shape.hidden * inputs, scratch: training.scratch.pointer)
      kernels.weightGradient(&arguments)
    }
    if h > shape.hidden {
      for gate in 0..<GRUCell.gates {
        add(gate, shape.hidden, from: gate == 2 && first == 0 ? 0 : 1 + gate)
      }
    } else if first == 1 {
      add(0, GRUCell.gates * h, from: 1)
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
    for gate in 0..<GRUCell.gates {
      let input = gradients + layout.inputBias(layer) + gate * shape.hidden
      let recurrent = gradients + layout.recurrentBias(layer) + gate * shape.hidden
      for unit in 0..<shape.hidden {
        input[unit] += sums[(gate + 1) % GRUCell.gates * h + unit]
        recurrent[unit] += sums[(gate + 1) * h + unit]
      }
    }
  }
}
