import KernelTable

/// The steps of one stream, each of which begins the sums of the next: see the kernel `streamStep`.
final class SingleStream {
  private let hidden: Int
  private let scratch: FloatBuffer
  /// Per layer: the sums that were begun, and the state they were begun for, `[hidden]`.
  private let begun, lastStates: [FloatBuffer]
  /// Per layer: of the next step, if it is from that state; 0 before the first one.
  private var directions: [Int]

  init(_ shape: NetworkShape) throws(NetworkError) {
    hidden = shape.paddedHidden
    scratch = try FloatBuffer(KernelTable.streamStepRoom(hidden: hidden))
    begun = try buffers(shape.layers, KernelTable.begunSums(hidden: hidden))
    lastStates = try buffers(shape.layers, hidden)
    directions = Array(repeating: 0, count: shape.layers)
  }

  /// Moves the state of one layer on; that of the layer below is where it moved to already.
  ///
  /// What was begun counts if it was for this very state, bit for bit: the stream may have been reset
  /// since, or have moved on together with others.
  ///
  /// - `input`: the input's share of the gates of layer 0, `[3 * hidden]`.
  /// - `states`: of all layers, `[layers][hidden]`.
  func step(
    _ layer: Int, _ weights: ForwardWeights, input: UnsafePointer<Float>,
    states: UnsafeMutablePointer<Float>
  ) {
    let state = states + layer * hidden
    let last = lastStates[layer].pointer
    let direction = areEqual(last, state, hidden) ? directions[layer] : 0
    weights.recurrent[layer].streamStep(
      bias: weights.recurrentBias[layer].pointer,
      below: layer == 0 ? nil : (UnsafePointer(state - hidden), weights.input[layer]),
      input: layer == 0 ? input : UnsafePointer(weights.inputBias[layer].pointer),
      state: state, direction: direction, begun: begun[layer].pointer, scratch: scratch.pointer)
    directions[layer] = direction < 0 ? 1 : -1
    last.update(from: state, count: hidden)
  }
}

/// Bit for bit; without a way out on the way, so that it is done in vectors.
private func areEqual(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Bool {
  var difference: UInt32 = 0
  for i in 0..<count { difference |= a[i].bitPattern ^ b[i].bitPattern }
  return difference == 0
}
