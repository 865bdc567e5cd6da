import GRU
import Memory
import Platform
import Sequences

@testable import Libretto

// What the fuzz targets share. Each target is one file with a function `LLVMFuzzerTestOneInput`.

/// Stops the fuzzer: what was claimed does not hold.
func claim(_ holds: Bool, _ what: StaticString, line: UInt = #line) {
  if !holds { fatalError("\(what), line \(line)") }
}

/// Runs a body that may refuse its input, with one of the library's errors and a sentence.
func mayRefuse(_ body: () throws -> Void) {
  do { try body() } catch let error as LibrettoError {
    claim(!error.message.isEmpty, "an error says something")
  } catch { claim(false, "errors are LibrettoErrors") }
}

/// The fuzzer's input as a safetensors file.
///
/// What begins with `{` is the header alone, up to a zero byte: its length is put before it, and data
/// after it, as much as its tensors take. Anything else is a file as it is.
func file(_ input: UnsafeRawBufferPointer) -> [UInt8] {
  guard input.first == UInt8(ascii: "{") else { return Array(input) }
  let header = Array(input.prefix { $0 != 0 })
  var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
  var data = Array(input.dropFirst(header.count + 1))
  var wanted = 0
  let text = GrowableBuffer<UInt8>()
  try! text.append(contentsOf: header)
  if let json = try? JSONDocument(text).root {
    for (_, value) in json.members ?? .none {
      for offset in value["data_offsets"]?.array ?? .none {
        wanted = max(wanted, offset.integer ?? 0)
      }
    }
  }
  // Floats of a size that weights have, 0.06 to 1; none below zero, which second moments never are.
  for i in data.count..<max(data.count, min(wanted, 1 << 18)) {
    let float = 0x3D80_0000 + (UInt32(truncatingIfNeeded: i / 4) &* 0x9E37_79B9) >> 7
    data.append(UInt8(truncatingIfNeeded: float >> UInt32(8 * (i % 4))))
  }
  bytes += data
  return bytes
}

/// A model that is always the same.
func makeModel() -> Model {
  let encoding = try! CharactersEncoding(alphabet: ["é", "日", "🎵"])
  let shape = NetworkShape(vocabulary: encoding.vocabularySize, embedding: 3, hidden: 5, layers: 2)
  let parameters = try! FloatBuffer(ParameterLayout(shape).count)
  initialize(parameters, shape, seed: 1)
  return Model(
    network: try! Network(shape, parameters: parameters), encoding: encoding, facts: [:])
}

/// Draws, feeds and asks a session, whatever state it is in.
func exercise(_ session: Session, _ text: UnsafeRawBufferPointer) {
  let vocabulary = session.model.shape.vocabulary
  var distribution = [Float](repeating: 0, count: vocabulary)
  var buffer: [UInt8] = [0, 0, 0, 0]
  for round in 0..<4 {
    session.usesGrammar = round != 2
    mayRefuse {
      let (token, _) = try session.next()
      claim(token >= 0 && token < vocabulary, "a token is one of the vocabulary")
    }
    distribution.withUnsafeMutableBufferPointer { session.logProbabilities($0.baseAddress!) }
    mayRefuse {
      let count = try buffer.withUnsafeMutableBufferPointer {
        try session.nextText($0.baseAddress!)
      }
      claim(count >= 1 && count <= 4, "a character has 1 to 4 bytes")
    }
    mayRefuse { try session.feed(text: UnsafeRawBufferPointer(rebasing: text.prefix(8))) }
  }
}
