import Foundation
import Kernels
import Sequences
import Testing

@testable import Libretto

/// Files of commit b2294af (`Tests/fixtures/b2294af`) give what that commit made of them: the same tokens, the same
/// log-probabilities, and the same weights at the end of a resumed run.
@Suite struct OlderFilesTests {
  private struct Expected: Decodable {
    let likeliest, sampled, material: [Int32]
    let likeliestLogProbabilities, sampledLogProbabilities, scores: [Double]
  }

  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../fixtures/b2294af").standardizedFileURL.path
  private static let names = [
    "bytes", "characters", "melody", "polyphony", "drums", "performance", "melody_bfloat16",
    "melody_int8", "bytes_int8",
  ]
  private static let tunes = [
    "clementine", "frere_jacques", "kesh_jig", "ode_to_joy", "oh_susanna", "sakura",
  ]

  /// What was recorded for this processor's instruction set; for another architecture, its baseline.
  private static func recorded(_ key: String) throws -> Data {
    let file = try JSONSerialization.jsonObject(
      with: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/expected.json")))
    let sets = try #require(file as? [String: [String: Any]])
    let set = try #require(sets[InstructionSet.current.shortName])
    return try JSONSerialization.data(withJSONObject: try #require(set[key]))
  }

  private static func expected(_ name: String) throws -> Expected {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Expected.self, from: try recorded(name))
  }

  private static func path(_ name: String) -> String { "\(folder)/\(name).safetensors" }

  private func expectClose(
    _ found: [Double], _ expected: [Double], _ location: SourceLocation = #_sourceLocation
  ) {
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(
      found.count == expected.count && worst < 1e-5, "differs by \(worst)",
      sourceLocation: location)
  }

  private func expectDrawn(
    _ model: Model, _ temperature: Float, _ tokens: [Int32], _ logProbabilities: [Double]
  ) throws {
    var settings = SamplerSettings()
    settings.temperature = temperature
    let session = try Session(model, seed: 7, settings: settings)
    session.usesGrammar = temperature > 0
    var drawn: [(token: Int32, logProbability: Float)] = []
    for _ in tokens { drawn.append(try session.next()) }
    #expect(drawn.map(\.token) == tokens)
    expectClose(drawn.map { Double($0.logProbability) }, logProbabilities)
  }

  @Test(arguments: names) func modelsGiveTheSame(_ name: String) throws {
    let expected = try Self.expected(name)
    let model = try Model(path: Self.path(name))
    try expectDrawn(model, 0, expected.likeliest, expected.likeliestLogProbabilities)
    try expectDrawn(model, 1, expected.sampled, expected.sampledLogProbabilities)

    var scores = [0.0]
    try expected.material.withUnsafeBufferPointer { try model.score($0) { scores.append($2) } }
    expectClose(scores, expected.scores)
  }

  /// What an encoding makes of a file does not change either.
  @Test(arguments: names) func materialBecomesTheSameTokens(_ name: String) throws {
    let expected = try Self.expected(name).material
    let model = try Model(path: Self.path(name))
    var tokens: [Int32] = []
    if model.isText {
      let bytes = try read("\(Self.folder)/material/text.md")
      let encoding = try model.textEncoding()
      bytes.withUnsafeBytes { encoding.encode($0) { tokens.append($0) } }
    } else {
      let piece = ["drums": "drums_1", "performance": "performance_1"][name] ?? "clementine"
      let bytes = try read("\(Self.folder)/material/\(piece).mid")
      let file = try bytes.withUnsafeBytes { try readMIDI($0, name: piece) }
      tokens = try model.encode(file, name: piece)
    }
    #expect(Array(tokens.prefix(expected.count)) == expected)
  }

  private static let fingerprints: [String: UInt64] = [
    "bytes": 0x701DB015F040A4F1,
    "bytes_int8": 0xB0C6D747B9F0CE38,
    "characters": 0xB9FEC0B159945A21,
    "drums": 0x251AA5B654519AE9,
    "melody": 0x7F44012F8577913A,
    "melody_bfloat16": 0xC7C7A9425F5C6ED9,
    "melody_int8": 0x82A918536C88D2BC,
    "performance": 0x85A7F4F7B7B21792,
    "polyphony": 0xC6356A6F4CA5B9D1,
  ]

  /// Snapshots of sessions keep them.
  @Test(arguments: names) func fingerprintsAreTheSame(_ name: String) throws {
    #expect(try Model(path: Self.path(name)).fingerprint == Self.fingerprints[name])
  }

  /// A file that is loaded and saved keeps its header's sizes and every byte of its data.
  @Test(arguments: names) func savingWritesTheSameData(_ name: String) throws {
    let folder = try Folder()
    try Model(path: Self.path(name)).save(folder("again"))
    let (before, after) = (
      ModelFile(try read(Self.path(name))), ModelFile(try read(folder("again")))
    )
    #expect(before.data == after.data)
  }

  @Test(arguments: ["text", "music"]) func checkpointsEndTheSame(_ name: String) throws {
    let trainer = try Trainer(resume: Self.path(name + ".checkpoint"))
    if name == "text" {
      try trainer.add(file: "\(Self.folder)/material/text.md")
    } else {
      for tune in Self.tunes { try trainer.add(midi: "\(Self.folder)/material/\(tune).mid") }
    }
    let folder = try Folder()
    _ = try trainer.run()
    try trainer.save(checkpoint: folder("end"))

    let (found, expected) = (
      try weights(folder("end")), try weights(Self.path(name + ".end"))
    )
    for (tensor, numbers) in expected {
      let ours = try #require(found[tensor])
      let worst = zip(ours, numbers).map { abs($0 - $1) }.max() ?? .infinity
      #expect(ours.count == numbers.count && worst < 1e-4, "\(tensor) differs by \(worst)")
    }
    #if arch(x86_64)
      let hashes = try JSONDecoder().decode(
        [String: String].self, from: try Self.recorded("weights"))
      #expect(hash(try #require(found["training.parameters"])) == hashes[name])
    #endif
  }

  /// The best weights of a checkpoint, and what the run ends with.
  private func weights(_ path: String) throws -> [String: [Float]] {
    let file = ModelFile(try read(path))
    var result: [String: [Float]] = [:]
    for (name, tensor) in try JSON.parse(file.header).members ?? []
    where tensor["dtype"]?.string == "F32" {
      let offsets = tensor["data_offsets"]!.array!.map { $0.integer! }
      let bytes = Array(file.data[offsets[0]..<offsets[1]])
      result[name] = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }
    return result
  }

  /// FNV-1a of the bytes, as `make.sh` has it.
  private func hash(_ numbers: [Float]) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    numbers.withUnsafeBytes {
      for byte in $0 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
}
