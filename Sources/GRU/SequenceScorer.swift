import CSimd
import Kernels
import Memory

/// Reads one sequence from a zero state and tells how probable each of its tokens was. Goes in
/// parts, so its memory does not grow with the sequence.
public final class SequenceScorer {
  private let network: Network
  private let unrolled: Unrolled
  private let state: FloatBuffer
  private var last: Int32?
  /// The side values told with the last token, and those of a sequence, `[sequence][side inputs]`.
  private let lastSides, sequenceSides: GrowableBuffer<Int32>
  private static let sequence = 128

  public init(_ network: Network) throws(NetworkError) {
    self.network = network
    unrolled = try Unrolled(
      network.shape, batch: 1, sequence: Self.sequence, training: false,
      operands: network.weights.operandCount(rows: Self.sequence), kernels: network.kernels)
    state = try FloatBuffer(network.shape.stateCount)
    let sides = network.shape.sides.count
    (lastSides, sequenceSides) = (
      try tokens(0, count: sides), try tokens(0, count: sides * Self.sequence)
    )
  }

  /// Begins a new sequence.
  public func restart() {
    state.clear()
    last = nil
  }

  /// Takes the next tokens of the sequence, all below the vocabulary's size, and hands the natural
  /// log-probability of each, given all before it, to `each` with the token read just before. The
  /// very first token has nothing before it: it is read, and not scored.
  ///
  /// - `sides`: of a network with side inputs, writes the values that go with a token; nil if none is told.
  public func score(
    _ tokens: UnsafeBufferPointer<Int32>,
    sides: ((_ token: Int32, UnsafeMutablePointer<Int32>) -> Void)? = nil,
    each: (_ input: Int32, _ token: Int32, Double) -> Void
  ) {
    let before = csimd_flush_denormals()
    defer { csimd_restore_denormals(before) }
    var next = 0
    let told = network.shape.sides.count
    func take(_ token: Int32) {
      last = token
      if told > 0 { sides?(token, lastSides.base.unsafelyUnwrapped) }
    }
    if last == nil, let first = tokens.first {
      take(first)
      next = 1
    }
    while next < tokens.count {
      let steps = min(Self.sequence, tokens.count - next)
      for t in 0..<steps {
        unrolled.inputs[t] = last!
        unrolled.targets[t] = tokens[next + t]
        for side in 0..<told { sequenceSides[t * told + side] = lastSides[side] }
        take(tokens[next + t])
      }
      unrolled.setSides(sequenceSides.base.map { UnsafePointer($0) }, first: 0, rows: steps)
      _ = unrolled.forward(
        network.weights, steps: steps, state: state.pointer, stride: network.shape.paddedHidden)
      for t in 0..<steps {
        each(unrolled.inputs[t], unrolled.targets[t], -Double(unrolled.loss.pointer[t]))
      }
      next += steps
    }
  }
}
