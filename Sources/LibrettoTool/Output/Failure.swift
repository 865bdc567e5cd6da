import Libretto
import Platform

/// A sentence for the person at the terminal, and the exit code.
struct Failure: Error {
  let message: String
  let code: Int32
  /// A line below it that says where to read more.
  let advice: String?

  init(_ message: String, code: Int32 = 1, advice: String? = nil) {
    self.message = message
    self.code = code
    self.advice = advice
  }

  init(_ error: LibrettoError) {
    message = error.message
    advice = nil
    code =
      switch error.kind {
      case .argument: 64
      case .file, .format, .unsupported, .corpus, .empty: 2
      default: 1
      }
  }
}

/// Runs something of the library's; an error ends the tool with its sentence and the right code.
func orFail<Value>(_ body: () throws(LibrettoError) -> Value) throws -> Value {
  do throws(LibrettoError) { return try body() } catch { throw Failure(error) }
}

extension TrainingOptions {
  /// Throws what no run can have: whatever the reason, it is the command line that is wrong.
  func check() throws {
    do throws(LibrettoError) { _ = try Trainer(self) } catch {
      throw Failure(error.message, code: 64)
    }
  }
}

/// Ends the process once everything is written, and not as if it were when it is not.
func leave(_ code: Int32) -> Never {
  if let reason = Terminal.finish() {
    printError("libretto: cannot write all there is to say to standard output\(reason)")
    exit(code == 0 ? 1 : code)
  }
  exit(code)
}
