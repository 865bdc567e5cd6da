import GRU
import Sequences

@testable import Libretto

private let model = makeModel()

private func bytes(of session: Session) -> [UInt8] {
  var result = [UInt8](repeating: 0, count: session.snapshotSize)
  result.withUnsafeMutableBytes { session.snapshot($0.baseAddress!) }
  return result
}

private func restore(_ session: Session, _ bytes: [UInt8]) throws {
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { buffer.deallocate() }
  buffer.copyBytes(from: bytes)
  try session.restore(UnsafeRawBufferPointer(buffer))
}

/// Any bytes are a snapshot that a session goes on from, or are refused and change nothing.
///
/// The first three bytes choose settings, the rest is laid over a snapshot, behind its magic number
/// and the model's fingerprint.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  guard count >= 3 else { return 0 }
  var settings = SamplerSettings()
  settings.temperature = Float(input[0] % 4) / 2
  settings.topK = Int(input[0] / 4)
  settings.topP = Float(input[1] % 16 + 1) / 16
  settings.minP = Float(input[1] / 16) / 15
  settings.repetitionPenalty = 0.5 + Float(input[2] % 8) / 4
  settings.repetitionWindow = Int(input[2] / 8) * 8
  mayRefuse {
    let session = try Session(model, seed: 1, settings: settings)
    try [0x41, 0xF0, 257].withUnsafeBufferPointer { try session.feed($0) }
    let before = bytes(of: session)
    var changed = before
    for (i, byte) in input.dropFirst(3).enumerated() where 16 + i < changed.count {
      changed[16 + i] = byte
    }
    do { try restore(session, changed) } catch {
      claim(bytes(of: session) == before, "what is refused changes nothing")
    }
    // The last bytes are room for other encodings' grammars.
    if bytes(of: session) != before {
      claim(bytes(of: session).dropLast(13) == changed.dropLast(13), "a snapshot comes back whole")
    }
    exercise(session, input)
    try restore(session, bytes(of: session))
    do {
      try restore(session, Array(input))
      claim(false, "bytes without a head are no snapshot")
    } catch {}
  }
  return 0
}
