/// A scale on a tonic, by the name musicians give it.
public struct MusicScale: Equatable, Sendable {
  /// The pitch classes: bit 0 is C, bit 11 is B.
  public let pitchClasses: UInt32
  /// The key signature it is written with: sharps, or flats below 0, from -7 to 7; nil for scales
  /// that have none.
  public let sharps: Int?
  /// The key to tell a model, a `MusicKey`: minor for scales with a minor third alone.
  public let key: Int32
  /// Whether that is the signature of a minor key, rather than of a major key or a church mode.
  public let isMinor: Bool

  /// What may follow the tonic. "minor" alone has both sevenths, as tunes use them.
  public static let names =
    "major, minor, natural minor, harmonic minor, melodic minor, dorian, phrygian, lydian, "
    + "mixolydian, aeolian, locrian, major pentatonic, minor pentatonic, major blues, minor blues, "
    + "whole tone, chromatic"

  /// Semitones above the tonic, and the sharps the signature has beyond that of the major key.
  private static let kinds: [(names: [String], steps: [Int], sharps: Int?, isMinor: Bool)] = [
    (["major", "maj", "ionian"], [0, 2, 4, 5, 7, 9, 11], 0, false),
    (["minor", "min"], [0, 2, 3, 5, 7, 8, 10, 11], -3, true),
    (["natural minor", "aeolian"], [0, 2, 3, 5, 7, 8, 10], -3, true),
    (["harmonic minor", "harmonic"], [0, 2, 3, 5, 7, 8, 11], -3, true),
    (["melodic minor", "melodic"], [0, 2, 3, 5, 7, 9, 11], -3, true),
    (["dorian"], [0, 2, 3, 5, 7, 9, 10], -2, false),
    (["phrygian"], [0, 1, 3, 5, 7, 8, 10], -4, false),
    (["lydian"], [0, 2, 4, 6, 7, 9, 11], 1, false),
    (["mixolydian"], [0, 2, 4, 5, 7, 9, 10], -1, false),
    (["locrian"], [0, 1, 3, 5, 6, 8, 10], -5, false),
    (["major pentatonic", "pentatonic"], [0, 2, 4, 7, 9], 0, false),
    (["minor pentatonic"], [0, 3, 5, 7, 10], -3, true),
    (["minor blues", "blues"], [0, 3, 5, 6, 7, 10], -3, true),
    (["major blues"], [0, 2, 3, 4, 7, 9], 0, false),
    (["whole tone"], [0, 2, 4, 6, 8, 10], nil, false),
    (["chromatic"], Array(0..<12), nil, false),
  ]

  /// A letter from A to G with sharps (#) or flats (b), and the kind of scale in any case: "C",
  /// "F# minor", "Bb", "D dorian", "A minor pentatonic". A small letter or an "m" is a minor key, or
  /// the minor of two scales: "a", "Am", "Am pentatonic". nil if it is none.
  public init?(named name: String) {
    var words = name.split(whereSeparator: { $0 == " " || $0 == "_" || $0 == "-" })
    // All of the twelve need no tonic.
    if words.count == 1 && words[0].lowercased() == "chromatic" { words.insert("C", at: 0) }
    guard let note = words.first, let letter = note.first, let tonic = Self.fifths[letter] else {
      return nil
    }
    var accidentals = 0
    var saysMinor = letter.isLowercase
    for (i, sign) in note.enumerated().dropFirst() {
      switch sign {
      case "#", "♯": accidentals += 1
      case "b", "♭": accidentals -= 1
      case "m" where i == note.count - 1: saysMinor = true
      default: return nil
      }
    }
    let kind = words.dropFirst().joined(separator: " ").lowercased()
    func find(_ kind: String) -> Int? { Self.kinds.firstIndex { $0.names.contains(kind) } }
    let minor = saysMinor ? find(kind.isEmpty ? "minor" : "minor " + kind) : nil
    guard let found = minor ?? find(kind.isEmpty ? "major" : kind) else { return nil }
    let scale = Self.kinds[found]
    // Seven semitones a fifth.
    let first = ((tonic + 7 * accidentals) * 7 % 12 + 12) % 12
    key = MusicKey.number(
      tonic: first, isMinor: scale.steps.contains(3) && !scale.steps.contains(4))
    pitchClasses = scale.steps.reduce(0) { $0 | 1 << UInt32((first + $1) % 12) }
    sharps = scale.sharps.map {
      // Of two spellings that sound alike the one that can be written.
      let sharps = tonic + 7 * accidentals + $0
      return (-7...7).contains(sharps) ? sharps : (sharps % 12 + 18) % 12 - 6
    }
    isMinor = scale.isMinor
  }

  /// Fifths above C, which are the sharps of the major key.
  private static let fifths: [Character: Int] = [
    "F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5,
    "f": -1, "c": 0, "g": 1, "d": 2, "a": 3, "e": 4, "b": 5,
  ]
}
