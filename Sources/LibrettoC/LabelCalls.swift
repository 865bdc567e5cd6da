import CLibretto
import Libretto
import Platform

// Labels, classification and beam search.

@c @implementation public func retto_model_label_name(_ model: OpaquePointer!, _ label: Int32)
  -> UnsafePointer<CChar>!
{
  guard let model else { return nil }
  return Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(model))._withUnsafeGuaranteedRef {
    guard label >= 1, label <= $0.labelNames.count else { return nil }
    return UnsafePointer($0.labelNames[Int(label) - 1])
  }
}

@c @implementation public func retto_model_find_label(
  _ model: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ label: UnsafeMutablePointer<Int32>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let label = try require(label, "the pointer for the label")
      label.pointee = try handle.model.label(named: try string(name, "the name"))
    }
  }
}

@c @implementation public func retto_model_classify(
  _ model: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ count: Int,
  _ probabilities: UnsafeMutablePointer<Double>!, _ capacity: Int
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let tokens = try array(tokens, count, "the tokens")
      let labels = handle.model.labels.count
      let result = try require(probabilities, "the buffer for probabilities")
      try checkCount(capacity, "the buffer for probabilities")
      guard capacity >= labels else {
        throw LibrettoError(
          .buffer, "the buffer for probabilities has room for \(capacity) and needs \(labels)")
      }
      let found = try handle.model.classify(tokens)
      for i in 0..<labels { result[i] = found[i] }
    }
  }
}

@c @implementation public func retto_session_set_label(_ session: OpaquePointer!, _ label: Int32)
  -> retto_status
{
  withSession(session) { (session) throws(LibrettoError) in try session.set(label: label) }
}

@c @implementation public func retto_session_mix_labels(
  _ session: OpaquePointer!, _ labels: UnsafePointer<Int32>!, _ weights: UnsafePointer<Float>!,
  _ count: Int
) -> retto_status {
  withSession(session) { (session) throws(LibrettoError) in
    try session.set(
      labels: try array(labels, count, "the labels"),
      weights: try array(weights, count, "the weights"))
  }
}

@c @implementation public func retto_session_beam(
  _ session: OpaquePointer!, _ width: Int32, _ longest: Int, _ tokens: UnsafeMutablePointer<Int32>!,
  _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
  _ log_probability: UnsafeMutablePointer<Double>!
) -> retto_status {
  withSessionHandle(session) { (handle) throws(LibrettoError) in
    let count = try require(count, "the pointer for the number of tokens")
    try checkCount(longest, "the continuation")
    try checkCount(capacity, "the buffer for tokens")
    guard longest <= capacity else {
      throw LibrettoError(
        .buffer, "the buffer for tokens has room for \(capacity) and needs \(longest)")
    }
    let tokens = longest > 0 ? try require(tokens, "the buffer for tokens") : tokens
    let search = try handle.beam(width: Int(width))
    let found = try search.continuations(of: handle.session, longest: longest).first
    let length = found?.tokens.count ?? 0
    for i in 0..<length { tokens?[i] = found!.tokens[i] }
    count.pointee = length
    if let log_probability { log_probability.pointee = found?.logProbability ?? 0 }
  }
}
