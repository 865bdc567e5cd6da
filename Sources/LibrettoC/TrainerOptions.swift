import CLibretto
import GRU
import Libretto

/// Reads a host's options.
func options(_ pointer: UnsafePointer<retto_trainer_options>?) throws(LibrettoError)
  -> TrainingOptions
{
  var options = TrainingOptions()
  guard let pointer else { return options }
  let given = try structure(pointer, "the trainer's options")
  try checkReserved(given.reserved, "the trainer's options")
  try checkReserved(given.reserved_2, "the trainer's options")
  if given.encoding != nil { options.encoding = try string(given.encoding, "the encoding") }
  options.stepsPerQuarter = Int(given.steps_per_quarter)
  options.augment = given.augment == 0 ? nil : given.augment > 0
  options.embedding = Int(given.embedding)
  options.hidden = Int(given.hidden)
  options.layers = Int(given.layers)
  options.batch = Int(given.batch)
  options.sequence = Int(given.sequence)
  options.threads = Int(given.threads)
  // Any number below 0 means: choose.
  options.dropout = given.dropout < 0 ? -1 : given.dropout
  options.learningRate = given.learning_rate
  options.weightDecay = given.weight_decay < 0 ? -1 : given.weight_decay
  options.clip = given.clip
  options.epochs = given.epochs
  options.steps = Int(given.steps)
  options.minutes = given.minutes
  options.validationFraction = given.validation < 0 ? -1 : given.validation
  options.patience = given.patience < 0 ? -1 : Int(given.patience)
  options.seed = given.seed
  if given.checkpoint_path != nil {
    options.checkpointPath = try string(given.checkpoint_path, "the checkpoint path")
  }
  options.checkpointSeconds = given.checkpoint_seconds
  options.precision = try Precision(given.precision)
  options.documents = given.documents == 0 ? nil : given.documents > 0
  options.vocabulary = Int(given.vocabulary)
  return options
}

/// Options as a host gave them, or as they were chosen.
func options(_ options: TrainingOptions, of handle: TrainerHandle) -> retto_trainer_options {
  var result = retto_trainer_options.initial
  result.encoding = options.encoding.flatMap { handle.encoding($0) }
  result.steps_per_quarter = Int32(options.stepsPerQuarter)
  result.augment = options.augment.map { $0 ? 1 : -1 } ?? 0
  result.embedding = Int32(options.embedding)
  result.hidden = Int32(options.hidden)
  result.layers = Int32(options.layers)
  result.batch = Int32(options.batch)
  result.sequence = Int32(options.sequence)
  result.threads = Int32(options.threads)
  result.dropout = options.dropout
  result.learning_rate = options.learningRate
  result.weight_decay = options.weightDecay
  result.clip = options.clip
  result.epochs = options.epochs
  result.steps = Int64(options.steps)
  result.minutes = options.minutes
  result.validation = options.validationFraction
  result.patience = Int32(options.patience)
  result.seed = options.seed
  result.checkpoint_path = options.checkpointPath.flatMap { handle.checkpointPath($0) }
  result.checkpoint_seconds = options.checkpointSeconds
  result.precision = retto_precision(UInt32(options.precision.rawValue))
  result.vocabulary = Int32(options.vocabulary)
  result.documents = options.documents.map { $0 ? 1 : -1 } ?? 0
  return result
}
