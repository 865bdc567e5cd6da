import Synchronization

/// Asks what takes long to end. Any thread may raise it, and so may a signal handler.
final class StopFlag: Sendable {
  private let raised = Atomic<Bool>(false)

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  func raise() { raised.store(true, ordering: .releasing) }

  /// Whether it was raised; it no longer is.
  func take() -> Bool { raised.exchange(false, ordering: .acquiringAndReleasing) }
}
