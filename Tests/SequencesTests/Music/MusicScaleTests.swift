import Sequences
import Testing

struct MusicScaleTests {
  private let classes = [
    "C": 0, "C#": 1, "Db": 1, "D": 2, "Eb": 3, "E": 4, "F": 5, "F#": 6, "Gb": 6, "G": 7, "G#": 8,
    "Ab": 8, "A": 9, "Bb": 10, "B": 11, "Cb": 11,
  ]

  /// Scales as they are written in books, with the sharps of their signatures.
  @Test(arguments: [
    ("C", "C D E F G A B", 0, false),
    ("G ionian", "G A B C D E F#", 1, false),
    ("Db", "Db Eb F Gb Ab Bb C", -5, false),
    ("A minor", "A B C D E F G G#", 0, true),
    ("c natural minor", "C D Eb F G Ab Bb", -3, true),
    ("F# aeolian", "F# G# A B C# D E", 3, true),
    ("E harmonic minor", "E F# G A B C Eb", 1, true),
    ("A melodic minor", "A B C D E F# G#", 0, true),
    ("D dorian", "D E F G A B C", 0, false),
    ("G Dorian", "G A Bb C D E F", -1, false),
    ("E phrygian", "E F G A B C D", 0, false),
    ("F lydian", "F G A B C D E", 0, false),
    ("D MIXOLYDIAN", "D E F# G A B C", 1, false),
    ("B locrian", "B C D E F G A", 0, false),
    ("Eb pentatonic", "Eb F G Bb C", -3, false),
    ("A minor pentatonic", "A C D E G", 0, true),
    ("E blues", "E G A Bb B D", 1, true),
    ("C major blues", "C D Eb E G A", 0, false),
  ])
  func scalesOfBooks(_ name: String, _ notes: String, _ sharps: Int, _ isMinor: Bool) throws {
    let scale = try #require(MusicScale(named: name))
    let expected = notes.split(separator: " ").reduce(UInt32(0)) {
      $0 | 1 << UInt32(classes[String($1)]!)
    }
    #expect(scale.pitchClasses == expected)
    #expect(scale.sharps == sharps)
    #expect(scale.isMinor == isMinor)
  }

  @Test func spellingsOfOneScale() {
    for (one, other) in [
      ("C major", "C"), ("Bb", "A# maj"), ("a", "A minor"), ("Am", "A min"), ("f#", "Gb minor"),
      ("Am pentatonic", "A minor pentatonic"), ("d_dorian", "D-dorian"), ("C##", "D"),
      ("bb blues", "A# minor blues"), ("e", "Em"), ("B chromatic", "chromatic"),
    ] {
      let scale = MusicScale(named: one)?.pitchClasses
      #expect(scale != nil && scale == MusicScale(named: other)?.pitchClasses, "\(one), \(other)")
    }
  }

  @Test func signaturesThatCanBeWritten() {
    for letter in ["A", "B", "C", "D", "E", "F", "G"] {
      for sign in ["", "#", "b", "##", "bb"] {
        for kind in ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"] {
          let scale = MusicScale(named: "\(letter)\(sign) \(kind)")
          #expect((-7...7).contains(scale?.sharps ?? 99), "\(letter)\(sign) \(kind)")
        }
      }
    }
    #expect(MusicScale(named: "G# major")?.sharps == -4)
    #expect(MusicScale(named: "C# major")?.sharps == 7)
    #expect(MusicScale(named: "C whole tone")?.sharps == nil)
  }

  /// Each name that messages list is one that can be asked for, with other notes than the others.
  @Test func listedNames() {
    let names = MusicScale.names.split(separator: ", ")
    let scales = names.map { MusicScale(named: "E \($0)") }
    #expect(!scales.contains(nil))
    // Aeolian is natural minor.
    #expect(Set(scales.map { $0?.pitchClasses }).count == names.count - 1)
  }

  @Test func whatIsNoScale() {
    for wrong in [
      "", "H", "C sharp", "C major x", "1", "Cx", "♭", "dorian", "D  dorien", "Cmm", "Am major x",
      "minor",
    ] {
      #expect(MusicScale(named: wrong) == nil, "\(wrong)")
    }
  }
}
