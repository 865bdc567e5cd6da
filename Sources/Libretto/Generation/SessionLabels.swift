import GRU
import Memory
import Sequences

/// A mixture of labels that a session tells its network: see `Network.blend`. None of its calls allocates after `init`.
final class LabelBlend {
  private let labels: GrowableBuffer<Int32>
  private let shares: GrowableBuffer<Float>
  private let sum, room: GrowableBuffer<Float>

  /// - `labels`: how many there are.
  init(_ network: Network, labels count: Int) throws(OutOfMemory) {
    labels = try GrowableBuffer(capacity: count)
    shares = try GrowableBuffer(capacity: count)
    sum = try GrowableBuffer(repeating: 0, count: network.inputCount)
    room = try GrowableBuffer(repeating: 0, count: network.inputCount)
  }

  /// What is added to the input of layer 0; nil if no mixture is told.
  var added: UnsafePointer<Float>? { labels.count == 0 ? nil : sum.base.map { UnsafePointer($0) } }

  func copy(_ other: LabelBlend) {
    clear()
    for i in 0..<other.labels.count {
      labels.appendReserved(other.labels[i])
      shares.appendReserved(other.shares[i])
    }
    for i in 0..<sum.count { sum[i] = other.sum[i] }
  }

  func clear() {
    labels.truncate(to: 0)
    shares.truncate(to: 0)
  }

  /// - `weights`: as many as labels, with a sum above 0.
  func set(_ new: UnsafeBufferPointer<Int32>, weights: UnsafeBufferPointer<Float>) {
    clear()
    let total = weights.reduce(0) { $0 + Double($1) }
    for (label, weight) in zip(new, weights) {
      labels.appendReserved(label)
      shares.appendReserved(Float(Double(weight) / total))
    }
  }

  /// Works out what is added, with the weights of a network.
  func update(_ network: Network, side: Int) {
    guard labels.count > 0, let labels = labels.base, let shares = shares.base else { return }
    network.blend(
      side: side, values: labels, shares: shares, count: self.labels.count, into: sum.base!,
      room: room.base!)
  }
}

extension Session {
  /// The label that the session is told: a number of the model's `labels`, 0 for none or for a mixture.
  public var label: Int32 { sideValues?.label ?? 0 }

  /// Tells the network a label of the model's material, from the next token it reads on; 0 for none. It stays after a
  /// reset. Real-time.
  public func set(label: Int32) throws(LibrettoError) {
    try check(label, from: 0)
    sideValues?.label = label
    labelBlend?.clear()
  }

  /// Tells it a mixture of labels, each with a weight, likewise; none for no label. Real-time.
  ///
  /// - `labels`: each once. `weights`: as many, at least 0, with a sum above 0.
  public func set(labels: UnsafeBufferPointer<Int32>, weights: UnsafeBufferPointer<Float>)
    throws(LibrettoError)
  {
    guard labels.count > 0 else { return try set(label: 0) }
    try check(labels[0], from: 1)
    var sum = 0.0
    for (i, label) in labels.enumerated() {
      try check(label, from: 1)
      guard !labels[..<i].contains(label) else {
        throw LibrettoError(.argument, "label \(label) is in the list twice; name each once")
      }
      guard weights[i] >= 0, weights[i] <= 1e6 else {
        throw LibrettoError(
          .argument, "the weight of label \(label) is \(weights[i]); expected 0 to 1000000")
      }
      sum += Double(weights[i])
    }
    guard sum > 0 else {
      throw LibrettoError(.argument, "the weights of the labels are all 0; expected one above 0")
    }
    guard let labelBlend, let side = model.labelSide else { return }
    sideValues?.label = 0
    labelBlend.set(labels, weights: weights)
    labelBlend.update(model.network, side: side)
  }

  private func check(_ label: Int32, from least: Int32) throws(LibrettoError) {
    if label != 0 || least > 0 { try model.requireLabels() }
    guard label >= least, label <= model.labelCount else {
      throw LibrettoError(
        .argument,
        "the label is \(label); expected \(least) to \(model.labelCount)")
    }
  }
}
