import Memory

/// Where in the source the target of a pair is, and what stands there: side inputs that spare the network to remember the
/// source letter by letter. After N tokens of the target they tell the tokens of the source around the Nth: two before it,
/// it, and three after it. So they help where source and target go along with each other, as in transliteration, spelling
/// and pronunciation.
///
/// A pair is a document: the source up to the first tab, then the target. None of its calls allocates after `init`.
public final class SourceWindow {
  /// Tokens of a source that are kept; what comes after them is told nowhere.
  static let longest = 1024
  private static let before = 2
  private static let width = 6

  /// The side inputs, for a vocabulary of so many tokens: value T + 1 for token T, 0 for none.
  public static func sideInputs(vocabulary: Int) -> [SideInput] {
    (0..<width).map { SideInput(name: "source_\($0)", count: vocabulary + 1) }
  }

  private let end: Int32
  private let source: GrowableBuffer<Int32>
  /// Tokens of the target so far; -1 in the source.
  private var place = -1

  /// - `encoding`: one of documents of text.
  public init(_ encoding: any Encoding) throws(OutOfMemory) {
    end = encoding.endToken ?? -1
    source = try GrowableBuffer(capacity: Self.longest)
  }

  /// Before the first token of a document.
  public func reset() {
    source.truncate(to: 0)
    place = -1
  }

  public func advance(_ token: Int32) {
    if token == end {
      reset()
    } else if place >= 0 {
      place += 1
    } else if token == 0x09 {
      place = 0
    } else if source.count < Self.longest {
      source.appendReserved(token)
    }
  }

  /// Writes the values of the side inputs.
  public func write(into values: UnsafeMutablePointer<Int32>) {
    for i in 0..<Self.width {
      let at = place - Self.before + i
      values[i] = place >= 0 && at >= 0 && at < source.count ? source[at] + 1 : 0
    }
  }

  // MARK: - Snapshots

  public var stateSize: Int { 16 + 2 * Self.longest }

  public func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(bitPattern: Int64(place)))
    bytes.setWord(1, UInt64(source.count))
    for i in 0..<Self.longest {
      let token = i < source.count ? UInt16(truncatingIfNeeded: source[i]) : 0
      bytes.storeBytes(of: token.littleEndian, toByteOffset: 16 + 2 * i, as: UInt16.self)
    }
  }

  /// Gives false, and changes nothing, if the bytes cannot be a state.
  public func restore(from bytes: UnsafeRawPointer, vocabulary: Int) -> Bool {
    let place = Int64(bitPattern: bytes.word(0))
    let count = bytes.word(1)
    func token(_ i: Int) -> Int32 {
      Int32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 16 + 2 * i, as: UInt16.self)))
    }
    guard place >= -1, place <= 1 << 48, count <= Self.longest else { return false }
    for i in 0..<Int(count) where token(i) >= vocabulary { return false }
    self.place = Int(place)
    source.truncate(to: 0)
    for i in 0..<Int(count) { source.appendReserved(token(i)) }
    return true
  }
}
