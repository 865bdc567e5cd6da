import Sequences

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The texts a host gave, before and after they became tokens. Files are mapped, not loaded, and
/// let go of once they are tokens.
struct TextMaterial {
  /// A stretch of bytes and what keeps them alive.
  private struct Piece {
    let bytes: UnsafeRawBufferPointer
    let owner: AnyObject
  }

  private final class Copy {
    let memory: UnsafeMutableRawBufferPointer
    init(_ bytes: UnsafeRawBufferPointer) throws(LibrettoError) {
      guard let base = malloc(max(bytes.count, 1)) else {
        throw LibrettoError(.memory, "there is no memory to keep \(bytes.count) bytes of text")
      }
      memory = UnsafeMutableRawBufferPointer(start: base, count: bytes.count)
      memory.copyMemory(from: bytes)
    }
    deinit { free(memory.baseAddress) }
  }

  private var training: [Piece] = []
  private var validation: [Piece] = []
  /// The files, in the order they came, for a checkpoint to name.
  private(set) var files: [(path: String, validation: Bool)] = []

  mutating func add(file path: String, validation held: Bool) throws(LibrettoError) {
    let file = try MappedFile(path)
    add(Piece(bytes: file.bytes, owner: file), held)
    files.append((path, held))
  }

  mutating func add(text: UnsafeRawBufferPointer, validation held: Bool) throws(LibrettoError) {
    let copy = try Copy(text)
    add(Piece(bytes: UnsafeRawBufferPointer(copy.memory), owner: copy), held)
  }

  private mutating func add(_ piece: Piece, _ held: Bool) {
    if held { validation.append(piece) } else { training.append(piece) }
  }

  /// Moves the last part of the training material, by bytes, to the validation material.
  private mutating func holdOut(_ fraction: Double) {
    let total = training.reduce(0) { $0 + $1.bytes.count }
    var wanted = Int(Double(total) * fraction)
    var held: [Piece] = []
    while wanted > 0, let last = training.popLast() {
      if last.bytes.count <= wanted {
        held.insert(last, at: 0)
        wanted -= last.bytes.count
      } else {
        var cut = last.bytes.count - wanted
        // Not in the middle of a character.
        while cut < last.bytes.count && last.bytes[cut] & 0xC0 == 0x80 { cut += 1 }
        let slice = { UnsafeRawBufferPointer(rebasing: last.bytes[$0]) }
        training.append(Piece(bytes: slice(0..<cut), owner: last.owner))
        held.insert(Piece(bytes: slice(cut..<last.bytes.count), owner: last.owner), at: 0)
        wanted = 0
      }
    }
    validation = held + validation
  }

  /// Makes tokens of everything.
  ///
  /// - `encoding`: nil to build one by `name` from the training part.
  /// - `fraction`: how much to hold out if there is no validation material.
  mutating func tokenize(_ encoding: (any TextEncoding)?, name: String, fraction: Double)
    throws(LibrettoError) -> Corpus
  {
    if validation.isEmpty { holdOut(fraction) }
    let encoding = if let encoding { encoding } else { try makeEncoding(name) }
    var characters = 0
    let train = try store(training, encoding, &characters)
    var held = 0
    let valid = try store(validation, encoding, &held)
    guard train.count >= 2 else {
      throw LibrettoError(
        .corpus,
        "the training material has \(train.count) tokens; at least 2 are needed, and some thousands to learn from"
      )
    }
    return Corpus(
      encoding: encoding, training: Corpus.Part(tokens: train, pieces: nil),
      validation: Corpus.Part(tokens: valid, pieces: nil),
      tokensPerCharacter: Double(train.count) / Double(max(characters, 1)))
  }

  private func makeEncoding(_ name: String) throws(LibrettoError) -> any TextEncoding {
    guard name == CharactersEncoding.name else {
      guard name == BytesEncoding.name else { throw LibrettoError(EncodingError.unknown(name)) }
      return BytesEncoding()
    }
    guard let counter = CharacterCounter() else {
      throw LibrettoError(.memory, "there is no memory to count the corpus' characters")
    }
    for piece in training { counter.count(piece.bytes) }
    do throws(EncodingError) {
      return try CharactersEncoding(alphabet: counter.alphabet())
    } catch { throw LibrettoError(error) }
  }

  private func store(_ pieces: [Piece], _ encoding: any TextEncoding, _ characters: inout Int)
    throws(LibrettoError) -> TokenStore
  {
    var count = 0
    for piece in pieces { encoding.encode(piece.bytes) { _ in count += 1 } }
    let store = try TokenStore(capacity: count)
    for piece in pieces {
      encoding.encode(piece.bytes) { token in
        store.append(token)
        characters += encoding.characters(in: token)
      }
    }
    return store
  }
}
