import Memory
import Sequences

/// Tells which label of its material a passage has, by Bayes: the model reads it once with each label told, and the
/// probabilities of the labels are in proportion to those of the passage. Several passages and labels are read at a
/// time.
///
/// Tokens of a passage are not independent, so the plain quotient is far too sure of itself. It is therefore scaled, and
/// each label gets a bias, by logistic regression on the validation material when the model is made (Platt 1999 for two
/// labels): see `LabelCalibration`.
public final class Classifier {
  public let model: Model
  private let batch: PassageBatch

  /// - `model`: one with labels.
  public init(_ model: Model) throws(LibrettoError) {
    try model.requireLabels()
    self.model = model
    batch = try PassageBatch(model)
  }

  /// The probabilities of the labels, from the first on, for each of some passages, all together `[passages][labels]`.
  ///
  /// - `passage`: the tokens of each, the first of which is read only; with its end, if it has one.
  public func probabilities(
    passages count: Int, _ passage: (Int) -> UnsafeBufferPointer<Int32>
  ) throws(LibrettoError) -> GrowableBuffer<Double> {
    let scores = try scores(passages: count, passage)
    let labels = model.labels.count
    for i in 0..<count {
      model.labels.calibration.normalize(scores.base! + i * labels, count: labels)
    }
    return scores
  }

  /// The log-likelihoods of the passages with each label, `[passages][labels]`, without calibration.
  func scores(passages count: Int, _ passage: (Int) -> UnsafeBufferPointer<Int32>)
    throws(LibrettoError) -> GrowableBuffer<Double>
  {
    let labels = model.labels.count
    let result = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer<Double>(repeating: 0, count: count * labels)
    }
    for i in 0..<count { try model.check(passage(i)) }
    // Each passage is read once with each label.
    let jobs = count * labels
    var next = 0
    var jobOf = InlineArray<16, Int>(repeating: 0)
    while next < jobs || batch.isBusy {
      while next < jobs, let row = batch.freeRow {
        let (number, label) = next.quotientAndRemainder(dividingBy: labels)
        var facts = model.facts(of: passage(number), memory: true)
        facts.label = Int32(label + 1)
        batch.begin(passage(number), in: row, facts)
        jobOf[row] = next
        next += 1
      }
      _ = batch.readOn()
      for row in 0..<PassageBatch.rows { result[jobOf[row]] -= batch.losses[row] }
    }
    return result
  }
}

extension Model {
  /// The probability of each label, from the first on, for a sequence of tokens. Of a model of documents the tokens are
  /// those of a document, to which its end is added on both sides if it is not there.
  public func classify(_ tokens: UnsafeBufferPointer<Int32>) throws(LibrettoError)
    -> GrowableBuffer<Double>
  {
    let classifier = try Classifier(self)
    let whole = GrowableBuffer<Int32>()
    try allocating { () throws(OutOfMemory) in
      try whole.reserve(tokens.count + 2)
      if documentEnd >= 0 && tokens.first != documentEnd { whole.appendReserved(documentEnd) }
      try whole.append(contentsOf: tokens)
      if documentEnd >= 0 && (tokens.isEmpty || tokens.last != documentEnd) {
        whole.appendReserved(documentEnd)
      }
    }
    defer { withExtendedLifetime(whole) {} }
    return try classifier.probabilities(passages: 1) { _ in UnsafeBufferPointer(whole.elements) }
  }
}
