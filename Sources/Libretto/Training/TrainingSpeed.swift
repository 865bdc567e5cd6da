import GRU
import Memory

/// How fast this process can train now, measured: what else the machine does counts.
enum TrainingSpeed {
  /// Operations on floats per second of all threads together, as `NetworkShape.trainingOperations` counts them. The
  /// best guess if there is no memory to measure.
  static func measure(threads: Int, seconds: Double = 0.3) -> Double {
    let shape = NetworkShape(vocabulary: 64, embedding: 64, hidden: 256, layers: 1)
    let (batch, sequence) = (32, 32)
    let count = batch * sequence
    guard
      let learner = try? Learner(shape, batch: batch, sequence: sequence, threads: threads),
      let tokens = try? GrowableBuffer<Int32>(repeating: 1, count: count),
      let base = tokens.base
    else { return 40e9 * Double(threads) }
    initialize(learner.parameters, shape, seed: 1)
    learner.parametersChanged()
    var times: [Double] = []
    let end = monotonicSeconds() + seconds
    repeat {
      let start = monotonicSeconds()
      _ = learner.gradients(inputs: base, targets: base)
      _ = learner.update(rate: 1e-3, clip: 1)
      times.append(monotonicSeconds() - start)
    } while monotonicSeconds() < end || times.count < 3
    // The first one also meets cold caches.
    let median = times.dropFirst().sorted()[(times.count - 1) / 2]
    return shape.trainingOperations * Double(count) / median
  }
}

extension NetworkShape {
  /// Operations on floats to learn from a token: two for each number of a product's matrix, forward, and twice as
  /// many backward. The input product of layer 0 is a table, which costs next to nothing.
  var trainingOperations: Double {
    let recurrent = Double(3 * hidden * hidden * (2 * layers - 1))
    return 6 * (recurrent + Double(vocabulary * hidden))
  }
}
