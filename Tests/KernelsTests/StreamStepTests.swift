import Kernels
import TestSupport
import Testing

/// A step of one stream against one worked out in Double, over numbers rounded one by one.
struct StreamStepTests {
  /// One block of units, a few, and units that end within a block and within a cell; of the bottom
  /// layer and of one above.
  @Test(arguments: InstructionSet.available, Format.allCases)
  func steps(set: InstructionSet, format: Format) {
    for units in [1, 20, 32, 64, 70, 95, 131, 300] {
      check(set.kernels, Layer(format, units: units, isAbove: false))
      check(set.kernels, Layer(format, units: units, isAbove: true))
    }
  }

  /// An input weight of more than a mebibyte, as that of 300 units in float32 is.
  @Test(arguments: InstructionSet.available)
  func largeInputWeight(set: InstructionSet) {
    check(set.kernels, Layer(.int8, units: 600, isAbove: true))
  }

  private func check(_ kernels: KernelTable, _ layer: Layer) {
    let (units, hidden) = (layer.units, layer.hidden)
    let name = "\(layer.format), \(units) units, above another: \(layer.input != nil)"
    var numbers = Numbers(UInt64(units))
    let room = KernelTable.streamStepRoom(hidden: hidden)
    let sums = KernelTable.begunSums(hidden: hidden)
    var scratch = [Float](repeating: 7, count: room + 16)
    var begun = [Float](repeating: .nan, count: sums) + [Float](repeating: 7, count: 16)
    var fresh = begun
    var state = padded(numbers.floats(units), rows: 1, depth: units)

    for step in 0..<5 {
      let input = padded(numbers.floats(3 * units, scale: 2), rows: 3, depth: units)
      let below = padded(numbers.floats(units), rows: 1, depth: units)
      let wanted = layer.step(input, below, state)
      var alone = state
      let direction = step == 0 ? 0 : step % 2 == 0 ? 1 : -1
      layer.step(kernels, input, below, &state, direction, &begun, &scratch)
      #expect(relativeError(state, wanted) < 2e-6, "\(name), step \(step)")

      // With nothing begun the result is the same to the last bit, and of what is no number nothing is read.
      fresh.replaceSubrange(0..<sums, with: repeatElement(.nan, count: sums))
      layer.step(kernels, input, below, &alone, 0, &fresh, &scratch)
      #expect(alone == state, "\(name), step \(step)")
    }
    #expect(state[units...].allSatisfy { $0 == 0 }, "\(name)")
    #expect(scratch[room...].allSatisfy { $0 == 7 } && begun[sums...].allSatisfy { $0 == 7 })
  }

  private struct Layer {
    let format: Format
    let units, hidden: Int
    let recurrent: Weight
    /// Of a layer that stands on another.
    let input: Weight?
    let bias: [Float]

    init(_ format: Format, units: Int, isAbove: Bool) {
      self.format = format
      self.units = units
      hidden = Panels.padded(units)
      var numbers = Numbers(UInt64(100 + units))
      recurrent = Weight(format, units: units, &numbers)
      bias = padded(numbers.floats(3 * units), rows: 3, depth: units)
      input = isAbove ? Weight(format, units: units, &numbers) : nil
    }

    /// The state after a step. `input` is as in the kernel.
    func step(_ input: [Float], _ below: [Float], _ state: [Float]) -> [Double] {
      let share = self.input?.multiply(below.map(format.left))
      let sums = recurrent.multiply(state.map(format.left))
      var next = [Double](repeating: 0, count: hidden)
      for unit in 0..<units {
        let x = (0..<3).map { gate in
          Double(input[gate * hidden + unit]) + (share?[gate * units + unit] ?? 0)
        }
        let recurrent = (0..<3).map { gate in
          Double(bias[gate * hidden + unit]) + sums[gate * units + unit]
        }
        next[unit] = Step(x: x, recurrent: recurrent, h: Double(state[unit])).next
      }
      return next
    }

    func step(
      _ kernels: KernelTable, _ input: [Float], _ below: [Float], _ state: inout [Float],
      _ direction: Int, _ begun: inout [Float], _ scratch: inout [Float]
    ) {
      // An array becomes a pointer only where it is an argument itself.
      func call(
        _ below: UnsafePointer<Float>?, _ panels: UnsafePointer<Float>?,
        _ correction: UnsafePointer<Float>?
      ) {
        kernels.callStreamStep(
          format.numbers, hidden, recurrent.cells, recurrent.panels, recurrent.correction, bias,
          below, panels, correction, input, &state, direction, &begun, &scratch)
      }
      if let weight = self.input {
        call(below, weight.panels, weight.correction)
      } else {
        call(nil, nil, nil)
      }
    }
  }

  /// A weight of three gates.
  private struct Weight {
    let cells: Int
    /// `[3 * units][units]`, as PyTorch has it, and rounded.
    let rows: [[Double]]
    var panels, correction: [Float]

    init(_ format: Format, units: Int, _ numbers: inout Numbers) {
      let hidden = Panels.padded(units)
      cells = (units + format.numbers - 1) / format.numbers
      let weights = numbers.floats(3 * units * units, scale: 2 / Float(units).squareRoot())
      rows = (0..<3 * units).map { row in
        format.right(Array(weights[row * units..<(row + 1) * units]))
      }
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

    func multiply(_ x: [Double]) -> [Double] {
      rows.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
    }
  }
}
