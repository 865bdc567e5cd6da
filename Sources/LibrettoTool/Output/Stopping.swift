import Libretto
import Platform

/// The trainer a signal stops. Written before the handler is installed, and read by it alone.
nonisolated(unsafe) private var interrupted: Unmanaged<Trainer>?

/// Runs the body; the first Ctrl-C, SIGTERM or SIGHUP stops the trainer after its step, a second one
/// ends the process.
func stoppable<Value>(_ trainer: Trainer, _ body: () throws -> Value) rethrows -> Value {
  interrupted = Unmanaged.passUnretained(trainer)
  // Under nohup a run outlives its terminal.
  let numbers = ignoresHangup ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]
  for number in numbers {
    signal(number) { number in
      interrupted?._withUnsafeGuaranteedRef { $0.stop() }
      signal(number, SIG_DFL)
      // What reads the output may have been told to end too; the model is still to be saved.
      signal(SIGPIPE, SIG_IGN)
    }
  }
  defer { for number in numbers { signal(number, SIG_DFL) } }
  return try body()
}

private var ignoresHangup: Bool {
  var action = sigaction()
  sigaction(SIGHUP, nil, &action)
  #if canImport(Glibc)
    let handler = action.__sigaction_handler.sa_handler
  #elseif canImport(Musl)
    let handler = action.__sa_handler.sa_handler
  #elseif canImport(Darwin)
    let handler = action.__sigaction_u.__sa_handler
  #endif
  // Functions cannot be compared; that one is the address 1 everywhere.
  return unsafeBitCast(handler, to: Int.self) == 1
}
