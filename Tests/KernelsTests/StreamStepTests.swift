import Kernels
import Testing

/// A step of one stream against one worked out in Double, over numbers rounded one by one.
struct StreamStepTests {
  /// One block of units, a few, and units that end within a block and within a cell.
  @Test(arguments: InstructionSet.available, Format.allCases)
  func steps(set: InstructionSet, format: Format) {
    for units in [1, 20, 32, 64, 70, 95, 131, 300] { check(set.kernels, format, units: units) }
  }

  private func check(_ kernels: KernelTable, _ format: Format, units: Int) {
    let layer = Layer(format, units: units)
    let (hidden, name) = (layer.hidden, "\(format), \(units) units")
    var numbers = Numbers(UInt64(units))
    let room = KernelTable.streamStepRoom(hidden: hidden)
    let sums = KernelTable.begunSums(hidden: hidden)
    var scratch = [Float](repeating: 7, count: room + 16)
    var begun = [Float](repeating: .nan, count: sums) + [Float](repeating: 7, count: 16)
    var fresh = begun
    var state = [Float](repeating: 0, count: hidden)
    for i in 0..<units { state[i] = numbers.floats(1)[0] }

    for step in 0..<5 {
      let input = padded(numbers.floats(3 * units, scale: 2), rows: 3, depth: units)
      let wanted = layer.step(input, state)
      var alone = state
      let direction = step == 0 ? 0 : step % 2 == 0 ? 1 : -1
      layer.step(kernels, input, &state, direction, &begun, &scratch)
      #expect(relativeError(state, wanted) < 2e-6, "\(name), step \(step)")

      // With nothing begun the result is the same to the last bit, and of what is no number nothing is read.
      fresh.replaceSubrange(0..<sums, with: repeatElement(.nan, count: sums))
      layer.step(kernels, input, &alone, 0, &fresh, &scratch)
      #expect(alone == state, "\(name), step \(step)")
    }
    #expect(state[units...].allSatisfy { $0 == 0 }, "\(name)")
    #expect(scratch[room...].allSatisfy { $0 == 7 } && begun[sums...].allSatisfy { $0 == 7 })
  }

  /// The recurrent half of a layer.
  private struct Layer {
    let format: Format
    let units, hidden, cells: Int
    /// `[3][units][units]`, as PyTorch has it, and rounded.
    let weights: [[Double]]
    let bias: [Float]
    var panels, correction: [Float]

    init(_ format: Format, units: Int) {
      self.format = format
      self.units = units
      hidden = Panels.padded(units)
      cells = (units + format.numbers - 1) / format.numbers
      var numbers = Numbers(UInt64(100 + units))
      let weights = numbers.floats(3 * units * units, scale: 2 / Float(units).squareRoot())
      self.weights = (0..<3 * units).map { row in
        format.right(Array(weights[row * units..<(row + 1) * units]))
      }
      bias = padded(numbers.floats(3 * units), rows: 3, depth: units)
      // Units of zeros after those of each gate.
      let (gate, zeros) = (units * units, (hidden - units) * units)
      var rows: [Float] = []
      for first in [0, gate, 2 * gate] {
        rows += weights[first..<first + gate]
        rows += [Float](repeating: 0, count: zeros)
      }
      panels = [Float](repeating: 0, count: 3 * hidden * cells)
      correction = [Float](repeating: 0, count: 2 * 3 * hidden)
      Panels.pack(
        rows, count: 3 * hidden, columnStride: units, rows: units, rowStride: 1, into: &panels,
        depth: cells * format.numbers, numbers: format.numbers, correction: &correction,
        total: 3 * hidden)
    }

    /// The state after a step.
    func step(_ input: [Float], _ state: [Float]) -> [Double] {
      let left = state.map(format.left)
      var next = [Double](repeating: 0, count: hidden)
      for unit in 0..<units {
        let recurrent = (0..<3).map { gate in
          zip(weights[gate * units + unit], left).reduce(Double(bias[gate * hidden + unit])) {
            $0 + $1.0 * $1.1
          }
        }
        let x = (0..<3).map { Double(input[$0 * hidden + unit]) }
        next[unit] = Step(x: x, recurrent: recurrent, h: Double(state[unit])).next
      }
      return next
    }

    func step(
      _ kernels: KernelTable, _ input: [Float], _ state: inout [Float], _ direction: Int,
      _ begun: inout [Float], _ scratch: inout [Float]
    ) {
      kernels.streamStep(
        format.numbers, hidden, cells, panels, correction, bias, input, &state, direction, &begun,
        &scratch)
    }
  }
}
