import Memory
import Sequences

extension Model {
  /// Tokens that are read for it, over all labels.
  private static let calibrationTokens = 200_000
  /// Fewer passages tell nothing.
  private static let leastPassages = 10

  /// The same model with the probabilities of its labels calibrated on pieces it has not learned from: some of them,
  /// spread evenly, as many as can be read in seconds.
  func calibrated(on part: Corpus.Part) throws(LibrettoError) -> Model {
    guard labelSide != nil, let pieces = part.pieces else { return self }
    let labelled = GrowableBuffer<Int>()
    var tokens = 0
    for piece in 0..<pieces.count where pieces.label(of: piece) > 0 {
      try allocating { () throws(OutOfMemory) in try labelled.append(piece) }
      tokens += pieces.tokens(of: piece).count * labels.count
    }
    let few = Double(Self.calibrationTokens) / Double(max(tokens, 1))
    let used = min(labelled.count, Int(Double(labelled.count) * few))
    guard used >= Self.leastPassages else { return self }
    let passages = ObjectList<GrowableBuffer<Int32>>()
    let truth = GrowableBuffer<Int>()
    for i in 0..<used {
      let piece = labelled[i * labelled.count / used]
      let passage = GrowableBuffer<Int32>()
      try allocating { () throws(OutOfMemory) in
        for at in pieces.tokens(of: piece) { try passage.append(part.tokens[at]) }
        try passages.append(passage)
        try truth.append(Int(pieces.label(of: piece)) - 1)
      }
    }
    let scores = try Classifier(self).scores(passages: used) {
      UnsafeBufferPointer(passages[$0].elements)
    }
    var labels = labels
    labels.calibration = LabelCalibration(
      fitting: scores.elements, labels: labels.count, truth: { truth[$0] })
    return Model(
      network: network, encoding: encoding,
      sides: Sides(sideInputs, labels: labels, alignment: sides.alignment), facts: facts)
  }
}
