@testable import Libretto
@testable import Sequences

private func tokens(_ encoding: any TextEncoding, _ bytes: UnsafeRawBufferPointer) -> [Int32] {
  var result: [Int32] = []
  encoding.encode(bytes) { result.append($0) }
  return result
}

private func decode(_ encoding: any TextEncoding, _ tokens: some Sequence<Int32>) -> [UInt8] {
  tokens.flatMap { token in
    (0..<encoding.byteCount(of: token)).map { encoding.byte($0, of: token) }
  }
}

/// Some characters of a text; now and then by the counter, which takes its time.
private func alphabet(_ text: UnsafeRawBufferPointer, _ choice: Int) -> [Unicode.Scalar] {
  if choice % 32 == 0 {
    let counter = CharacterCounter()!
    counter.count(text)
    return try! counter.alphabet(cap: choice % 5).withElements { scalars in
      scalars.map { Unicode.Scalar($0)! }
    }
  }
  let scalars = Set(
    String(decoding: text, as: UTF8.self).unicodeScalars.filter { $0.value >= 0x80 })
  return Array(scalars.sorted().prefix(choice % 5))
}

/// Any bytes become tokens and come back, and the grammar follows them wherever they lead.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  let characters = try! CharactersEncoding(
    alphabet: alphabet(UnsafeRawBufferPointer(rebasing: input.prefix(count / 2)), count))
  let documents = BytesEncoding(documents: true)
  for encoding in [BytesEncoding(), characters, documents] as [any TextEncoding] {
    let tokens = tokens(encoding, input)
    claim(decode(encoding, tokens) == Array(input), "tokens are the text again")
    claim(
      tokens.allSatisfy { $0 >= 0 && $0 < encoding.vocabularySize }, "tokens are of the vocabulary")
    let again = try! Encodings.make(name: encoding.name, properties: encoding.properties)
    claim(again.vocabularySize == encoding.vocabularySize, "properties build the encoding again")
    follow(encoding, tokens)
  }
  examine(input)
  if count > 0 {
    let found = UTF8Text.scalar(start!, count)
    let valid = String(validating: input.prefix(found?.length ?? 1), as: UTF8.self)
    claim((found != nil) == (valid != nil), "a character is what Swift takes for one")
  }
  return 0
}

/// Whatever the bytes are, they are told, and what is converted is UTF-8.
private func examine(_ input: UnsafeRawBufferPointer) {
  let found = TextExamination(input)
  claim(found.badCount <= input.count && found.markLength <= input.count, "counts are of the bytes")
  claim(found.firstBad.map { input.indices.contains($0) } ?? true, "the first bad byte is one")
  for kind in [TextKind.utf8, .latin1, .cp1252, .utf16LittleEndian, .utf16BigEndian] {
    var text: [UInt8] = []
    do throws(TextConversionError) {
      try kind.convert(input) { packed, count in
        for i in 0..<count { text.append(UInt8(truncatingIfNeeded: packed >> UInt32(8 * i))) }
      }
      claim(String(validating: text, as: UTF8.self) != nil, "what is converted is UTF-8")
    } catch {
      claim(input.indices.contains(error.byte), "an error names a byte")
    }
    if kind == .utf8 {
      claim(
        (text.count + kind.markLength(input) == input.count)
          == (String(validating: input, as: UTF8.self) != nil), "UTF-8 is what Swift takes for it")
    }
  }
}

/// What a grammar allows, as logits of 0; minus infinity where it does not.
private func forbid(_ grammar: any Grammar, _ logits: inout [Float]) {
  for i in logits.indices { logits[i] = 0 }
  logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
}

/// Goes through the tokens as far as the grammar lets it, and finishes what was begun.
private func follow(_ encoding: any TextEncoding, _ tokens: [Int32]) {
  let grammar = try! encoding.makeGrammar()
  var logits = [Float](repeating: 0, count: encoding.vocabularySize)
  var written: [Int32] = []
  var state = [UInt8](repeating: 0, count: type(of: grammar).stateSize)
  for token in tokens.prefix(400) + [Int32](repeating: 0x80, count: 3) {
    forbid(grammar, &logits)
    guard let first = logits.firstIndex(of: 0) else { return claim(false, "some token can follow") }
    let next = logits[Int(token)] == 0 ? token : Int32(first)
    grammar.advance(next)
    written.append(next)
    state.withUnsafeMutableBytes { grammar.save(to: $0.baseAddress!) }
    claim(state.withUnsafeBytes { grammar.restore(from: $0.baseAddress!) }, "states come back")
  }
  while !grammar.isComplete {
    forbid(grammar, &logits)
    let next = Int32(logits.firstIndex(of: 0)!)
    grammar.advance(next)
    written.append(next)
    claim(written.count < 410, "a character can be finished")
  }
  claim(
    String(validating: decode(encoding, written), as: UTF8.self) != nil, "what is written is UTF-8")
  // Fed without asking, it still allows something.
  for token in tokens.prefix(400) { grammar.advance(token) }
  forbid(grammar, &logits)
  claim(logits.contains { $0 > -.infinity }, "some token can follow anything")
}
