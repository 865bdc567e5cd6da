import Memory
import Platform
import Sequences

/// The side values of a session: of music from its constraints, the place the music has reached and the
/// notes so far, which tell the key where no constraint does; of numbers from those so far; of all from the memory. None of its calls
/// allocates.
final class SideValues {
  private let encoding: any Encoding
  private let music: (any MusicEncoding)?
  /// nil if the network is not told what it expects.
  private let memory: SequenceMemory?
  /// nil if the sequence is not one of numbers.
  let series: SeriesReader?
  /// nil if the network is not told the source of a pair.
  private let window: SourceWindow?
  /// See `Session.memoryStrength`.
  var memoryStrength: Float = 1 {
    didSet { memoryBonus = memoryStrength > 1 ? logf(memoryStrength) : 0 }
  }
  /// Added to the logit of the token that is expected.
  private var memoryBonus: Float = 0
  /// See `Sides.starts`.
  private let starts: (label: Int, window: Int, memory: Int)
  /// See `Session.label`.
  var label: Int32 = 0
  /// How often bars come round in one go in the model's material.
  private let barRounds: Int
  private let places: GrowableBuffer<Int>
  private let all, values: GrowableBuffer<Int32>
  /// How long each pitch class has sounded in the present piece.
  private(set) var heard = PitchClassTimes()
  /// Where the ending is told the logits are multiplied by it. An ending depends on one note: at the temperature of the
  /// notes before it a third of them would miss it.
  private static let endingSharpness: Float = 3
  /// The key these tell, 0 before they tell one, and how much is to be heard before it is looked for again.
  private var key: Int32 = 0
  private var due = interval
  /// A shorter time tells nothing of the key: two bars of one voice, on four steps to a quarter note.
  private static let interval: Int64 = 32

  init(_ sides: Sides, _ encoding: any Encoding, barRounds: Int) throws(OutOfMemory) {
    self.barRounds = barRounds
    self.encoding = encoding
    music = encoding.music
    starts = sides.starts(encoding)
    series = try encoding.series?.makeReader()
    window = sides.haveSource(encoding) ? try SourceWindow(encoding, sides.alignment) : nil
    memory = sides.haveMemory(encoding) ? try SequenceMemory(encoding.memoryReach) : nil
    let inputs = sides.all(encoding)
    places = try sides.places(in: encoding)
    all = try GrowableBuffer(repeating: 0, count: inputs.count)
    values = try GrowableBuffer(repeating: 0, count: sides.inputs.count)
  }

  func reset() {
    heard = PitchClassTimes()
    (key, due) = (0, Self.interval)
    memory?.reset()
    window?.reset()
    series?.begin(SeriesFacts())
  }

  var hasMemory: Bool { memory != nil }

  /// Makes the token that the memory expects likelier, if its strength is above 1, and the one that would take bars
  /// round more often than the model's material does very unlikely: at low temperatures a network may go on so for
  /// ever. Where the ending is told, it makes the likely likelier and the memory has no part.
  ///
  /// - `grammar`: of a session of music.
  func weigh(_ logits: UnsafeMutablePointer<Float>, _ grammar: (any MusicGrammar)?) {
    // Worked out again: constraints and a restored snapshot may have changed it since the network read it.
    if encoding.tellsEnding(ownValues(grammar)) {
      for i in 0..<encoding.vocabularySize { logits[i] *= Self.endingSharpness }
      return
    }
    guard let memory, memoryStrength > 0 else { return }
    if memory.barRounds > barRounds, let followed = memory.followed {
      logits[Int(followed)] -= 30
    } else if memoryBonus > 0, let expected = memory.expected {
      logits[Int(expected)] += memoryBonus
    }
  }

  /// Takes note of a token, fed or drawn.
  func follow(_ token: Int32) {
    if encoding.beginsPiece(token) { reset() }
    memory?.advance(token, beginsBar: encoding.beginsBar(token))
    window?.advance(token)
    series?.advance(token)
    guard let pitch = music?.pitch(of: token) else { return }
    heard.add(pitch: pitch)
    due -= 1
    if due == 0 { (key, due) = (heard.key(before: key), Self.interval) }
  }

  /// The values in the order of the network's side inputs.
  ///
  /// - `grammar`: of a session of music.
  func write(_ grammar: (any MusicGrammar)?) -> UnsafePointer<Int32> {
    let all = ownValues(grammar)
    if starts.label < starts.window { all[starts.label] = label }
    window?.write(into: all + starts.window)
    memory?.write(
      into: all + starts.memory, strength: encoding.tellsEnding(all) ? 0 : memoryStrength)
    let values = values.base.unsafelyUnwrapped
    for i in 0..<places.count { values[i] = all[places[i]] }
    return UnsafePointer(values)
  }

  /// The values of all of the encoding's side inputs, those of its own as they are now.
  private func ownValues(_ grammar: (any MusicGrammar)?) -> UnsafeMutablePointer<Int32> {
    let all = all.base.unsafelyUnwrapped
    series?.write(into: all)
    guard let grammar else { return all }
    let constraints = grammar.constraints
    var facts = SideFacts()
    facts.bars = Int32(clamping: constraints.bars)
    facts.key = constraints.key
    if facts.key == 0 && constraints.scale != 0xFFF {
      facts.key = MusicKey.ofScale(constraints.scale, heard: key)
    }
    if facts.key == 0 { facts.key = key }
    music?.writeSides(bars: grammar.bars, facts, into: all)
    grammar.writeSides(into: all)
    return all
  }

  // MARK: - Snapshots

  private static let keySize = 8 * 13
  var stateSize: Int {
    seriesStart + (series?.stateSize ?? 0)
  }
  private var seriesStart: Int { windowStart + (window?.stateSize ?? 0) }
  private var windowStart: Int { Self.keySize + (memory?.stateSize ?? 0) }

  func save(to bytes: UnsafeMutableRawPointer) {
    series?.save(to: bytes + seriesStart)
    window?.save(to: bytes + windowStart)
    memory?.save(to: bytes + Self.keySize)
    for i in 0..<12 { bytes.setWord(i, UInt64(bitPattern: heard.times[i])) }
    bytes.setWord(12, UInt64(key) << 8 | UInt64(due))
  }

  func restore(from bytes: UnsafeRawPointer) -> Bool {
    var heard = PitchClassTimes()
    for i in 0..<12 {
      guard bytes.word(i) < 1 << 48 else { return false }
      heard.times[i] = Int64(bytes.word(i))
    }
    let (key, due) = (Int64(bytes.word(12) >> 8), Int64(bytes.word(12) & 0xFF))
    guard key < MusicKey.count, due >= 1, due <= Self.interval,
      memory?.restore(from: bytes + Self.keySize, vocabulary: encoding.vocabularySize) ?? true,
      window?.restore(from: bytes + windowStart, vocabulary: encoding.vocabularySize) ?? true,
      series?.restore(from: bytes + seriesStart) ?? true
    else { return false }
    self.heard = heard
    (self.key, self.due) = (Int32(key), due)
    return true
  }
}
