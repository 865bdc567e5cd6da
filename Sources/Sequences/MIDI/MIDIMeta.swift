import Memory

/// A change of the time signature.
public struct MIDITimeSignature: BitwiseCopyable, Equatable, Sendable {
  public var tick: Int
  /// 1 to 255.
  public var numerator: Int
  /// A power of two, 1 to 2^31.
  public var denominator: Int

  public init(tick: Int, numerator: Int, denominator: Int) {
    self.tick = tick
    self.numerator = numerator
    self.denominator = denominator
  }
}

/// A change of the key signature.
public struct MIDIKeySignature: BitwiseCopyable, Equatable, Sendable {
  public var tick: Int
  /// 1 to 7; flats are -1 to -7.
  public var sharps: Int
  public var isMinor: Bool

  public init(tick: Int, sharps: Int, isMinor: Bool) {
    self.tick = tick
    self.sharps = sharps
    self.isMinor = isMinor
  }
}

/// The meta events that this module looks into (SMF 1.0, "Meta-Events").
enum MIDIMeta {
  static let trackName: UInt8 = 0x03
  static let tempo: UInt8 = 0x51
  static let timeSignature: UInt8 = 0x58
  static let keySignature: UInt8 = 0x59

  /// Microseconds per quarter note, above 0; nil where the bytes say no such thing.
  static func tempo(_ bytes: some RandomAccessCollection<UInt8>) -> Int? {
    guard bytes.count >= 3 else { return nil }
    let value = bytes.prefix(3).reduce(0) { $0 << 8 | Int($1) }
    return value > 0 ? value : nil
  }

  static func timeSignature(
    _ bytes: some RandomAccessCollection<UInt8>, tick: Int
  ) -> MIDITimeSignature? {
    guard bytes.count >= 2, let numerator = bytes.first, numerator > 0,
      let power = bytes.dropFirst().first, power < 32
    else { return nil }
    return MIDITimeSignature(tick: tick, numerator: Int(numerator), denominator: 1 << Int(power))
  }

  static func keySignature(
    _ bytes: some RandomAccessCollection<UInt8>, tick: Int
  ) -> MIDIKeySignature? {
    guard bytes.count >= 2, let sharps = bytes.first.map({ Int8(bitPattern: $0) }),
      let mode = bytes.dropFirst().first, (-7...7).contains(sharps), mode <= 1
    else { return nil }
    return MIDIKeySignature(tick: tick, sharps: Int(sharps), isMinor: mode == 1)
  }

  /// What is wrong with a meta event, if something is.
  static func fault(_ type: UInt8, _ bytes: UnsafeBufferPointer<UInt8>) -> String? {
    switch type {
    case tempo where tempo(bytes) == nil: "a tempo that is none is ignored"
    case timeSignature where timeSignature(bytes, tick: 0) == nil:
      "a time signature that is none is ignored"
    case keySignature where keySignature(bytes, tick: 0) == nil:
      "a key signature that is none is ignored"
    case 0x80...: "a meta event is of type \(type), above 127"
    default: nil
    }
  }
}

extension MIDIFile {
  /// The time signatures of all tracks in the order of their ticks, at most one per tick: the last.
  /// Before the first, and where there is none, 4/4 holds.
  func timeSignatureBuffer() throws(OutOfMemory) -> GrowableBuffer<MIDITimeSignature> {
    let all = GrowableBuffer<MIDITimeSignature>()
    try parseMeta(MIDIMeta.timeSignature, MIDIMeta.timeSignature, to: all)
    try all.keepLast(at: \.tick)
    return all
  }

  /// The key signatures, likewise.
  func keySignatureBuffer() throws(OutOfMemory) -> GrowableBuffer<MIDIKeySignature> {
    let all = GrowableBuffer<MIDIKeySignature>()
    try parseMeta(MIDIMeta.keySignature, MIDIMeta.keySignature, to: all)
    try all.keepLast(at: \.tick)
    return all
  }

  /// The last tick of the file: that of the longest track, in format 2 the sum of all.
  public var end: Int {
    format == 2
      ? tracks.reduce(0) { $0 &+ $1.lastTick }
      : tracks.reduce(0) { max($0, $1.lastTick) }
  }

  /// Appends what `parse` makes of the meta events of one type, track by track.
  func parseMeta<Value>(
    _ type: UInt8, _ parse: (UnsafeBufferPointer<UInt8>, Int) -> Value?,
    to values: GrowableBuffer<Value>
  ) throws(OutOfMemory) {
    try forEachTrack { (track, _, start) throws(OutOfMemory) in
      try track.events.forEachMeta(type) { (record, bytes) throws(OutOfMemory) in
        if let value = parse(bytes, start &+ record.tick) { try values.append(value) }
      }
    }
  }
}

extension GrowableBuffer {
  /// Sorts by tick, and keeps of those at one tick only the last.
  func keepLast(at tick: (Element) -> Int) throws(OutOfMemory) {
    try sort { tick($0) < tick($1) }
    var kept = 0
    for i in 0..<count {
      if kept > 0 && tick(self[kept - 1]) == tick(self[i]) { kept -= 1 }
      self[kept] = self[i]
      kept += 1
    }
    truncate(to: kept)
  }
}

extension MIDIFile.Track {
  /// The first track name in it, at most 1,000 bytes, read as UTF-8, and where it is not that, as
  /// Latin-1.
  public var name: String? {
    var name: String?
    events.forEachMeta(MIDIMeta.trackName) { _, bytes in
      guard name == nil else { return }
      let isCut = bytes.count > 1000
      let bytes = bytes.prefix(1000)
      // A character that is cut does not make it Latin-1.
      for rest in 0..<(isCut ? 4 : 1) where name == nil {
        name = String(validating: bytes.dropLast(rest), as: UTF8.self)
      }
      name = name ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
    return name
  }
}
