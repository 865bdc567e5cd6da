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

  /// A note in each quarter, under a time signature.
  private func piece(_ numerator: Int, _ denominator: Int, held: Int = 240, channel: Int = 0)
    throws -> [UInt8]
  {
    var builder = try FileBuilder(ticksPerQuarter: 480, tempo: 120, program: 0)
    try builder.add(MusicEvent(delta: 0, .timeSignature, pitch: numerator, velocity: denominator))
    for i in 0..<64 {
      try builder.add(
        MusicEvent(
          delta: i > 0 ? 960 - held : 0, .noteOn, channel: channel, pitch: 36 + i % 12,
          velocity: 64))
      try builder.add(MusicEvent(delta: held, .noteOff, channel: channel, pitch: 36 + i % 12))
    }
    return try builder.finish().write()
  }

  @Test func aFileWithoutNotesIsAnErrorOfItsOwnKind() throws {
    let trainer = try Trainer(smallOptions())
    let empty = try FileBuilder(ticksPerQuarter: 480, tempo: 120, program: 0).finish().write()
    let path = try folder.file("empty.mid", empty)
    refusal(.empty, "empty.mid") { try trainer.add(midi: path) }
    // What the trainer cannot take is another kind, whatever the file.
    var options = smallOptions()
    options.encoding = "characters"
    let text = try Trainer(options)
    refusal(.corpus) { try text.add(midi: path) }
  }

  @Test func modelsKnowTheTimeSignaturesOfTheirMaterial() throws {
    var options = smallOptions()
    options.encoding = "melody"
    let trainer = try Trainer(options)
    for (i, bytes) in try [
      piece(4, 4), piece(11, 8), piece(9, 4), piece(1, 4, held: 900), piece(4, 4, channel: 9),
    ].enumerated() {
      try trainer.add(midi: try folder.file("\(i).mid", bytes))
    }
    try trainer.prepare()
    #expect(
      Set(trainer.remarks.map { "\($0.kind) \($0.timeSignature)" }) == [
        "unknownTimeSignature 9/4", "doubtedTimeSignature 1/4", "nothingToLearn ",
      ])
    for remark in trainer.remarks { #expect(remark.message.hasPrefix(remark.file)) }
    let model = try trainer.model()
    #expect(model.encoding.properties["time_signatures"] == "4/4 11/8")
    let path = folder.path + "/model"
    try model.save(path)
    let loaded = try Model(path: path)
    let session = try Session(loaded, seed: 3)
    for _ in 0..<300 {
      let event = try session.nextEvent()
      if event.kind == .timeSignature { #expect([4, 11].contains(event.pitch)) }
    }
    var constraints = MusicConstraints()
    (constraints.numerator, constraints.denominator) = (9, 4)
    refusal(.unsupported, "9/4", "11/8") { try session.set(constraints) }
    #expect(session.constraints == MusicConstraints())
  }
}
