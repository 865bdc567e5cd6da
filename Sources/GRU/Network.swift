import Kernels
import Memory

/// A trained network, ready to be read: it never changes, so any number of threads may use it at
/// once, each with a `Scratch` of its own.
public final class Network: @unchecked Sendable {
  public let shape: NetworkShape
  public let layout: ParameterLayout
  public let stored: StoredParameters
  public let precision: Precision
  public let kernels: KernelTable
  let weights: ForwardWeights

  /// A network of zeros: `NetworkBuilder` fills it.
  fileprivate init(_ shape: NetworkShape, _ precision: Precision, _ kernels: KernelTable)
    throws(NetworkError)
  {
    try shape.validate()
    self.shape = shape
    self.precision = precision
    self.kernels = kernels
    layout = ParameterLayout(shape)
    weights = try ForwardWeights(
      shape, precision: precision, packsTable: true, kernels: kernels)
    stored = try StoredParameters(weights, precision)
  }

  /// - `parameters`: in the layout of `shape`; quantized to `precision`.
  public convenience init(
    _ shape: NetworkShape, parameters: FloatBuffer, precision: Precision = .float32,
    kernels: KernelTable = .current
  ) throws(NetworkError) {
    try self.init(shape, precision, kernels)
    for (i, tensor) in layout.tensors.enumerated() {
      stored.fill(
        i, from: 0,
        TypedRows(
          .float32, count: tensor.rows, columns: tensor.columns,
          bytes: parameters.pointer + tensor.offset))
    }
    stored.finish()
  }

  /// The parameters as floats, in the layout.
  public func parameters() throws(NetworkError) -> FloatBuffer { try stored.expanded() }

  /// The same network in another precision.
  public func quantized(to precision: Precision) throws(NetworkError) -> Network {
    let builder = try NetworkBuilder(shape, precision: precision, kernels: kernels)
    try stored.forEach { (tensor, first, rows) in builder.fill(tensor, from: first, rows) }
    return builder.finish()
  }

  /// The memory of one thread for steps of up to `rows` streams at once. That of one stream keeps what
  /// a step of it begins for the next.
  public final class Scratch {
    public let rows: Int
    fileprivate let operands: FloatBuffer
    /// Either the one stream, or what several need.
    fileprivate let single: SingleStream?
    fileprivate let input, previous, next, sums: FloatBuffer
    /// The rows of the table each input is the sum of, `[rows][side inputs, then the token]`; nothing without
    /// side inputs.
    fileprivate let tableRows: GrowableBuffer<Int32>
    fileprivate let tableSum: TableSum?
    /// The logits of the last step, `[rows][padded vocabulary]`.
    public let logits: FloatBuffer

    public init(_ network: Network, rows: Int) throws(NetworkError) {
      let shape = network.shape
      self.rows = rows
      let h = shape.paddedHidden
      operands = try FloatBuffer(network.weights.operandCount(rows: rows))
      single = rows == 1 ? try SingleStream(shape) : nil
      let together = rows == 1 ? 0 : rows
      tableRows = try tokens(
        0, count: shape.sides.isEmpty ? 0 : rows * (1 + shape.sides.count))
      tableSum = shape.sides.isEmpty ? nil : try TableSum(shape, network.kernels)
      input = try FloatBuffer((shape.sides.isEmpty ? together : rows) * GRUCell.gates * h)
      previous = try FloatBuffer(together * h)
      next = try FloatBuffer(together * h)
      sums = try FloatBuffer(together * GRUCell.gates * h)
      logits = try FloatBuffer(rows * shape.paddedVocabulary)
    }
  }

  /// Moves some streams on by one token each. Allocates nothing, locks nothing.
  ///
  /// One stream with the memory of one takes up to twice as long as it does from then on when it is
  /// not where that memory last saw it: at the start, or after it was set to another state.
  ///
  /// - `tokens`: `[rows]`, each below the vocabulary's size.
  /// - `sides`: `[rows][side inputs]`, each below the number of its values; nil if none is told.
  /// - `added`: `[rows]` of what is added to the input of layer 0, from `blend`; nil for nothing, as in the list.
  /// - `states`: `[rows]` pointers to states of `shape.stateCount` floats; replaced.
  /// - `wantLogits`: whether the logits of what comes next are worked out, into `scratch.logits`.
  public func step(
    rows: Int, tokens: UnsafePointer<Int32>, sides: UnsafePointer<Int32>? = nil,
    added: UnsafePointer<UnsafePointer<Float>?>? = nil,
    states: UnsafePointer<UnsafeMutablePointer<Float>>, wantLogits: Bool, _ scratch: Scratch
  ) {
    let h = shape.paddedHidden
    let looksUp = shape.sides.isEmpty
    if !looksUp { addUp(rows: rows, tokens: tokens, sides: sides, added: added, scratch) }
    for layer in 0..<shape.layers {
      if let single = scratch.single {
        single.step(
          layer, weights,
          input: looksUp
            ? weights.table.pointer + Int(tokens[0]) * GRUCell.gates * h : scratch.input.pointer,
          states: states[0])
      } else {
        step(layer, rows: rows, tokens: tokens, states: states, scratch)
      }
    }
    if wantLogits {
      let top = states[0] + (shape.layers - 1) * h
      weights.head.multiply(
        rows: rows, left: scratch.single == nil ? scratch.next.pointer : top, leftStride: h,
        bias: weights.headBias.pointer,
        result: scratch.logits.pointer, resultStride: shape.paddedVocabulary,
        operands: scratch.operands.pointer)
    }
  }

