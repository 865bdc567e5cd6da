import Synchronization

/// Asks what takes long to end. Any thread or task may raise it, and so may a signal handler.
public final class StopFlag: Sendable {
  private let raised = Atomic<Bool>(false)

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  public func raise() { raised.store(true, ordering: .releasing) }

  /// Whether it was raised; it no longer is.
  func take() -> Bool { raised.exchange(false, ordering: .acquiringAndReleasing) }
}
