import CLibrary
import CLibretto
import CVersion
import Kernels
import Libretto

// The library: version, status names, the last error.

var versionText: String { String(cString: version_text()) }

/// A string that lives as long as the library.
private func cString(_ text: StaticString) -> UnsafePointer<CChar> {
  UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation public func retto_version_number() -> UInt32 {
  UInt32(RETTO_VERSION_MAJOR * 10000 + RETTO_VERSION_MINOR * 100 + RETTO_VERSION_PATCH)
}

@c @implementation public func retto_version_string() -> UnsafePointer<CChar>! {
  version_text()
}

/// Called when the library is loaded. What is chosen once is chosen here: the first call to use it may be
/// a real-time one.
@c @implementation public func library_loaded() {
  switch InstructionSet.current {
  case .bf16: set_instruction_set_name(cString("x86-64-v4+bf16"))
  case .vnni: set_instruction_set_name(cString("x86-64-v4+vnni"))
  case .v4: set_instruction_set_name(cString("x86-64-v4"))
  case .v3: set_instruction_set_name(cString("x86-64-v3"))
  case .baseline: set_instruction_set_name(cString("baseline"))
  }
}

@c @implementation public func retto_instruction_set() -> UnsafePointer<CChar>! {
  instruction_set_name()
}

@c @implementation public func retto_status_name(_ status: retto_status) -> UnsafePointer<CChar>! {
  switch status {
  case RETTO_OK: cString("RETTO_OK")
  case RETTO_ERROR_ARGUMENT: cString("RETTO_ERROR_ARGUMENT")
  case RETTO_ERROR_STATE: cString("RETTO_ERROR_STATE")
  case RETTO_ERROR_FILE: cString("RETTO_ERROR_FILE")
  case RETTO_ERROR_FORMAT: cString("RETTO_ERROR_FORMAT")
  case RETTO_ERROR_UNSUPPORTED: cString("RETTO_ERROR_UNSUPPORTED")
  case RETTO_ERROR_MEMORY: cString("RETTO_ERROR_MEMORY")
  case RETTO_ERROR_BUFFER: cString("RETTO_ERROR_BUFFER")
  case RETTO_ERROR_CORPUS: cString("RETTO_ERROR_CORPUS")
  case RETTO_ERROR_DIVERGED: cString("RETTO_ERROR_DIVERGED")
  case RETTO_ERROR_EXHAUSTED: cString("RETTO_ERROR_EXHAUSTED")
  case RETTO_ERROR_EMPTY: cString("RETTO_ERROR_EMPTY")
  default: cString("unknown status")
  }
}

@c @implementation public func retto_last_error() -> UnsafePointer<CChar>! {
  errorText()
}
