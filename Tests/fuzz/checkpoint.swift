import GRU
import Sequences

@testable import Libretto

/// What the checkpoints of the corpus were trained on.
let material = Array(String(repeating: "la la lé, ", count: 12).utf8)

/// Any bytes are a checkpoint a run can go on from, or an error with a sentence. The run steps, measures,
/// ends early or diverges as the bytes say, and what it saves then is a checkpoint of that state.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = file(UnsafeRawBufferPointer(start: start, count: count))
  mayRefuse {
    try bytes.withUnsafeBytes { bytes in
      let checkpoint = try Checkpoint(MemorySource(bytes: bytes), name: "it")
      let plan = checkpoint.plan
      // What is only large is left out: it would be refused or be slow.
      guard plan.batch * plan.sequence <= 4096, plan.threads <= 2, plan.shape.hidden <= 64,
        plan.shape.layers <= 8
      else { return }
      let trainer = try Trainer(resume: bytes, name: "it", TrainingOptions())
      claim(
        trainer.expectedFiles.count == checkpoint.state.files.files.count, "the files are named")
      try material.withUnsafeBytes { (b) throws in try trainer.add(text: b) }
      for _ in 0..<3 {
        do {
          if try !trainer.step().end.goesOn { break }
        } catch let error as LibrettoError where error.kind == .diverged { break }
      }
      try saveAndResume(trainer)
    }
  }
  return 0
}

private func saveAndResume(_ trainer: Trainer) throws {
  let image = try trainer.checkpointImage()
  var saved = [UInt8](repeating: 0, count: image.size)
  try saved.withUnsafeMutableBytes { try image.write(to: $0) }
  try saved.withUnsafeBytes { bytes in
    let again = try Trainer(resume: bytes, name: "again", TrainingOptions())
    claim(again.progress.end == trainer.progress.end, "a run is saved in its state")
    try material.withUnsafeBytes { (b) throws in try again.add(text: b) }
    try again.prepare()
    claim(again.progress.step == trainer.progress.step, "it goes on where it was")
    let models = (try trainer.model(), try again.model())
    claim(models.0.fingerprint == models.1.fingerprint, "the weights are the same")
  }
}
