import Sequences

// Sessions of pieces with parts.

extension Session {
  /// The parts of the music; throws if the model's encoding has none.
  private func requireParts() throws(LibrettoError) -> any PartGrammar {
    guard let parts = music?.reader.grammar.parts else {
      throw LibrettoError(
        .unsupported,
        "this is a model of \(model.encoding.name), which has no parts; use one of \(EnsembleEncoding.name)"
      )
    }
    return parts
  }

  private func check(part: Int) throws(LibrettoError) {
    guard part >= 0, part < Part.most else {
      throw LibrettoError(.argument, "the part is \(part); expected 0 to \(Part.most - 1)")
    }
  }

  /// What the parts of pieces that begin after the call are played with, each a program or `Instrument.drums`; none to
  /// leave the parts to the model. Real-time.
  public func set(parts programs: UnsafeBufferPointer<Int32>) throws(LibrettoError) {
    let parts = try requireParts()
    guard programs.count <= Part.most else {
      throw LibrettoError(
        .argument, "there are \(programs.count) parts; expected 0 to \(Part.most)")
    }
    var drums = 0
    for (i, program) in programs.enumerated() {
      guard program >= 0, program <= Int32(Instrument.drums) else {
        throw LibrettoError(
          .argument,
          "the program of part \(i) is \(program); expected 0 to 127, or \(Instrument.drums) for drums"
        )
      }
      if program == Int32(Instrument.drums) { drums += 1 }
    }
    guard drums <= 1, programs.count - drums <= Part.mostPitched else {
      throw LibrettoError(
        .argument,
        "the parts are \(programs.count - drums) with pitches and \(drums) of drums; expected at most \(Part.mostPitched) and 1"
      )
    }
    parts.want(programs)
  }

  /// The number of parts of the present piece, those that are declared so far; after it those it had. Real-time.
  public func partCount() throws(LibrettoError) -> Int { try requireParts().partCount }

  /// One of them. Real-time.
  public func part(_ number: Int) throws(LibrettoError) -> Part {
    let parts = try requireParts()
    guard number >= 0, number < parts.partCount else {
      throw LibrettoError(.argument, "the part is \(number) of \(parts.partCount)")
    }
    return parts.part(number)
  }

  /// A musician's constraints of a part, from the next token on. They stay after a reset. Real-time.
  public func set(_ constraints: PartConstraints, ofPart part: Int) throws(LibrettoError) {
    let parts = try requireParts()
    try check(part: part)
    try constraints.validate()
    parts.set(constraints, of: part)
  }

  public func constraints(ofPart part: Int) throws(LibrettoError) -> PartConstraints {
    let parts = try requireParts()
    try check(part: part)
    return parts.partConstraints(part)
  }

  /// Gives a note of a part, in ticks from the beginning of the piece. The part has it whatever the constraints are; if
  /// it is a given part, it has no others. Real-time.
  ///
  /// - `velocity`: 1 to 127, of which the level is kept; 0 to leave it to the model.
  public func give(part: Int, start: Int, duration: Int, pitch: Int, velocity: Int)
    throws(LibrettoError)
  {
    let parts = try requireParts()
    try check(part: part)
    guard velocity >= 0, velocity <= 127 else {
      throw LibrettoError(.argument, "the velocity is \(velocity); expected 0 to 127")
    }
    guard
      parts.give(part: part, start: start, duration: duration, pitch: pitch, velocity: velocity)
    else {
      throw LibrettoError(
        .argument,
        "a note of pitch \(pitch) at tick \(start) for \(duration) ticks cannot be given to part \(part): it is past, out of the part's range, or one too many, or there is no such part"
      )
    }
  }
}

extension PartConstraints {
  /// Throws if a constraint is out of range.
  func validate() throws(LibrettoError) {
    guard lowest >= 0, lowest <= highest, highest <= 127 else {
      throw LibrettoError(
        .argument,
        "the pitches are \(lowest) to \(highest); they must be from 0 to 127, the lower one first")
    }
    guard voices >= 1, voices <= 128 else {
      throw LibrettoError(.argument, "there are \(voices) voices; it must be 1 to 128")
    }
    guard density >= -20, density <= 20 else {
      throw LibrettoError(.argument, "density is \(density); it must be from -20 to 20")
    }
  }
}
