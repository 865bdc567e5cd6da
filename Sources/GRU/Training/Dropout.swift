import Kernels

/// Dropout on the output of every layer: between the layers and before the head, never between time
/// steps (Zaremba et al. 2014).
struct Dropout {
  let probability: Float
  let seed: UInt64
  /// Streams of all threads together, and the first one of this thread.
  let batch: Int
  let firstRow: Int

  /// Drops `rows` rows of one time step. What is dropped follows from the seed, the training step,
  /// the layer and the element's place in the whole batch.
  func apply(
    _ kernels: KernelTable, _ step: DropoutStep, layer: Int, time: Int, width: Int, rows: Int,
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  ) {
    let key = mixed(seed ^ mixed(step.number &* 32 &+ UInt64(layer)))
    kernels.dropout(
      rows * width, UInt32(truncatingIfNeeded: key),
      UInt32(truncatingIfNeeded: (time * batch + firstRow) * width),
      UInt32(min(Double(probability) * 4_294_967_296, 4_294_967_295)), 1 / (1 - probability), x, y)
  }
}

/// Which training step it is: the same number drops the same elements again.
struct DropoutStep {
  let number: UInt64
}

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014): a hash that changes every bit.
func mixed(_ value: UInt64) -> UInt64 {
  var z = value &+ 0x9E37_79B9_7F4A_7C15
  z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
  z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
  return z ^ (z >> 31)
}
