import Foundation

@testable import GRU

/// The network in Double, written for plainness, not for speed. Its losses, differenced, are what
/// gradients are checked against.
struct Reference {
  let shape: NetworkShape
  let layout: ParameterLayout
  let batch, sequence: Int
  var parameters: [Double]
  /// Carried from sequence to sequence, `[layers][batch][hidden]`.
  var state: [Double]
  /// What dropout multiplies each layer's output by, `[layers][sequence * batch][padded hidden]`.
  var masks: [[Float]] = []

  init(_ shape: NetworkShape, batch: Int, sequence: Int, _ parameters: FloatBuffer) {
    self.shape = shape
    self.batch = batch
    self.sequence = sequence
    layout = ParameterLayout(shape)
    self.parameters = parameters.values.map(Double.init)
    state = [Double](repeating: 0, count: shape.layers * batch * shape.hidden)
  }

  /// The mean loss of one sequence, from `state`, and the logits and the state it ends with.
  ///
  /// - `sides`: `[sequence * batch][side inputs]`.
  func sequence(_ inputs: [Int32], _ targets: [Int32], sides: [Int32] = []) -> (
    loss: Double, logits: [Double], state: [Double]
  ) {
    var state = state
    var logits: [Double] = []
    var loss = 0.0
    var counted = 0.0
    for row in 0..<sequence * batch {
      let told = shape.sides.indices.map { Int(sides[row * shape.sides.count + $0]) }
      let output = step(row, token: Int(inputs[row]), sides: told, &state)
      logits += output
      guard targets[row] >= 0 else { continue }
      let top = output.max()!
      loss += log(output.reduce(0) { $0 + exp($1 - top) }) + top - output[Int(targets[row])]
      counted += 1
    }
    return (loss / max(counted, 1), logits, state)
  }

  /// Moves one row on by one token; gives its logits.
  private func step(_ row: Int, token: Int, sides: [Int], _ state: inout [Double]) -> [Double] {
    let hidden = shape.hidden
    let first = layout.embedding + token * shape.embedding
    var x = Array(parameters[first..<first + shape.embedding])
    for (side, value) in sides.enumerated() {
      let first = layout.side(side) + value * shape.embedding
      for i in 0..<shape.embedding { x[i] += parameters[first + i] }
    }
    for layer in 0..<shape.layers {
      let place = (layer * batch + row % batch) * hidden
      var h = Array(state[place..<place + hidden])
      let input = affine(layout.inputWeight(layer), layout.inputBias(layer), 3 * hidden, x)
      let recurrent = affine(
        layout.recurrentWeight(layer), layout.recurrentBias(layer), 3 * hidden, h)
      GRUCell.step(input: input, recurrent: recurrent, state: &h)
      state.replaceSubrange(place..<place + hidden, with: h)
      x = (0..<hidden).map { h[$0] * (masks.isEmpty ? 1 : mask(layer, row, $0)) }
    }
    return affine(layout.headWeight, layout.headBias, shape.vocabulary, x)
  }

  private func mask(_ layer: Int, _ row: Int, _ unit: Int) -> Double {
    Double(masks[layer][row * shape.paddedHidden + unit])
  }

  /// `W x + b`. Raw pointers, because this is where the time goes.
  private func affine(_ weight: Int, _ bias: Int, _ outputs: Int, _ x: [Double]) -> [Double] {
    parameters.withUnsafeBufferPointer { parameters in
      x.withUnsafeBufferPointer { x in
        let p = parameters.baseAddress!
        let (input, count) = (x.baseAddress!, x.count)
        var result = [Double](repeating: 0, count: outputs)
        var w = p + weight
        for i in 0..<outputs {
          var sum = p[bias + i]
          var k = 0
          while k < count {
            sum += w[k] * input[k]
            k += 1
          }
          w += count
          result[i] = sum
        }
        return result
      }
    }
  }
}
