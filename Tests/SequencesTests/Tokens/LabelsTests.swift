import Testing

@testable import Sequences

@Suite struct LabelsTests {
  @Test func namesHaveNumbersInTheOrderTheyCome() throws {
    var labels = Labels()
    #expect(labels.isEmpty && labels.sideInputs.isEmpty)
    #expect(try labels.add("jig") == 1)
    #expect(try labels.add("Walzer, für Übung") == 2)
    #expect(try labels.add("jig") == 1)
    #expect(labels.number(of: "reel") == nil && labels.count == 2)
    #expect(labels.sideInputs == [SideInput(name: "label", count: 3)])
    let again = try #require(Labels(text: labels.text, calibration: labels.calibration.text))
    #expect(again == labels)
  }

  @Test(arguments: ["", "a\nb", "a\u{7F}", String(repeating: "x", count: 256)])
  func whatIsNoNameIsRefused(name: String) throws {
    var labels = Labels()
    #expect(throws: EncodingError.self) { _ = try labels.add(name) }
    #expect(labels.isEmpty)
  }

  @Test func thereIsALimit() throws {
    var labels = Labels()
    for i in 0..<Labels.most { _ = try labels.add("label \(i)") }
    #expect(throws: EncodingError.self) { _ = try labels.add("one more") }
    #expect(try labels.add("label 7") == 8)
  }

  @Test(arguments: ["", "a\n", "a\na", "\n"]) func damagedTextsAreRefused(text: String) {
    #expect(Labels(text: text) == nil)
  }

  @Test(arguments: ["", "x", "1 2", "-1 0 0", "nan 0 0", "1 0 0 0"])
  func damagedCalibrationsAreRefused(text: String) {
    #expect(Labels(text: "a\nb", calibration: text) == nil)
  }
}

@Suite struct LabelCalibrationTests {
  /// Scores that are right about as often as a likelihood `sharpness` times as far apart says.
  private func scores(_ count: Int, sharpness: Double, bias: Double = 0)
    -> (scores: [Double], truth: [Int])
  {
    var (scores, truth): ([Double], [Int]) = ([], [])
    for i in 0..<count {
      // Evenly spread over -4 to 4; the truth follows the logistic function of it, without chance.
      let x = 8 * (Double(i % 101) / 100 - 0.5)
      let probability = 1 / (1 + exponential(-(x + bias)))
      truth.append(Double(i / 101 % 20) + 0.5 < 20 * probability ? 1 : 0)
      scores += [-1000, -1000 + sharpness * x]
    }
    return (scores, truth)
  }

  private func exponential(_ x: Double) -> Double {
    var calibration = [0.0, x]
    LabelCalibration().normalize(&calibration, count: 2)
    return calibration[1] / calibration[0]
  }

  private func fit(_ scores: [Double], _ truth: [Int]) -> LabelCalibration {
    var scores = scores
    return scores.withUnsafeMutableBufferPointer {
      LabelCalibration(fitting: $0, labels: 2) { truth[$0] }
    }
  }

  @Test(arguments: [1.0, 5, 40]) func theScaleUndoesWhatIsTooSure(sharpness: Double) {
    let (scores, truth) = scores(2020, sharpness: sharpness)
    let found = fit(scores, truth)
    #expect(abs(found.scale * sharpness - 1) < 0.1)
    #expect(abs(found.biases[1] - found.biases[0]) < 0.2)
  }

  @Test func aBiasIsFound() {
    let (scores, truth) = scores(2020, sharpness: 3, bias: 1)
    let found = fit(scores, truth)
    #expect(abs(found.biases[1] - found.biases[0] - 1) < 0.2)
  }

  @Test func nothingToLearnFromChangesNothing() {
    #expect(fit([], []) == LabelCalibration())
    #expect(fit([1, 1, 1, 1], [0, 1]) == LabelCalibration())
  }

  @Test func probabilitiesAddUpToOne() {
    var scores = [-2000.0, -1999, -5000, .leastNormalMagnitude]
    LabelCalibration().normalize(&scores, count: 4)
    #expect(abs(scores.reduce(0, +) - 1) < 1e-12 && scores[3] > 0.999)
  }
}
