import GRU
import Sequences

@testable import Libretto

/// Any bytes are a model that works, or an error with a sentence.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  let bytes = file(input)
  mayRefuse {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    let model = try Model(bytes: UnsafeRawBufferPointer(buffer), name: "input")
    claim(
      model.network.layout.count * 4 < 2 * bytes.count + 4096, "it is no larger than its file")
    claim(
      model.encoding.vocabularySize == model.shape.vocabulary, "encoding and network fit each other"
    )
    var settings = SamplerSettings()
    settings.topK = count % 7
    settings.topP = count % 2 == 0 ? 0.9 : 1
    settings.repetitionPenalty = count % 3 == 0 ? 2 : 1
    exercise(try Session(model, seed: UInt64(count), settings: settings), input)
    var scored = 0
    try model.score(text: UnsafeRawBufferPointer(rebasing: input.prefix(300))) { _, token, _ in
      claim(token >= 0 && token < model.shape.vocabulary, "what is scored is a token")
      scored += 1
    }
    claim(scored < 300, "there are no more tokens than bytes")
  }
  return 0
}
