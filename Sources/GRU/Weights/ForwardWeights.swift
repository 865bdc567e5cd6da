import Kernels

/// The parameters for the forward pass: packed into panels, biases folded, and the input
/// product of layer 0 worked out for every token.
final class ForwardWeights: @unchecked Sendable {
  let shape: NetworkShape
  let layout: ParameterLayout

  /// `x_r, x_z, x_n` of layer 0 for each token, then for each value of each side input:
  /// `[tableRows][3 * padded hidden]`. The inputs to layer 0 take only so many values; this replaces a
  /// product per token by a look-up, or by a sum of rows where there are side inputs.
  let table: FloatBuffer
  /// Whether the rows of the table are packed as bfloat16, and the memory some are worked out in first.
  let isTablePacked: Bool
  private let tableRows: FloatBuffer
  /// Per layer: W_ih. That of layer 0 is float32, for the table alone.
  let input: [PackedWeights]
  /// Per layer: b_ih, plus b_hr and b_hz, which always appear added to it.
  let inputBias: [FloatBuffer]
  /// Per layer: W_hh.
  let recurrent: [PackedWeights]
  /// Per layer: b_hn, which is inside the reset gate, after zeros for the other two.
  let recurrentBias: [FloatBuffer]
  let head: PackedWeights
  let headBias: FloatBuffer
  private let precision: Precision
  private let kernels: KernelTable
  private static let rowsAtOnce = 8

  /// - `packsTable`: with side inputs, halves the table of a network that is not float32, of which it would be the
  ///   largest part.
  init(
    _ shape: NetworkShape, precision: Precision = .float32, packsTable: Bool = false,
    kernels: KernelTable = .current
  ) throws(NetworkError) {
    self.shape = shape
    self.kernels = kernels
    isTablePacked = packsTable && precision != .float32 && !shape.sides.isEmpty
    self.precision = precision
    layout = ParameterLayout(shape)
    let hidden = shape.paddedHidden
    var input: [PackedWeights] = []
    var inputBias: [FloatBuffer] = []
    var recurrent: [PackedWeights] = []
    var recurrentBias: [FloatBuffer] = []
    for layer in 0..<shape.layers {
      input.append(
        try PackedWeights(
          layer == 0 ? .float32 : precision, columns: GRUCell.gates * hidden,
          depth: shape.inputs(of: layer),
          kernels: kernels))
      inputBias.append(try FloatBuffer(GRUCell.gates * hidden))
      recurrent.append(
        try PackedWeights(
          precision, columns: GRUCell.gates * hidden, depth: shape.hidden, kernels: kernels))
      recurrentBias.append(try FloatBuffer(GRUCell.gates * hidden))
    }
    self.input = input
    self.inputBias = inputBias
    self.recurrent = recurrent
    self.recurrentBias = recurrentBias
    table = try FloatBuffer(shape.tableRows * GRUCell.gates * hidden / (isTablePacked ? 2 : 1))
    tableRows = try FloatBuffer(isTablePacked ? Self.rowsAtOnce * GRUCell.gates * hidden : 0)
    head = try PackedWeights(
      precision, columns: shape.paddedVocabulary, depth: shape.hidden, kernels: kernels)
    headBias = try FloatBuffer(shape.paddedVocabulary)
  }

  /// Floats of memory the products want to be lent, for so many rows at most.
  func operandCount(rows: Int) -> Int {
    PackedWeights.operandCount(precision, rows: rows, depth: shape.hidden)
  }

  /// Packs one worker's share of the parameters. When all shares are packed, `fillTable` follows.
  func pack(_ parameters: UnsafePointer<Float>, worker: Int = 0, of workers: Int = 1) {
    let hidden = shape.hidden
    let padded = shape.paddedHidden
    let units = share(of: padded, worker: worker, workers: workers, multiple: 32)
    let real = min(units.lowerBound, hidden)..<min(units.upperBound, hidden)
    for layer in 0..<shape.layers {
      let inputs = shape.inputs(of: layer)
      for gate in 0..<GRUCell.gates {
        input[layer].pack(
          parameters + layout.inputWeight(layer) + (gate * hidden + real.lowerBound) * inputs,
          first: gate * padded + real.lowerBound, count: real.count, columnStride: inputs,
          rows: inputs, rowStride: 1)
        recurrent[layer].pack(
          parameters + layout.recurrentWeight(layer) + (gate * hidden + real.lowerBound) * hidden,
          first: gate * padded + real.lowerBound, count: real.count, columnStride: hidden,
          rows: hidden, rowStride: 1)
      }
      setBiases(
        layer, input: parameters + layout.inputBias(layer),
        recurrent: parameters + layout.recurrentBias(layer), units: real)
    }
    let tokens = share(of: shape.vocabulary, worker: worker, workers: workers, multiple: 32)
    head.pack(
      parameters + layout.headWeight + tokens.lowerBound * hidden, first: tokens.lowerBound,
      count: tokens.count, columnStride: hidden, rows: hidden, rowStride: 1)
    for token in tokens { headBias.pointer[token] = parameters[layout.headBias + token] }
  }

