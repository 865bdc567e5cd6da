/// Where a training run stands.
public struct Progress: Sendable {
  /// Steps done, and all there will be; 0 if the time decides.
  public var step = 0
  public var totalSteps = 0
  /// Passes over the training tokens, with the fraction of the current one.
  public var epoch = 0.0
  /// How much of the run is done, from 0 to 1.
  public var fraction = 0.0
  /// Nats per token: of training, smoothed over the last steps, with dropout in force.
  public var loss = Double.nan
  /// Of the validation part, last and best so far; not a number before the first measurement.
  public var validationLoss = Double.nan
  public var bestValidationLoss = Double.nan
  /// Of the validation part, or of training while there is no other; not a number for music.
  public var bitsPerCharacter = Double.nan
  public var learningRate = 0.0
  public var gradientNorm = 0.0
  public var tokensPerSecond = 0.0
  public var elapsedSeconds = 0.0
  /// An estimate; not a number before the first step.
  public var secondsLeft = Double.nan
  /// Whether this step measured the validation part.
  public var measured = false
  /// Whether it will end sooner than was planned, because the validation loss did not improve.
  public var endsSooner = false
  /// The state the run is in.
  public var end = RunState.fresh
  /// Why the last checkpoint of the run could not be saved; nil if it was, or there is none to save.
  public var checkpointFailure: LibrettoError?
}

extension Progress {
  /// Where a run stands that is to go on from a checkpoint.
  init(_ checkpoint: Checkpoint) {
    let state = checkpoint.state
    step = state.step
    totalSteps = checkpoint.plan.totalSteps
    fraction = state.fraction(of: checkpoint.plan)
    loss = state.smoothed
    validationLoss = state.validation
    bestValidationLoss = state.best
    elapsedSeconds = state.elapsed
    end = state.settled(checkpoint.plan)
  }
}
