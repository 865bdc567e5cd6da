import Memory

/// Where in the source the target of a pair is, and what stands there: side inputs that spare the network to remember the
/// source letter by letter. They tell the tokens of the source around the one that comes next: so they help where source
/// and target go along with each other, as in transliteration, spelling and pronunciation. Which one comes next the
/// alignment says, from the target so far; in models of earlier versions, which have none, it is the Nth after N tokens
/// of the target.
///
/// A pair is a document: the source up to the first tab, then the target. None of its calls allocates after `init`.
public final class SourceWindow {
  /// Tokens of a source that are kept; what comes after them is told nowhere.
  static let longest = 1024
  /// The token between the source and the target: in all encodings of text, the byte of that number.
  public static let tab: Int32 = 0x09
  /// What is told of the source: tokens before the one that comes next, and all.
  private static func extent(isAligned: Bool) -> (before: Int, width: Int) {
    isAligned ? (3, 8) : (2, 6)
  }

  /// The side inputs, for a vocabulary of so many tokens: value T + 1 for token T, 0 for none.
  public static func sideInputs(vocabulary: Int, isAligned: Bool) -> [SideInput] {
    (0..<extent(isAligned: isAligned).width).map {
      SideInput(name: "\(isAligned ? "aligned" : "source")_\($0)", count: vocabulary + 1)
    }
  }

  private let end: Int32
  private let source: GrowableBuffer<Int32>
  private let alignment: PairAlignment?
  /// See `PairAlignment.advance`; empty without one.
  private let weights: GrowableBuffer<Float>
  private let before, width: Int
  /// Tokens of the target so far; -1 in the source.
  private var place = -1
  /// The place of the source that comes next, if there is an alignment.
  private var next = 0

  /// - `encoding`: one of documents of text.
  public init(_ encoding: any Encoding, _ alignment: PairAlignment?) throws(OutOfMemory) {
    end = encoding.endToken ?? -1
    self.alignment = alignment
    (before, width) = Self.extent(isAligned: alignment != nil)
    source = try GrowableBuffer(capacity: Self.longest)
    weights = try GrowableBuffer(repeating: 0, count: alignment == nil ? 0 : Self.longest)
  }

  /// Before the first token of a document.
  public func reset() {
    source.truncate(to: 0)
    (place, next) = (-1, 0)
  }

  public func advance(_ token: Int32) {
    if token == end {
      reset()
    } else if place >= 0 {
      if let alignment, let source = source.base, let weights = weights.base {
        next =
          1
          + alignment.advance(
            weights, source, count: self.source.count, token: token, isFirst: place == 0)
      }
      place += 1
    } else if token == Self.tab {
      place = 0
    } else if source.count < Self.longest {
      source.appendReserved(token)
    }
  }

  /// Writes the values of the side inputs.
  public func write(into values: UnsafeMutablePointer<Int32>) {
    let center = alignment == nil ? place : next
    for i in 0..<width {
      let at = center - before + i
      values[i] = place >= 0 && at >= 0 && at < source.count ? source[at] + 1 : 0
    }
  }

  // MARK: - Snapshots

  public var stateSize: Int { weightsStart + (alignment == nil ? 0 : 8 + 4 * Self.longest) }
  private var weightsStart: Int { 16 + 2 * Self.longest }

  public func save(to bytes: UnsafeMutableRawPointer) {
    bytes.setWord(0, UInt64(bitPattern: Int64(place)))
    bytes.setWord(1, UInt64(source.count))
    for i in 0..<Self.longest {
      let token = i < source.count ? UInt16(truncatingIfNeeded: source[i]) : 0
      bytes.storeBytes(of: token.littleEndian, toByteOffset: 16 + 2 * i, as: UInt16.self)
    }
    guard alignment != nil else { return }
    (bytes + weightsStart).setWord(0, UInt64(next))
    for i in 0..<Self.longest {
      let weight = place > 0 && i < source.count ? weights[i] : 0
      (bytes + weightsStart + 8).setHalfWord(i, weight.bitPattern)
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
    if alignment != nil {
      let saved = bytes + weightsStart
      func weight(_ i: Int) -> Float { Float(bitPattern: (saved + 8).halfWord(i)) }
      guard saved.word(0) <= count else { return false }
      for i in 0..<Self.longest
      where weight(i) != 0 && !(weight(i) >= 1e-30 && weight(i) <= 1) { return false }
      next = Int(saved.word(0))
      for i in 0..<Self.longest { weights[i] = weight(i) }
    }
    self.place = Int(place)
    source.truncate(to: 0)
    for i in 0..<Int(count) { source.appendReserved(token(i)) }
    return true
  }
}
