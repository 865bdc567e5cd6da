/// Sizes that have proved good for a corpus, and for the time there is.
struct ChosenSize {
  let embedding = 64
  var hidden = 128
  var layers = 2
  var dropout = 0.1
  var epochs = 40

  /// For as long as it takes: minutes for a megabyte.
  ///
  /// - `tokens`: to train on.
  init(tokens: Int) {
    switch tokens {
    case ..<20_000: (hidden, layers, dropout, epochs) = (128, 1, 0.2, 100)
    case ..<200_000: (hidden, layers, dropout, epochs) = (256, 1, 0.3, 60)
    case ..<1_000_000: (hidden, layers, dropout, epochs) = (256, 2, 0.2, 25)
    case ..<20_000_000: (hidden, layers, dropout, epochs) = (384, 2, 0.2, 12)
    default: (hidden, layers, dropout, epochs) = (512, 2, 0.1, 3)
    }
  }

  /// For the time there is.
  ///
  /// With more time the network grows with its square root, and so does what it sees of the corpus, as is best for
  /// a corpus without end (Hoffmann et al. 2022, whose exponents these are; the factor is measured). A network much
  /// larger than the corpus learns it by heart.
  ///
  /// - `hasPairs`: whether it learns from pairs, of which half of the tokens are predicted, with the source in sight.
  /// - `vocabulary`: what a large one takes in the head, the layers must do without.
  /// - `operations`: on floats that can be done in the time.
  /// - `layers`: if they were named.
  init(
    tokens: Int, hasPairs: Bool = false, vocabulary: Int = 256, operations: Double,
    layers named: Int?
  ) {
    let weightsPerToken = hasPairs ? 1.0 : 3
    let weights = max(
      1000, min(0.3 * operations.squareRoot(), max(50_000, weightsPerToken * Double(tokens))))
    let head = Double(max(0, vocabulary - 256))
    func units(_ layers: Int) -> Double {
      let square = Double(3 * (2 * layers - 1))
      return (((head * head + 4 * square * weights).squareRoot() - head) / (2 * square))
    }
    // A second layer needs material: on 330 chorales it made things worse.
    layers = named ?? (weights - head * units(2) < 400_000 || tokens < 1_000_000 ? 1 : 2)
    let units = units(layers)
    let multiple = units < 192 ? 32.0 : 64
    hidden = Int(max(32, min(2048, (units / multiple).rounded() * multiple)))
    let passes = operations / (6 * weights) / Double(max(tokens, 1))
    switch passes {
    case ..<1.5: dropout = 0.1
    case ..<8: dropout = 0.2
    case ..<30: dropout = 0.3
    default: dropout = 0.4
    }
    epochs = 0
  }

  /// The highest learning rate for a network of so many units and layers: measured for 1x256, 2x256 and 2x384, and for
  /// 1x128 with 8,449 words, most of which come so seldom that a higher rate forgets them again.
  ///
  /// - `steps`: of the run. What is good for 500 is too high for more: a longer run can afford to settle. Beyond 50,000
  ///   nothing was measured.
  static func learningRate(hidden: Int, layers: Int, vocabulary: Int = 256, steps: Double)
    -> Double
  {
    let width = min(1, (256 / Double(hidden)).squareRoot())
    let rarity = min(1, (1024 / Double(vocabulary)).squareRoot())
    let length = (500 / max(500, min(steps, 50_000))).squareRoot()
    return (8e-3 * width * rarity * length * (layers == 1 ? 1 : 0.75) * 1e6).rounded() / 1e6
  }
}
