import Kernels

/// The parameters packed for the way back: `dx = dy W`, so the depth is a weight's outputs.
final class BackwardWeights: @unchecked Sendable {
  private let shape: NetworkShape
  private let layout: ParameterLayout

  /// Per layer: W_ih, `[inputs padded / 32][3 * padded hidden][32]`.
  let input: [FloatBuffer]
  /// Per layer: W_hh, likewise.
  let recurrent: [FloatBuffer]
  /// `[padded hidden / 32][padded vocabulary][32]`.
  let head: FloatBuffer

  init(_ shape: NetworkShape) throws(NetworkError) {
    self.shape = shape
    layout = ParameterLayout(shape)
    let depth = 3 * shape.paddedHidden
    var input: [FloatBuffer] = []
    var recurrent: [FloatBuffer] = []
    for layer in 0..<shape.layers {
      input.append(try FloatBuffer(Panels.padded(shape.inputs(of: layer)) * depth))
      recurrent.append(try FloatBuffer(shape.paddedHidden * depth))
    }
    self.input = input
    self.recurrent = recurrent
    head = try FloatBuffer(shape.paddedHidden * shape.paddedVocabulary)
  }

  /// Packs one worker's share of the columns.
  func pack(_ parameters: UnsafePointer<Float>, worker: Int = 0, of workers: Int = 1) {
    for layer in 0..<shape.layers {
      gates(
        parameters + layout.inputWeight(layer), inputs: shape.inputs(of: layer), into: input[layer],
        worker, workers)
      gates(
        parameters + layout.recurrentWeight(layer), inputs: shape.hidden, into: recurrent[layer],
        worker, workers)
    }
    let columns = share(of: shape.hidden, worker: worker, workers: workers, multiple: 32)
    Panels.pack(
      parameters + layout.headWeight + columns.lowerBound, count: columns.count, columnStride: 1,
      rows: shape.vocabulary, rowStride: shape.hidden,
      into: head.pointer + columns.lowerBound * shape.paddedVocabulary,
      depth: shape.paddedVocabulary)
  }

  private func gates(
    _ weight: UnsafePointer<Float>, inputs: Int, into panels: FloatBuffer, _ worker: Int,
    _ workers: Int
  ) {
    let hidden = shape.hidden
    let depth = 3 * shape.paddedHidden
    let columns = share(of: inputs, worker: worker, workers: workers, multiple: 32)
    for gate in 0..<3 {
      Panels.pack(
        weight + gate * hidden * inputs + columns.lowerBound, count: columns.count, columnStride: 1,
        rows: hidden, rowStride: inputs, into: panels.pointer + columns.lowerBound * depth,
        depth: depth, from: gate * shape.paddedHidden)
    }
  }
}
