import Memory
import Sequences

/// The side values of a session of music: from its constraints, the place the music has reached and the
/// notes so far, which tell the key where no constraint does. None of its calls allocates.
final class SideValues {
  private let places: GrowableBuffer<Int>
  private let all, values: GrowableBuffer<Int32>
  /// How long each pitch class has sounded in the present piece.
  private(set) var heard = PitchClassTimes()
  /// A shorter time tells nothing of the key: two bars of one voice, on four steps to a quarter note.
  private static let leastHeard: Int64 = 32

  init(_ sides: Sides, _ encoding: any Encoding) throws(OutOfMemory) {
    let inputs = encoding.sideInputs
    places = try GrowableBuffer(capacity: sides.inputs.count)
    for input in sides.inputs { places.appendReserved(inputs.firstIndex(of: input) ?? 0) }
    all = try GrowableBuffer(repeating: 0, count: inputs.count)
    values = try GrowableBuffer(repeating: 0, count: sides.inputs.count)
  }

  func reset() { heard = PitchClassTimes() }

  /// Takes note of a token, fed or drawn.
  func follow(_ token: Int32, _ encoding: any MusicEncoding) {
    if token == encoding.startToken || token == encoding.endToken { reset() }
    if let pitch = encoding.pitch(of: token) { heard.add(pitch: pitch) }
  }

  /// The values in the order of the network's side inputs.
  func write(_ grammar: any MusicGrammar, _ encoding: any MusicEncoding) -> UnsafePointer<Int32> {
    let constraints = grammar.constraints
    var facts = SideFacts()
    facts.bars = Int32(clamping: constraints.bars)
    facts.key = constraints.key
    if facts.key == 0 && heard.total >= Self.leastHeard { facts.key = heard.key }
    let all = all.base.unsafelyUnwrapped
    encoding.writeSides(bars: grammar.bars, facts, into: all)
    let values = values.base.unsafelyUnwrapped
    for i in 0..<places.count { values[i] = all[places[i]] }
    return UnsafePointer(values)
  }

  // MARK: - Snapshots

  static let stateSize = 8 * 12

  func save(to bytes: UnsafeMutableRawPointer) {
    for i in 0..<12 { bytes.setWord(i, UInt64(bitPattern: heard.times[i])) }
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    var heard = PitchClassTimes()
    for i in 0..<12 {
      guard bytes.word(i) < 1 << 48 else { return false }
      heard.times[i] = Int64(bytes.word(i))
    }
    self.heard = heard
    return true
  }
}
