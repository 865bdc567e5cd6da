import Foundation
import GRU
import Testing

@testable import Libretto

/// Checkpoints whose numbers no run can reach, as a damaged disk or a hostile gives them.
struct AlteredCheckpointTests {
  private let text = String(repeating: "to be, or not to be: ", count: 40)

  private func checkpoint() throws -> ModelFile {
    let folder = try Folder()
    let trainer = try Trainer(options)
    try trainer.add(text)
    for _ in 0..<3 { _ = try trainer.step() }
    try trainer.save(checkpoint: folder("c"))
    return ModelFile(try read(folder("c")))
  }

  private var options: TrainingOptions {
    var options = TrainingOptions()
    (options.embedding, options.hidden, options.layers) = (3, 5, 2)
    (options.batch, options.sequence, options.steps, options.threads) = (2, 8, 9, 1)
    return options
  }

  private func resume(_ file: ModelFile) throws -> Trainer {
    let bytes = file.bytes
    let trainer = try bytes.withUnsafeBytes {
      try Trainer(resume: $0, name: "it", TrainingOptions())
    }
    try trainer.add(text)
    return trainer
  }

  @Test func numbersThatNoRunReachesAreRefused() throws {
    let whole = try checkpoint()
    for (tensor, number, words) in [
      ("parameters", Float(1e16), "expected at most"),
      ("parameters", .nan, "not finite"),
      ("first_moment", 1e4, "10 times the root of the second moment"),
      ("second_moment", -1e-9, "at least 0"),
      ("second_moment", .infinity, "not finite"),
      ("state", 1.5, "from -1 to 1"),
    ] {
      refusal(.format, words) {
        _ = try resume(whole.setting("training.\(tensor)", at: 0, to: number))
      }
    }
  }

  /// What lies between the tensors of the one buffer counts for nothing: not in a step, and not in what is
  /// saved next.
  @Test func numbersBetweenTheTensorsAreLeftOut() throws {
    let whole = try checkpoint()
    var altered = whole
    let tensors = ParameterLayout(try resume(whole).model().shape).tensors
    let odd = try #require(tensors.first { $0.count % 16 != 0 })
    for tensor in ["parameters", "first_moment", "second_moment"] {
      altered = altered.setting("training.\(tensor)", at: odd.offset + odd.count, to: 0.5)
    }
    let (a, b) = (try resume(whole), try resume(altered))
    for _ in 0..<2 { #expect(try a.step().loss == b.step().loss) }
    #expect(try a.model().fingerprint == b.model().fingerprint)
  }
}

extension ModelFile {
  /// The same file with another 32-bit float at a place of a tensor.
  func setting(_ tensor: String, at place: Int, to number: Float) -> ModelFile {
    let json = try! JSONSerialization.jsonObject(with: Data(header.utf8)) as! [String: Any]
    let offsets = (json[tensor] as! [String: Any])["data_offsets"] as! [Int]
    var result = self
    for byte in 0..<4 {
      result.data[offsets[0] + 4 * place + byte] = UInt8(
        truncatingIfNeeded: number.bitPattern >> (8 * UInt32(byte)))
    }
    return result
  }
}
