import Libretto
import Platform

/// What a `retto_trainer` points to.
final class TrainerHandle: GuardedHandle {
  let trainer: Trainer
  /// Whether the host's progress callback is being called, from where some calls are allowed.
  var isInCallback = false
  /// For `retto_trainer_get_options`, which names what may change once: encodings, and a path.
  private var encodings: [String: UnsafeMutablePointer<CChar>] = [:]
  private var path: UnsafeMutablePointer<CChar>?

  init(_ trainer: Trainer) { self.trainer = trainer }

  deinit {
    for (_, name) in encodings { free(name) }
    free(path)
  }

  /// The name of an encoding, for as long as this lives.
  func encoding(_ name: String) -> UnsafePointer<CChar>? {
    if encodings[name] == nil { encodings[name] = strdup(name) }
    return encodings[name].map { UnsafePointer($0) }
  }

  func checkpointPath(_ name: String) -> UnsafePointer<CChar>? {
    if path == nil { path = strdup(name) }
    return path.map { UnsafePointer($0) }
  }
}

/// Runs a body on the trainer of a handle; `nested` says whether a progress callback may do so too.
func withTrainer(
  _ handle: OpaquePointer?, nested: Bool = false,
  _ body: (TrainerHandle) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  let pointer = UnsafeRawPointer(try require(handle, "the trainer"))
  let handle = Unmanaged<TrainerHandle>.fromOpaque(pointer).takeUnretainedValue()
  if nested && handle.gate.isMine && handle.isInCallback { return try body(handle) }
  try handle.gate.enter("this trainer")
  defer { handle.gate.leave() }
  try body(handle)
}
