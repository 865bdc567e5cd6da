import Platform

/// Turns the log-likelihoods of a passage with each label into probabilities of the labels: multiplied by a scale, with
/// a bias for each label added, then normalized.
public struct LabelCalibration: Equatable, Sendable {
  public var scale = 1.0
  /// As many as labels; none for 0 each.
  public var biases: [Double] = []

  public init() {}

  /// Replaces log-likelihoods by probabilities.
  public func normalize(_ scores: UnsafeMutablePointer<Double>, count: Int) {
    var highest = -Double.infinity
    for i in 0..<count {
      scores[i] = scale * scores[i] + (i < biases.count ? biases[i] : 0)
      highest = max(highest, scores[i])
    }
    var sum = 0.0
    for i in 0..<count {
      scores[i] = exp(scores[i] - highest)
      sum += scores[i]
    }
    for i in 0..<count { scores[i] /= sum }
  }

  /// Finds the calibration that makes the true labels of some passages likeliest, with a penalty that keeps it near
  /// scale 1 and biases 0 where there are few, by gradient ascent with Nesterov's momentum.
  ///
  /// - `scores`: `[passages][labels]`, changed. `truth`: the label of each passage, from 0 on.
  public init(
    fitting scores: UnsafeMutableBufferPointer<Double>, labels: Int, truth: (Int) -> Int
  ) {
    let count = scores.count / max(labels, 1)
    guard count > 0, labels > 1 else { return }
    // The scores are centred and brought to a spread of 1, so that one rate of learning fits all material.
    var spread = 0.0
    for i in 0..<count {
      let row = scores[i * labels..<(i + 1) * labels]
      let mean = row.reduce(0, +) / Double(labels)
      for j in row.indices {
        scores[j] -= mean
        spread += scores[j] * scores[j]
      }
    }
    spread = (spread / Double(scores.count)).squareRoot()
    guard spread > 0, spread.isFinite else { return }
    for j in 0..<scores.count { scores[j] /= spread }
    var parameters = [Double](repeating: 0, count: labels + 1)
    // The likelihoods are far too sure: a scale of 1 means one nat of the spread.
    parameters[labels] = 1
    var velocity = [Double](repeating: 0, count: labels + 1)
    var (row, gradient) = ([Double](repeating: 0, count: labels), velocity)
    for _ in 0..<400 {
      let ahead = zip(parameters, velocity).map { $0 + 0.9 * $1 }
      for k in 0..<labels { gradient[k] = -ahead[k] }
      gradient[labels] = 1 - ahead[labels]
      var calibration = LabelCalibration()
      calibration.scale = ahead[labels]
      calibration.biases = Array(ahead[..<labels])
      for i in 0..<count {
        let x = scores.baseAddress! + i * labels
        for k in 0..<labels { row[k] = x[k] }
        row.withUnsafeMutableBufferPointer {
          calibration.normalize($0.baseAddress!, count: labels)
        }
        let label = truth(i)
        for k in 0..<labels {
          let error = (k == label ? 1 : 0) - row[k]
          gradient[k] += error
          gradient[labels] += error * x[k]
        }
      }
      let rate = 0.5 / Double(count + 1)
      for k in 0...labels {
        velocity[k] = 0.9 * velocity[k] + rate * gradient[k]
        parameters[k] += velocity[k]
      }
    }
    guard parameters.allSatisfy(\.isFinite) else { return }
    // Labels cannot be told the other way round.
    scale = max(parameters[labels], 0) / spread
    biases = Array(parameters[..<labels])
  }

  /// As a model file keeps it: the scale, then the biases, with spaces between them.
  public var text: String { ([scale] + biases).map { "\($0)" }.joined(separator: " ") }

  /// nil if the text is none, for so many labels.
  init?(text: String, labels: Int) {
    let numbers = text.split(separator: " ").map { Double($0) ?? .nan }
    guard numbers.count == labels + 1 || numbers.count == 1, numbers.allSatisfy(\.isFinite),
      numbers[0] >= 0
    else { return nil }
    scale = numbers[0]
    biases = Array(numbers.dropFirst())
  }
}
