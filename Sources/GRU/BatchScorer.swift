import CSimd
import Kernels
import Memory

/// Reads several sequences at a time and adds up how probable their tokens were: each weight is read once for all
/// of them.
public final class BatchScorer {
  /// Time steps of a call.
  public static let steps = 64
  public let rows: Int
  private let network: Network
  private let unrolled: Unrolled
  private let state: FloatBuffer

  public init(_ network: Network, rows: Int) throws(NetworkError) {
    self.network = network
    self.rows = rows
    unrolled = try Unrolled(
      network.shape, batch: rows, sequence: Self.steps, training: false,
      operands: network.weights.operandCount(rows: rows * Self.steps), kernels: network.kernels)
    state = try FloatBuffer(rows * network.shape.stateCount)
  }

  /// Sets the state of one row to zero: its next token begins a sequence.
  public func restart(_ row: Int) { state.clearState(of: row, batch: rows, network.shape) }

  /// Goes on by `steps` tokens in every row, and gives the sum of the losses of the targets in nats.
  ///
  /// - `inputs`, `targets`: `[steps][rows]`, tokens below the vocabulary's size; a target of -1 does not count.
  /// - `sides`: `[steps][rows][side inputs]`; nil if none is told.
  /// - `sums`: `[rows]`, to each of which the losses of its row are added.
  public func score(
    inputs: UnsafePointer<Int32>, targets: UnsafePointer<Int32>, sides: UnsafePointer<Int32>?,
    sums: UnsafeMutablePointer<Double>
  ) -> Double {
    let before = csimd_flush_denormals()
    defer { csimd_restore_denormals(before) }
    let count = rows * Self.steps
    unrolled.inputs.update(from: inputs, count: count)
    unrolled.targets.update(from: targets, count: count)
    unrolled.setSides(sides, first: 0, rows: count)
    let total = unrolled.forward(
      network.weights, steps: Self.steps, state: state.pointer,
      stride: rows * network.shape.paddedHidden)
    for i in 0..<count { sums[i % rows] += Double(unrolled.loss.pointer[i]) }
    return total
  }
}
