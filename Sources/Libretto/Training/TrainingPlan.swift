import GRU
import Sequences

/// Every number of a training run, decided: what the options left open is chosen here, once, from
/// the corpus and the time there is. A checkpoint keeps the plan, so a resumed run has the same.
struct TrainingPlan: Equatable {
  var shape: NetworkShape
  var batch: Int
  var sequence: Int
  var dropout: Double
  var learningRate: Double
  var schedule = LearningRateSchedule.coolDown
  /// Adam's, for the second moment.
  var beta2 = 0.99
  var weightDecay: Double
  var clip: Double
  var precision: Precision
  var seed: UInt64
  /// Whether music is transposed and stretched.
  var augment: Bool
  var threads: Int
  /// Where the run ends: at a number of steps, at a time, or at what comes first of both; 0 for
  /// none.
  var totalSteps: Int
  var seconds: Double
  /// Steps between two measurements of the validation part, and how many without a better one end
  /// the run; 0 for never.
  var validationInterval: Int
  var patience: Int

  /// - `tokens`: to train on. `validation`: to validate with.
  /// - `sequence`: time steps of a sequence where the options do not name them.
  /// - `perEpoch`: the batches of an epoch, of so many sequences of so many steps.
  /// - `hasPairs`: see `ChosenSize`.
  /// - `sides`: the side inputs of a new network.
  /// - `fixed`: the shape of the model training starts from, if it starts from one.
  /// - `speed`: see `TrainingSpeed`, of so many threads. It is asked where the time decides.
  init(
    _ options: TrainingOptions, tokens: Int, validation: Int, vocabulary: Int,
    sides: SideSizes = SideSizes(), sequence: Int = 64, hasPairs: Bool = false,
    perEpoch: (_ batch: Int, _ sequence: Int) -> Int, fixed: NetworkShape?, processors: Int,
    speed: (_ threads: Int) -> Double = { 90e9 * Double($0) }
  ) throws(LibrettoError) {
    augment = options.augment ?? false
    threads = options.threads ?? max(1, min(processors, 8))
    seconds = (options.minutes ?? 0) * 60
    seed = options.seed ?? 0
    precision = options.precision
    let choosesSize = seconds > 0 && fixed == nil && options.hidden == nil
    let operations =
      choosesSize || seconds > 0 && options.learningRate == nil ? seconds * speed(threads) : 0
    let size =
      choosesSize
      ? ChosenSize(
        tokens: tokens * (augment ? 3 : 1), hasPairs: hasPairs,
        vocabulary: vocabulary, operations: operations,
        layers: options.layers)
      : ChosenSize(tokens: tokens)
    shape =
      fixed
      ?? NetworkShape(
        vocabulary: vocabulary,
        embedding: options.embedding ?? size.embedding,
        hidden: options.hidden ?? size.hidden,
        layers: options.layers ?? size.layers, sides: sides)
    do { try shape.validate() } catch { throw LibrettoError(error) }
    // Rows shorter than a sequence would leave most of it empty.
    let sequence = min(options.sequence ?? sequence, max(1, tokens - 1))
    self.sequence = sequence
    batch = options.batch ?? Self.tokensPerUpdate(options) / sequence
    batch = max(1, min(batch, tokens / (sequence + 1)))
    let perEpoch = perEpoch(batch, sequence)
    totalSteps = options.steps ?? 0
    if let epochs = options.epochs {
      let steps = Self.steps(epochs: epochs, of: perEpoch)
      totalSteps = totalSteps > 0 ? min(totalSteps, steps) : steps
    }
    if totalSteps == 0 && seconds == 0 { totalSteps = perEpoch * size.epochs }
    dropout = options.dropout ?? size.dropout
    var steps = totalSteps > 0 ? Double(totalSteps) : .infinity
    if operations > 0 {
      steps = min(steps, operations / (shape.trainingOperations * Double(batch * sequence)))
    }
    learningRate =
      options.learningRate
      ?? ChosenSize.learningRate(
        hidden: shape.hidden, layers: shape.layers, vocabulary: vocabulary, steps: steps)
    weightDecay = options.weightDecay ?? 0.01
    clip = options.clip ?? 1
    // A token costs three times as much to learn from as to test on; a tenth of the time goes to
    // tests.
    let measured = min(validation, Validation.mostTokens)
    validationInterval = max(
      51_200 / Self.tokensPerUpdate(options), 4 * measured / (batch * sequence))
    patience = options.patience ?? 12
  }

  /// Tokens of an update of the weights where nobody names batch and sequence. Two updates from 1,024 tokens each take
  /// the time of one from 2,048; short runs learn more by them, and long ones no less (RESULTS.md). Who names the steps
  /// gets the work that a step has always been.
  static func tokensPerUpdate(_ options: TrainingOptions) -> Int {
    options.steps == nil ? 1024 : 2048
  }

  /// Time steps of a sequence of long material. Fewer are better than fewer sequences: the products stay as large, and
  /// the state is carried on.
  static func usualSequence(_ options: TrainingOptions) -> Int {
    tokensPerUpdate(options) / 32
  }

  /// The most steps a run can have.
  static let mostSteps = 1_000_000_000_000

  static func steps(epochs: Double, of stepsPerEpoch: Int) -> Int {
    Int(max(1, min((epochs * Double(stepsPerEpoch)).rounded(.up), Double(mostSteps))))
  }

  /// Whether what was decided of the end, in a run by the other plan, holds no more.
  func hasAnotherEnd(than other: TrainingPlan) -> Bool {
    (totalSteps, seconds) != (other.totalSteps, other.seconds) || patience == 0
  }

  /// How much of the run is over, from 0 to 1.
  func fraction(step: Int, elapsed: Double) -> Double {
    var result = 0.0
    if totalSteps > 0 { result = Double(step) / Double(totalSteps) }
    if seconds > 0 { result = max(result, elapsed / seconds) }
    return min(1, result)
  }

  /// The learning rate: a linear warm-up over the first steps, then the schedule.
  ///
  /// - `start`: where the cool-down begins.
  func learningRate(
    step: Int, fraction: Double, coolDownStart start: Double = LearningRateSchedule.coolDownStart
  ) -> Double {
    let warmUp = Double(totalSteps > 0 ? max(1, min(100, totalSteps / 10)) : 100)
    let rising = min(1, Double(step + 1) / warmUp)
    return learningRate * rising * schedule.share(fraction, coolDownStart: start)
  }

  /// Bytes a run of this plan takes beside its corpus, roughly.
  var memory: Double {
    let parameters = Double(ParameterLayout(shape).count)
    let rows = Double(batch * sequence)
    let perRow = Double(shape.paddedHidden * (8 * shape.layers + 10) + 2 * shape.paddedVocabulary)
    // A memory for each row, in training and in validation.
    let memories = shape.sides.isEmpty ? 0 : Double(2 * batch) * 460e3
    return 4 * (parameters * Double(8 + threads) + rows * perRow) + memories
  }
}
