import Foundation
import Sequences
import Testing

@testable import Libretto

/// Many passages at a time are measured as each by itself, up to rounding.
@Suite struct PassageEvaluatorTests {
  private func check(_ model: Model, _ files: [[UInt8]], memory: Bool = true) throws {
    let evaluator = try PassageEvaluator(model, memory: memory)
    var alone = Evaluation()
    for file in files {
      try file.withUnsafeBytes { bytes in
        evaluator.add(try model.passage(bytes, name: "a file"))
        alone +=
          model.isText
          ? try model.evaluate(text: bytes, memory: memory)
          : try model.evaluate(midi: bytes, name: "a file", memory: memory)
      }
    }
    evaluator.finish()
    let together = evaluator.evaluation
    #expect(together.tokens == alone.tokens && together.characters == alone.characters)
    #expect(together.steps == alone.steps && together.tokens > 0)
    #expect(abs(together.nats - alone.nats) < 1e-5 * Double(alone.tokens))
  }

  /// Of every length: none, one token, less than a call reads, exactly as much, and several calls' worth.
  private var texts: [[UInt8]] {
    let long = Array(ditties(40).utf8)
    return [0, 1, 2, 63, 64, 65, 66, 128, 129, 700, 5, 0, 900, 300].map { Array(long.prefix($0)) }
  }

  @Test(arguments: [true, false]) func texts(memory: Bool) throws {
    var options = smallOptions { $0.steps = 60 }
    options.memory = true
    let trainer = try Trainer(options)
    try trainer.add(ditties(60))
    _ = try trainer.run()
    let model = try trainer.model()
    #expect(model.hasMemory)
    try check(model, texts + texts, memory: memory)
  }

  @Test func documents() throws {
    let trainer = try Trainer(
      smallOptions {
        $0.steps = 20
        $0.documents = true
      })
    for _ in 0..<20 { try trainer.add(ditties(2)) }
    _ = try trainer.run()
    try check(try trainer.model(), texts)
  }

  @Test(arguments: [true, false]) func music(memory: Bool) throws {
    let tunes = URL(filePath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../examples/tunes").standardizedFileURL
    let files = try FileManager.default.contentsOfDirectory(
      at: tunes, includingPropertiesForKeys: nil
    )
    .filter { $0.pathExtension == "mid" }.sorted { $0.path < $1.path }.prefix(24)
    .map { [UInt8](try Data(contentsOf: $0)) }
    let trainer = try Trainer(
      smallOptions {
        $0.steps = 20
        $0.encoding = "melody"
      })
    for file in files.prefix(4) { try file.withUnsafeBytes { try trainer.add(midi: $0) } }
    _ = try trainer.run()
    try check(try trainer.model(), files, memory: memory)
  }
}
