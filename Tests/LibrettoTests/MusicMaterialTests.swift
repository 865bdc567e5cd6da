import Libretto
import Sequences
import Testing

@Suite struct MusicMaterialTests {
  /// All keys of a piano, each `held` quarter notes long, over and over.
  private func clusters(_ count: Int, held: Int) throws -> [UInt8] {
    var builder = try FileBuilder(ticksPerQuarter: 480, tempo: 120, program: 0)
    for _ in 0..<count {
      for pitch in 21...108 {
        try builder.add(MusicEvent(delta: 0, .noteOn, pitch: pitch, velocity: 64))
      }
      for pitch in 21...108 {
        try builder.add(MusicEvent(delta: pitch == 21 ? 480 * held : 0, .noteOff, pitch: pitch))
      }
    }
    return try builder.finish().write()
  }

  private func trainer(_ bytes: [UInt8], _ encoding: String) throws -> Trainer {
    var options = smallOptions()
    options.encoding = encoding
    let trainer = try Trainer(options)
    let path = try folder.file("clusters.mid", bytes)
    try trainer.add(midi: path)
    return trainer
  }

  private let folder: Folder
  init() throws { folder = try Folder() }

  @Test func aSmallFileOfVeryManyTokens() throws {
    let bytes = try clusters(190, held: 64)
    #expect(bytes.count < 300_000)
    let long = try trainer(bytes, "polyphony")
    for _ in 0..<2 {
      refusal(.corpus, "clusters.mid", "4194304", "leave it out") { _ = try long.step() }
    }
    // Where notes are not written step by step it is short.
    try trainer(bytes, "performance").prepare()
    try trainer(try clusters(180, held: 1), "polyphony").prepare()
  }
}
