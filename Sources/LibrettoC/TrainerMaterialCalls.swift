import CLibretto
import Libretto

func isValidation(_ role: retto_role) throws(LibrettoError) -> Bool {
  switch role {
  case RETTO_TRAINING: return false
  case RETTO_VALIDATION: return true
  default:
    throw LibrettoError(
      .argument, "the role is \(role.rawValue); it must be RETTO_TRAINING or RETTO_VALIDATION")
  }
}

@c @implementation public func retto_trainer_set_label(
  _ trainer: OpaquePointer!, _ label: UnsafePointer<CChar>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.set(label: label == nil ? nil : try string(label, "the label"))
    }
  }
}

@c @implementation public func retto_trainer_add_pair(
  _ trainer: OpaquePointer!, _ source: UnsafePointer<CChar>!, _ source_length: Int,
  _ target: UnsafePointer<CChar>!, _ target_length: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(
        pair: try bytes(source, source_length, "the source"),
        try bytes(target, target_length, "the target"), validation: try isValidation(role))
    }
  }
}

@c @implementation public func retto_trainer_add_file(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(file: try string(path, "the path"), validation: try isValidation(role))
    }
  }
}

@c @implementation public func retto_trainer_add_text(
  _ trainer: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(
        text: try bytes(text, length, "the text"), validation: try isValidation(role))
    }
  }
}

@c @implementation public func retto_trainer_add_tokens(
  _ trainer: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ targets: UnsafePointer<Int32>!,
  _ count: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      let tokens = try array(tokens, count, "the tokens")
      let targets = targets == nil ? nil : try array(targets, count, "the targets")
      try handle.trainer.add(tokens: tokens, targets: targets, validation: try isValidation(role))
    }
  }
}

@c @implementation public func retto_trainer_add_midi(
  _ trainer: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(midi: try string(path, "the path"), validation: try isValidation(role))
    }
  }
}

@c @implementation public func retto_trainer_add_piece(
  _ trainer: OpaquePointer!, _ midi: OpaquePointer!, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try withMIDI(midi) { (midi) throws(LibrettoError) in
        try handle.trainer.add(piece: midi.file, validation: try isValidation(role))
      }
    }
  }
}

@c @implementation public func retto_trainer_add_midi_memory(
  _ trainer: OpaquePointer!, _ data: UnsafeRawPointer!, _ length: Int, _ role: retto_role
) -> retto_status {
  call { () throws(LibrettoError) in
    try withTrainer(trainer) { (handle) throws(LibrettoError) in
      try handle.trainer.add(
        midi: try bytes(data, length, "the data"), validation: try isValidation(role))
    }
  }
}