  /// The inputs to layer 0 with side inputs, into `scratch.input`.
  private func addUp(
    rows: Int, tokens: UnsafePointer<Int32>, sides: UnsafePointer<Int32>?,
    added: UnsafePointer<UnsafePointer<Float>?>?, _ scratch: Scratch
  ) {
    let width = GRUCell.gates * shape.paddedHidden
    let input = scratch.input.pointer
    let tableRows = scratch.tableRows.base.unsafelyUnwrapped
    ForwardWeights.tableRows(shape, rows: rows, tokens: tokens, sides: sides, into: tableRows)
    for row in 0..<rows {
      scratch.tableSum?.add(
        tableRows + row * (1 + shape.sides.count), of: weights, into: input + row * width)
      if let more = added?[row] { kernels.add(width, more, input + row * width) }
    }
  }

  /// Floats of what is added to the input of layer 0: see `blend`.
  public var inputCount: Int { GRUCell.gates * shape.paddedHidden }

  /// What is to be added to the input of layer 0, where value 0 of a side input is told, so that a mixture of several
  /// of its values is. Since layer 0 adds up one row of its table for each, any mixture is as good as a value.
  ///
  /// - `values`, `shares`: `count` of them; the shares add up to 1.
  /// - `result`: `inputCount` floats. `room`: as many, overwritten.
  public func blend(
    side: Int, values: UnsafePointer<Int32>, shares: UnsafePointer<Float>, count: Int,
    into result: UnsafeMutablePointer<Float>, room: UnsafeMutablePointer<Float>
  ) {
    let first = Int32(weights.firstRow(side))
    func addRow(_ value: Int32, _ share: Float) {
      var row = first + value
      weights.sum(&row, 1, into: room)
      for i in 0..<inputCount { result[i] += share * room[i] }
    }
    result.update(repeating: 0, count: inputCount)
    addRow(0, -1)
    for i in 0..<count { addRow(values[i], shares[i]) }
  }

  /// One layer of several streams, whose new states it leaves in `scratch.next` too, for the layer above.
  private func step(
    _ layer: Int, rows: Int, tokens: UnsafePointer<Int32>,
    states: UnsafePointer<UnsafeMutablePointer<Float>>, _ scratch: Scratch
  ) {
    let h = shape.paddedHidden
    let looksUp = layer == 0 && shape.sides.isEmpty
    let previous = scratch.previous.pointer
    let next = scratch.next.pointer
    if layer > 0 {
      weights.input[layer].multiply(
        rows: rows, left: next, leftStride: h, bias: weights.inputBias[layer].pointer,
        result: scratch.input.pointer, resultStride: GRUCell.gates * h,
        operands: scratch.operands.pointer)
    }
    for row in 0..<rows { (previous + row * h).update(from: states[row] + layer * h, count: h) }
    weights.recurrent[layer].multiply(
      rows: rows, left: previous, leftStride: h, bias: weights.recurrentBias[layer].pointer,
      result: scratch.sums.pointer, resultStride: GRUCell.gates * h,
      operands: scratch.operands.pointer)
    kernels.gruForward(
      rows: rows, hidden: h, sums: scratch.sums.pointer, previous: previous,
      input: looksUp ? weights.table.pointer : scratch.input.pointer,
      inputStride: GRUCell.gates * h, index: looksUp ? tokens : nil, next: next, cache: nil)
    for row in 0..<rows { (states[row] + layer * h).update(from: next + row * h, count: h) }
  }
}

/// A network in the making, from rows of its tensors as a model file has them.
public final class NetworkBuilder {
  private let network: Network

  public init(
    _ shape: NetworkShape, precision: Precision = .float32, kernels: KernelTable = .current
  ) throws(NetworkError) {
    network = try Network(shape, precision, kernels)
  }

  /// Takes rows of the tensor at a place of the layout, from row `first` on. Those of the network's precision are
  /// taken as they are, others are quantized to it.
  public func fill(_ tensor: Int, from first: Int, _ rows: TypedRows) {
    network.stored.fill(tensor, from: first, rows)
  }

  /// The network, when all rows of all tensors have been taken.
  public func finish() -> Network {
    network.stored.finish()
    return network
  }
}
