import CLibretto
import GRU
import Libretto

/// In C most numbers are chosen if they are 0, those of which 0 is one if they are below.
private func chosen(_ value: some BinaryInteger) -> Int? { value == 0 ? nil : Int(value) }

/// Reads a host's options.
func options(_ pointer: UnsafePointer<retto_trainer_options>?) throws(LibrettoError)
  -> TrainingOptions
{
  var options = TrainingOptions()
  guard let pointer else { return options }
  let given = try structure(pointer, "the trainer's options")
  try checkReserved(given.reserved, "the trainer's options")
  if given.encoding != nil { options.encoding = try string(given.encoding, "the encoding") }
  options.stepsPerQuarter = chosen(given.steps_per_quarter)
  options.augment = given.augment == 0 ? nil : given.augment > 0
  options.embedding = chosen(given.embedding)
  options.hidden = chosen(given.hidden)
  options.layers = chosen(given.layers)
  options.batch = chosen(given.batch)
  options.sequence = chosen(given.sequence)
  options.threads = chosen(given.threads)
  options.dropout = given.dropout < 0 ? nil : given.dropout
  options.learningRate = given.learning_rate == 0 ? nil : given.learning_rate
  options.weightDecay = given.weight_decay < 0 ? nil : given.weight_decay
  options.clip = given.clip == 0 ? nil : given.clip
  options.epochs = given.epochs == 0 ? nil : given.epochs
  options.steps = chosen(given.steps)
  options.minutes = given.minutes == 0 ? nil : given.minutes
  options.validationFraction = given.validation < 0 ? nil : given.validation
  options.patience = given.patience < 0 ? 0 : chosen(given.patience)
  options.seed = given.seed == 0 ? nil : given.seed
  if given.checkpoint_path != nil {
    options.checkpointPath = try string(given.checkpoint_path, "the checkpoint path")
  }
  options.checkpointSeconds = given.checkpoint_seconds == 0 ? nil : given.checkpoint_seconds
  options.precision = try Precision(given.precision)
  options.documents = given.documents == 0 ? nil : given.documents > 0
  options.vocabulary = chosen(given.vocabulary)
  options.memory = given.memory == 0 ? nil : given.memory > 0
  options.season = chosen(given.season)
  options.context = chosen(given.context)
  return options
}

/// Options as a host gave them, or as they were chosen.
func options(_ options: TrainingOptions, of handle: TrainerHandle) -> retto_trainer_options {
  var result = retto_trainer_options.initial
  result.encoding = options.encoding.flatMap { handle.encoding($0) }
  result.steps_per_quarter = Int32(options.stepsPerQuarter ?? 0)
  result.augment = options.augment.map { $0 ? 1 : -1 } ?? 0
  result.embedding = Int32(options.embedding ?? 0)
  result.hidden = Int32(options.hidden ?? 0)
  result.layers = Int32(options.layers ?? 0)
  result.batch = Int32(options.batch ?? 0)
  result.sequence = Int32(options.sequence ?? 0)
  result.threads = Int32(options.threads ?? 0)
  result.dropout = options.dropout ?? -1
  result.learning_rate = options.learningRate ?? 0
  result.weight_decay = options.weightDecay ?? -1
  result.clip = options.clip ?? 0
  result.epochs = options.epochs ?? 0
  result.steps = Int64(options.steps ?? 0)
  result.minutes = options.minutes ?? 0
  result.validation = options.validationFraction ?? -1
  result.patience = options.patience.map { $0 == 0 ? -1 : Int32($0) } ?? 0
  result.seed = options.seed ?? 0
  result.checkpoint_path = options.checkpointPath.flatMap { handle.checkpointPath($0) }
  result.checkpoint_seconds = options.checkpointSeconds ?? 0
  result.precision = retto_precision(UInt32(options.precision.rawValue))
  result.memory = options.memory.map { $0 ? 1 : -1 } ?? 0
  result.vocabulary = Int32(options.vocabulary ?? 0)
  result.season = Int32(options.season ?? 0)
  result.context = Int32(options.context ?? 0)
  result.documents = options.documents.map { $0 ? 1 : -1 } ?? 0
  return result
}