  /// Folds the biases of some units of a layer, or of all.
  func setBiases(
    _ layer: Int, input ih: UnsafePointer<Float>, recurrent hh: UnsafePointer<Float>,
    units: Range<Int>? = nil
  ) {
    let (hidden, padded) = (shape.hidden, shape.paddedHidden)
    for unit in units ?? 0..<hidden {
      inputBias[layer].pointer[unit] = ih[unit] + hh[unit]
      inputBias[layer].pointer[padded + unit] = ih[hidden + unit] + hh[hidden + unit]
      inputBias[layer].pointer[2 * padded + unit] = ih[2 * hidden + unit]
      recurrentBias[layer].pointer[2 * padded + unit] = hh[2 * hidden + unit]
    }
  }

  func setHeadBias(_ bias: UnsafePointer<Float>) {
    headBias.pointer.update(from: bias, count: shape.vocabulary)
  }

  /// What has a matrix in panels from which its rows can be read back; nil for the others. (W_ih of layer 0 is
  /// packed in float32 whatever the precision.)
  func packed(_ role: ParameterLayout.Tensor.Role) -> PackedWeights? {
    switch role {
    case .inputWeight(let layer): layer > 0 ? input[layer] : nil
    case .recurrentWeight(let layer): recurrent[layer]
    case .headWeight: head
    case .embedding, .side, .inputBias, .recurrentBias, .headBias: nil
    }
  }

  /// Works out one worker's share of the table, after all of `pack` is done.
  func fillTable(_ parameters: UnsafePointer<Float>, worker: Int = 0, of workers: Int = 1) {
    let tokens = share(of: shape.vocabulary, worker: worker, workers: workers, multiple: 8)
    fillTable(
      embeddings: parameters + layout.embedding + tokens.lowerBound * shape.embedding,
      first: tokens.lowerBound, count: tokens.count)
    for side in 0..<shape.sides.count {
      let values = share(of: shape.sides[side], worker: worker, workers: workers, multiple: 8)
      fillTable(
        embeddings: parameters + layout.side(side) + values.lowerBound * shape.embedding,
        first: firstRow(side) + values.lowerBound, count: values.count)
    }
  }

  /// The first row of the table that is a side input's.
  func firstRow(_ side: Int) -> Int { shape.vocabulary + shape.sides.first(side) }

  /// Works out `count` rows of the table from row `first` on, from the embeddings of these tokens, or of
  /// these values of a side input, which add no bias.
  func fillTable(embeddings: UnsafePointer<Float>, first: Int, count: Int) {
    let width = GRUCell.gates * shape.paddedHidden
    func fill(_ rows: Range<Int>, into result: UnsafeMutablePointer<Float>) {
      input[0].multiply(
        rows: rows.count, left: embeddings + rows.lowerBound * shape.embedding,
        leftStride: shape.embedding,
        bias: first < shape.vocabulary ? inputBias[0].pointer : nil,
        result: result, resultStride: width, operands: nil)
    }
    guard isTablePacked else { return fill(0..<count, into: table.pointer + first * width) }
    for start in stride(from: 0, to: count, by: Self.rowsAtOnce) {
      let rows = start..<min(start + Self.rowsAtOnce, count)
      fill(rows, into: tableRows.pointer)
      for row in rows {
        kernels.packRow(
          width, tableRows.pointer + (row - start) * width,
          table.pointer + (first + row) * width / 2)
      }
    }
  }

  /// Adds so many rows of the table up.
  func sum(
    _ rows: UnsafePointer<Int32>, _ terms: Int, into result: UnsafeMutablePointer<Float>
  ) {
    let width = GRUCell.gates * shape.paddedHidden
    if isTablePacked {
      kernels.gatherSumPacked(
        rows: 1, columns: width, table: table.pointer, index: rows, terms: terms, y: result,
        stride: width)
    } else {
      kernels.gatherSum(
        rows: 1, columns: width, table: table.pointer, index: rows, terms: terms, y: result,
        stride: width)
    }
  }

  /// Writes which rows of the table are the inputs of some places of sequences.
  ///
  /// - `sides`: `[rows][side inputs]`, each value below the number of its side input's; nil if none is told.
  /// - `result`: `[rows][side inputs, then the token]`: what is summed in this order.
  static func tableRows(
    _ shape: NetworkShape, rows: Int, tokens: UnsafePointer<Int32>, sides: UnsafePointer<Int32>?,
    into result: UnsafeMutablePointer<Int32>
  ) {
    let count = shape.sides.count
    for row in 0..<rows {
      let result = result + row * (1 + count)
      var first = Int32(shape.vocabulary)
      for side in 0..<count {
        result[side] = first + (sides.map { $0[row * count + side] } ?? 0)
        first += Int32(shape.sides[side])
      }
      result[count] = tokens[row]
    }
  }
}

/// The part of `0..<count` that falls to one of several workers, cut at multiples.
func share(of count: Int, worker: Int, workers: Int, multiple: Int) -> Range<Int> {
  let blocks = (count + multiple - 1) / multiple
  let first = blocks * worker / workers * multiple
  let end = blocks * (worker + 1) / workers * multiple
  return min(first, count)..<min(end, count)
}
