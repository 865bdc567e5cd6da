import CLibretto
import Libretto

/// What a `retto_adapter` points to.
final class AdapterHandle: GuardedHandle {
  let adapter: Adapter

  init(_ adapter: Adapter) { self.adapter = adapter }
}

/// Runs a body on the adapter of a handle.
private func withAdapter(
  _ handle: OpaquePointer?, _ body: (Adapter) throws(LibrettoError) -> Void
) throws(LibrettoError) {
  let pointer = UnsafeRawPointer(try require(handle, "the adapter"))
  let handle = Unmanaged<AdapterHandle>.fromOpaque(pointer).takeUnretainedValue()
  try handle.gate.enter("this adapter")
  defer { handle.gate.leave() }
  try body(handle.adapter)
}

@c @implementation public func retto_adapter_create(
  _ model: OpaquePointer!, _ options: UnsafePointer<retto_adapter_options>!,
  _ adapter: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(adapter, "the pointer for the adapter") { () throws(LibrettoError) in
    let options = try structure(options, "the adapter's options")
    try checkReserved(options.reserved, "the adapter's options")
    var settings = Adapter.Settings()
    settings.rate = options.learning_rate
    settings.pull = options.pull
    settings.stretch = Int(options.stretch)
    var made: AdapterHandle?
    try withModel(model) { (handle) throws(LibrettoError) in
      made = AdapterHandle(try Adapter(handle.model, settings))
    }
    return made!
  }
}

@c @implementation public func retto_adapter_free(_ adapter: OpaquePointer!) {
  release(adapter, "this adapter")
}

@c @implementation public func retto_adapter_read(
  _ adapter: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ learns: UnsafePointer<UInt8>!,
  _ count: Int
) -> retto_status {
  call { () throws(LibrettoError) in
    try withAdapter(adapter) { (adapter) throws(LibrettoError) in
      let tokens = try array(tokens, count, "the tokens")
      try adapter.read(tokens, learns: learns.map { UnsafeBufferPointer(start: $0, count: count) })
    }
  }
}

@c @implementation public func retto_adapter_loss(
  _ adapter: OpaquePointer!, _ loss: UnsafeMutablePointer<Double>!,
  _ count: UnsafeMutablePointer<UInt64>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withAdapter(adapter) { (adapter) throws(LibrettoError) in
      let evaluation = adapter.evaluation
      loss?.pointee = evaluation.tokens > 0 ? evaluation.natsPerToken : .nan
      count?.pointee = UInt64(evaluation.tokens)
    }
  }
}

@c @implementation public func retto_adapter_model(
  _ adapter: OpaquePointer!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(model, "the pointer for the model") { () throws(LibrettoError) in
    var made: ModelHandle?
    try withAdapter(adapter) { (adapter) throws(LibrettoError) in
      made = ModelHandle(try adapter.model())
    }
    return made!
  }
}

@c @implementation public func retto_adapter_reset(_ adapter: OpaquePointer!) -> retto_status {
  call { () throws(LibrettoError) in
    try withAdapter(adapter) { (adapter) throws(LibrettoError) in adapter.reset() }
  }
}
