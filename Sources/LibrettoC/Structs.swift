import CLibretto
import Libretto
import Sequences

// The structs of the header that begin with their size. Later versions add members at their ends, so the host
// may know a shorter or a longer one than this library does.

/// A struct of the header that begins with its size.
protocol SizedStruct {
  /// Bytes of it in the first version that was released: no host has a smaller one. This never changes.
  static var leastSize: Int { get }
  /// What the initialiser of the header has.
  static var initial: Self { get }
}

/// Copies options of the host's over the default ones: what a shorter struct lacks stays at its default. A longer
/// one is taken if what this version does not know is zero.
func structure<Value: SizedStruct>(_ pointer: UnsafePointer<Value>?, _ what: StaticString)
  throws(LibrettoError) -> Value
{
  var value = Value.initial
  guard let pointer else { return value }
  let raw = UnsafeRawPointer(pointer)
  let size = raw.load(as: Int.self)
  try check(size, of: Value.self, what)
  let known = MemoryLayout<Value>.size
  for i in stride(from: known, to: size, by: 1)
  where raw.load(fromByteOffset: i, as: UInt8.self) != 0 {
    throw LibrettoError(
      .unsupported, "\(what) has members this version (\(versionText)) does not know")
  }
  withUnsafeMutableBytes(of: &value) {
    $0.copyMemory(from: UnsafeRawBufferPointer(start: raw, count: min(size, known)))
  }
  return value
}

/// Throws if a member named `reserved` is not zero: it may get a meaning.
func checkReserved(_ value: Int32, _ what: StaticString) throws(LibrettoError) {
  guard value == 0 else {
    throw LibrettoError(
      .unsupported,
      "\(what) has reserved = \(value), which must be 0; begin with its initialiser")
  }
}

/// Fills in a struct of the host's as far as both know it, and tells it how far that is; what only the host knows
/// becomes zero.
func write<Value: SizedStruct>(
  _ value: Value, to pointer: UnsafeMutablePointer<Value>, _ what: StaticString
) throws(LibrettoError) {
  let raw = UnsafeMutableRawPointer(pointer)
  let size = raw.load(as: Int.self)
  try check(size, of: Value.self, what)
  let known = MemoryLayout<Value>.size
  let filled = min(size, known)
  var value = value
  withUnsafeMutableBytes(of: &value) {
    $0.storeBytes(of: filled, as: Int.self)
    raw.copyMemory(from: $0.baseAddress!, byteCount: filled)
  }
  for i in stride(from: known, to: size, by: 1) {
    raw.storeBytes(of: 0, toByteOffset: i, as: UInt8.self)
  }
}

private func check<Value: SizedStruct>(_ size: Int, of: Value.Type, _ what: StaticString)
  throws(LibrettoError)
{
  let known = MemoryLayout<Value>.size
  guard size >= Value.leastSize, size <= known + 4096 else {
    throw LibrettoError(
      .argument,
      "the size in \(what) is \(UInt(bitPattern: size)); begin with its initialiser, which sets it to \(known)"
    )
  }
}

extension retto_session_options: SizedStruct {
  static var leastSize: Int { 40 }
  static var initial: Self { Self(SamplerSettings(), seed: 0, usesGrammar: true) }
}

extension retto_trainer_options: SizedStruct {
  static var leastSize: Int { 152 }
  static var initial: Self {
    var options = Self()
    options.size = MemoryLayout<Self>.size
    options.dropout = -1
    options.weight_decay = -1
    options.validation = -1
    return options
  }
}

extension retto_model_info: SizedStruct {
  static var leastSize: Int { 56 }
  static var initial: Self {
    var info = Self()
    info.size = MemoryLayout<Self>.size
    info.end_token = -1
    return info
  }
}

extension retto_adapter_options: SizedStruct {
  static var leastSize: Int { 32 }
  static var initial: Self {
    let settings = Adapter.Settings()
    return Self(
      size: MemoryLayout<Self>.size, learning_rate: settings.rate, pull: settings.pull,
      stretch: Int32(settings.stretch), reserved: 0)
  }
}

extension retto_constraints: SizedStruct {
  static var leastSize: Int { 48 }
  static var initial: Self { Self(MusicConstraints()) }
}

extension retto_progress: SizedStruct {
  static var leastSize: Int { 120 }
  static var initial: Self {
    var progress = Self()
    progress.size = MemoryLayout<Self>.size
    return progress
  }
}

extension retto_midi_info: SizedStruct {
  static var leastSize: Int { 48 }
  static var initial: Self {
    var info = Self()
    info.size = MemoryLayout<Self>.size
    return info
  }
}

extension retto_text_info: SizedStruct {
  static var leastSize: Int { 40 }
  static var initial: Self {
    var info = Self()
    info.size = MemoryLayout<Self>.size
    return info
  }
}

// The initialisers as functions.

private func initialize<Value: SizedStruct>(_ pointer: UnsafeMutablePointer<Value>?) {
  pointer?.pointee = .initial
}

@c @implementation public func retto_session_options_init(
  _ options: UnsafeMutablePointer<retto_session_options>!
) {
  initialize(options)
}

@c @implementation public func retto_trainer_options_init(
  _ options: UnsafeMutablePointer<retto_trainer_options>!
) {
  initialize(options)
}

@c @implementation public func retto_model_info_init(
  _ info: UnsafeMutablePointer<retto_model_info>!
) {
  initialize(info)
}

@c @implementation public func retto_adapter_options_init(
  _ options: UnsafeMutablePointer<retto_adapter_options>!
) {
  initialize(options)
}

@c @implementation public func retto_constraints_init(
  _ constraints: UnsafeMutablePointer<retto_constraints>!
) {
  initialize(constraints)
}

@c @implementation public func retto_progress_init(
  _ progress: UnsafeMutablePointer<retto_progress>!
) {
  initialize(progress)
}

@c @implementation public func retto_midi_info_init(
  _ info: UnsafeMutablePointer<retto_midi_info>!
) {
  initialize(info)
}

@c @implementation public func retto_text_info_init(
  _ info: UnsafeMutablePointer<retto_text_info>!
) {
  initialize(info)
}
