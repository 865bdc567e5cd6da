/// Adds up what several learners computed in one step: the place for training on several machines.
///
/// It stands between the backward pass and the update. What it is handed are sums over the targets of one
/// learner; afterwards they are over those of all, and the same everywhere, so that all learners take the same
/// step. The mean and the norm are taken after it.
public protocol GradientSum: AnyObject {
  /// Replaces gradients and totals by the sums over all learners; false if the others cannot be reached.
  func sum(_ gradients: UnsafeMutableBufferPointer<Float>, _ totals: inout StepTotals) -> Bool
}

/// What a step adds up beside the gradients.
public struct StepTotals: Equatable, Sendable {
  /// The losses of the counted targets, in nats.
  public var loss = 0.0
  /// Targets that count.
  public var counted = 0
}
