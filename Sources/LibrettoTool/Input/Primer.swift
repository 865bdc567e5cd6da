import Libretto
import Sequences

/// Music to go on from: as the model reads it, and how it is played, which what follows keeps.
struct Primer {
  /// From the start token on; the end token is left out, since the music goes on.
  let tokens: [Int32]
  let character: MIDICharacter
  let keySignature: MIDIKeySignature?
  private var velocities: [Place: Int] = [:]

  private struct Place: Hashable {
    let step, pitch: Int
  }

  init(_ path: String, _ model: Model, _ encoding: any MusicEncoding) throws {
    let file = try readMIDI(path)
    tokens = try orFail { () throws(LibrettoError) in
      try model.encode(file, name: path).dropLast()
    }
    let notes = encoding.select(file)
    character = try MIDICharacter(file, notes: notes)
    keySignature = file.keySignatures.first
    guard encoding.hasBars else { return }
    let (steps, ticks) = (encoding.stepsPerQuarter, file.ticksPerQuarter)
    for note in notes {
      guard let pitch = encoding.written(note.pitch) else { continue }
      let step = (note.start * steps + ticks / 2) / ticks
      velocities[Place(step: step, pitch: pitch)] = note.velocity
    }
    let share = encoding.offGrid(file)
    guard share > 0.05 else { return }
    printError(
      "\(path): \(fixed(100 * share, 0)) % of its notes do not start on this model's grid of \(steps) steps per quarter note, and are moved to the nearest step"
        + (encoding.fittingSteps(file).map {
          "; a model trained with --steps-per-quarter \($0) keeps them"
        } ?? ""))
  }

  /// The velocity of a note of the primer, and of one that follows it.
  func velocity(step: Int, pitch: Int) -> Int {
    velocities[Place(step: step, pitch: pitch)] ?? max(1, character.velocity)
  }
}
