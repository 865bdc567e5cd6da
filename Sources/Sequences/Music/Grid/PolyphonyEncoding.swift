import Memory

/// Chords on a grid: all pitched channels merged, the 88 keys of a piano.
///
/// Lost are: time finer than a step, velocity, channel and program, drums, notes beyond the 88 keys,
/// and of several notes on one key at a time all but one.
public final class PolyphonyEncoding: GridEncoding {
  public static let name = "polyphony"
  public let grid: Grid

  public init(_ grid: Grid) { self.grid = grid }

  public init(stepsPerQuarter: Int = 4) throws(EncodingError) {
    grid = try Grid(
      stepsPerQuarter: stepsPerQuarter, lowest: 21, pitches: 88, lasts: true, voices: 88)
  }

  public func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let notes = try file.pairedNotes()
    notes.keep { $0.channel != drumChannel }
    return notes
  }

  public func place(_ pitch: Int) -> Int? { (21...108).contains(pitch) ? pitch - 21 : nil }
  public var midiPitches: [UInt8] { (21...108).map { UInt8($0) } }
  public var channel: Int { 0 }
}
