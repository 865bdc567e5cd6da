import GRU
import Sequences

@testable import Libretto

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file without a name, that the system gives one.
private let temporary = fileno(tmpfile()!)

/// What the checkpoints of the corpus were trained on.
let material = Array(String(repeating: "la la lé, ", count: 12).utf8)

/// Any bytes are a checkpoint a run can go on from, or an error with a sentence.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = file(UnsafeRawBufferPointer(start: start, count: count))
  guard ftruncate(temporary, 0) == 0, pwrite(temporary, bytes, bytes.count, 0) == bytes.count else {
    return 0
  }
  let path = "/proc/self/fd/\(temporary)"
  mayRefuse {
    let checkpoint = try Checkpoint(path)
    let plan = checkpoint.plan
    // What is only large is left out: it would be refused or be slow.
    guard plan.batch * plan.sequence <= 4096, plan.threads <= 2, plan.shape.hidden <= 64,
      plan.shape.layers <= 8
    else { return }
    let trainer = try Trainer(resume: path)
    claim(trainer.expectedFiles.count == checkpoint.files.count, "the files are named")
    try material.withUnsafeBytes { (b) throws in try trainer.add(text: b) }
    for _ in 0..<3 {
      let progress = try trainer.step()
      if !progress.end.goesOn { break }
    }
    _ = try trainer.model()
  }
  return 0
}
