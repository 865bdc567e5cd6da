import Memory

/// The drums of a file on a grid: channel 10, in nine classes of General MIDI's percussion sounds.
///
/// Lost are: which drum of a class it was, how long and how loud, and time finer than a step.
public final class DrumsEncoding: GridEncoding {
  public static let name = "drums"
  public let grid: Grid

  /// Each class: the sound that stands for it when played, and those that count as it. From the
  /// lowest to the highest: bass drum, snare, closed and open hi-hat, low, middle and high tom,
  /// crash, ride (General MIDI 1, percussion key map).
  private static let classes: [(sound: UInt8, members: [Int])] = [
    (36, [35, 36]),
    (38, [37, 38, 39, 40]),
    (42, [42, 44, 54, 69, 70, 71, 73, 75, 78, 80]),
    (46, [46, 67, 68, 74, 79, 81]),
    (45, [41, 43, 45, 61, 64, 66]),
    (48, [47, 48, 60, 63, 65, 77]),
    (50, [50, 56, 62, 72, 76]),
    (49, [49, 52, 55, 57, 58]),
    (51, [51, 53, 59]),
  ]

  public init(_ grid: Grid) { self.grid = grid }

  public init(stepsPerQuarter: Int = 4) throws(EncodingError) {
    grid = try Grid(
      stepsPerQuarter: stepsPerQuarter, lowest: 0, pitches: Self.classes.count, lasts: false,
      voices: Self.classes.count)
  }

  public func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let notes = try file.pairedNotes()
    notes.keep { $0.channel == drumChannel }
    return notes
  }

  public func place(_ pitch: Int) -> Int? { Self.place(pitch) }
  public var midiPitches: [UInt8] { Self.sounds }

  /// The class of a sound; nil if it is in none.
  static func place(_ pitch: Int) -> Int? { classes.firstIndex { $0.members.contains(pitch) } }
  static var sounds: [UInt8] { classes.map(\.sound) }

  public var channel: Int { drumChannel }

  /// Drums are not transposed.
  public func pitch(of token: Int32) -> Int? { nil }
  public func transposed(_ token: Int32, by semitones: Int) -> Int32 { token }
}
