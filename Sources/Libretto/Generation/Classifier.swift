import GRU
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
  /// What is read at a time.
  private static let rows = 16

  public let model: Model
  private let scorer: BatchScorer
  private let jobs: ObjectList<Row>
  private let inputs, targets, sides: GrowableBuffer<Int32>
  private let sums: GrowableBuffer<Double>

  /// What one row of the batch reads.
  private final class Row {
    var tokens: UnsafeBufferPointer<Int32>?
    var next = 0
    var passage = 0
    var label = 0
    let reader: SideReader?

    init(_ reader: SideReader?) { self.reader = reader }
  }

  /// - `model`: one with labels.
  public init(_ model: Model) throws(LibrettoError) {
    guard model.labelSide != nil else {
      throw LibrettoError(.unsupported, "this model has no labels; train it on labelled material")
    }
    self.model = model
    let rows = Self.rows
    scorer = try network { () throws(NetworkError) in try BatchScorer(model.network, rows: rows) }
    let jobs = ObjectList<Row>()
    for _ in 0..<rows {
      let row = Row(try SideReader(model.sides, model.encoding))
      try allocating { () throws(OutOfMemory) in try jobs.append(row) }
    }
    self.jobs = jobs
    let count = rows * BatchScorer.steps
    (inputs, targets, sides, sums) = try allocating { () throws(OutOfMemory) in
      (
        try GrowableBuffer(repeating: 0, count: count),
        try GrowableBuffer(repeating: -1, count: count),
        try GrowableBuffer(repeating: 0, count: count * model.shape.sides.count),
        try GrowableBuffer(repeating: 0, count: rows)
      )
    }
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
    var job = 0
    let all = count * labels
    while true {
      var isBusy = false
      for i in 0..<Self.rows {
        let row = jobs[i]
        if row.tokens == nil, job < all {
          (row.passage, row.label) = job.quotientAndRemainder(dividingBy: labels)
          job += 1
          let tokens = passage(row.passage)
          (row.tokens, row.next) = (tokens, 0)
          scorer.restart(i)
          var facts = model.facts(of: tokens, memory: true)
          facts.label = Int32(row.label + 1)
          row.reader?.begin(facts)
        }
        isBusy = isBusy || row.tokens != nil
        sums[i] = 0
      }
      guard isBusy else { return result }
      goOn()
      for i in 0..<Self.rows {
        let row = jobs[i]
        result[row.passage * labels + row.label] -= sums[i]
        if let tokens = row.tokens, row.next + 1 >= tokens.count { row.tokens = nil }
      }
    }
  }

  /// Reads on in all rows.
  private func goOn() {
    let told = model.shape.sides.count
    for i in 0..<Self.rows {
      let row = jobs[i]
      for step in 0..<BatchScorer.steps {
        let at = step * Self.rows + i
        guard let tokens = row.tokens, row.next + 1 < tokens.count else {
          (inputs[at], targets[at]) = (0, -1)
          for side in 0..<told { sides[at * told + side] = 0 }
          continue
        }
        (inputs[at], targets[at]) = (tokens[row.next], tokens[row.next + 1])
        if let sides = sides.base { row.reader?.advance(tokens[row.next], into: sides + at * told) }
        row.next += 1
      }
    }
    scorer.score(
      inputs: inputs.base.unsafelyUnwrapped, targets: targets.base.unsafelyUnwrapped,
      sides: sides.base.map { UnsafePointer($0) }, sums: sums.base)
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
