import GRU
import Sequences

// What a trainer tells of itself.

extension Trainer {
  /// The files a resumed run was given, to be added again; empty for a new one.
  public var expectedFiles: [MaterialFile] { start.checkpoint?.state.files.files ?? [] }
  /// The name of the encoding that the run to resume or the model to start from has.
  package var givenEncoding: String? { start.encoding?.name }

  /// The options in force: those that were given, and once training was prepared all that they left
  /// open, as it was chosen.
  public var chosenOptions: TrainingOptions { run?.chosen(options) ?? options }

  /// The sizes in use, known once training was prepared.
  public var shape: NetworkShape? { run?.plan.shape }
  /// The batch, the sequence and the threads in use, likewise.
  public var batch: (batch: Int, sequence: Int, threads: Int)? {
    run.map { ($0.plan.batch, $0.plan.sequence, $0.learner.threads) }
  }
  /// Tokens to train on and to validate with, likewise; of pieces without their variants.
  public var tokens: (training: Int, validation: Int)? {
    run.map { ($0.corpus.training.count, $0.corpus.validation.count) }
  }

  /// What a person should know of the files of music, likewise.
  public var remarks: [MaterialRemark] { run.map { Array($0.corpus.remarks) } ?? [] }
  /// Pieces or documents to train on and to validate with, likewise; nil for one long text.
  public var pieces: (training: Int, validation: Int)? {
    guard let corpus = run?.corpus, let pieces = corpus.training.pieces else { return nil }
    return (pieces.count, corpus.validation.pieces?.count ?? 0)
  }
  /// The encoding in use, and how it was chosen if it was, likewise.
  package var encoding: (any Encoding)? { run?.corpus.encoding }
  package var encodingChoice: EncodingChoice? { run?.corpus.choice }
  /// The highest learning rate and the dropout in use, likewise.
  package var rates: (learning: Double, dropout: Double)? {
    run.map { ($0.plan.learningRate, $0.plan.dropout) }
  }
  /// Where the run ends, likewise: 0 for what does not end it.
  package var ends: (steps: Int, seconds: Double, patience: Int)? {
    run.map { ($0.plan.totalSteps, $0.plan.seconds, $0.plan.patience) }
  }
  /// How long all steps are likely to take on this machine, in seconds, by a measurement of 0.3 s; nil if the
  /// time ends the run.
  package var expectedSeconds: Double? {
    guard let plan = run?.plan, plan.totalSteps > 0, plan.seconds == 0 else { return nil }
    let tokens = Double(plan.totalSteps) * Double(plan.batch * plan.sequence)
    return tokens * plan.shape.trainingOperations / TrainingSpeed.measure(threads: plan.threads)
  }
  /// The losses so far, of a resumed run from its beginning.
  package var history: LossHistory? { run?.history }

  /// Whether a file is the checkpoint of a run that is not at its end.
  package static func isUnfinished(checkpoint path: String) -> Bool {
    guard let checkpoint = try? Checkpoint(path) else { return false }
    let run = checkpoint.state.settled(checkpoint.plan)
    return run.goesOn || run == .stopped
  }

  /// Whether a file is a checkpoint, of whatever run.
  package static func isCheckpoint(_ path: String) -> Bool {
    (try? Checkpoint(path)) != nil
  }
}
