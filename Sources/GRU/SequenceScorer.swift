import CSimd
import Kernels

/// Reads one sequence from a zero state and tells how probable each of its tokens was. Goes in
/// windows, so its memory does not grow with the sequence.
public final class SequenceScorer {
  private let network: Network
  private let unrolled: Unrolled
  private let state: FloatBuffer
  private var last: Int32?
  private static let window = 128

  public init(_ network: Network) throws(NetworkError) {
    self.network = network
    unrolled = try Unrolled(
      network.shape, streams: 1, window: Self.window, training: false,
      operands: network.weights.operandCount(rows: Self.window), kernels: network.kernels)
    state = try FloatBuffer(network.shape.stateCount)
  }

  /// Begins a new sequence.
  public func restart() {
    state.clear()
    last = nil
  }

  /// Takes the next tokens of the sequence, all below the vocabulary's size, and hands the natural
  /// log-probability of each, given all before it, to `each` with the token read just before. The
  /// very first token has nothing before it: it is read, and not scored.
  public func score(
    _ tokens: UnsafeBufferPointer<Int32>, each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) {
    let before = csimd_flush_denormals()
    defer { csimd_restore_denormals(before) }
    var next = 0
    if last == nil, let first = tokens.first {
      last = first
      next = 1
    }
    while next < tokens.count {
      let steps = min(Self.window, tokens.count - next)
      for t in 0..<steps {
        unrolled.inputs[t] = last!
        unrolled.targets[t] = tokens[next + t]
        last = tokens[next + t]
      }
      _ = unrolled.forward(
        network.weights, steps: steps, state: state.pointer, stride: network.shape.paddedHidden)
      for t in 0..<steps {
        each(unrolled.inputs[t], unrolled.targets[t], -Double(unrolled.loss.pointer[t]))
      }
      next += steps
    }
  }
}
