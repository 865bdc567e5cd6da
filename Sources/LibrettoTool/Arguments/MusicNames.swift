import Sequences

/// A pitch as musicians name it: 60 is C4.
func noteName(_ pitch: Int) -> String {
  let names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
  return "\(names[pitch % 12])\(pitch / 12 - 1)"
}

func isBlackKey(_ pitch: Int) -> Bool { [1, 3, 6, 8, 10].contains(pitch % 12) }

extension MIDIKeySignature {
  /// "D major", "F# minor".
  var name: String {
    let names = [
      "Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#",
      "A#",
    ]
    return names[sharps + (isMinor ? 10 : 7)] + (isMinor ? " minor" : " major")
  }
}

extension MIDIFile {
  /// The key that the notes fit best, by the profiles of Krumhansl and Kessler (1982): the one whose
  /// profile correlates most with how long each pitch class sounds. nil where there is no telling.
  func likelyKey(_ notes: [MIDINote]) -> String? {
    var sounds = [Double](repeating: 0, count: 12)
    let longest = 8 * ticksPerQuarter
    for note in notes where note.channel != 9 {
      sounds[note.pitch % 12] += Double(max(1, min(note.duration, longest)))
    }
    let profiles: [(mode: String, weights: [Double])] = [
      ("major", [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88]),
      ("minor", [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17]),
    ]
    let tonics = [
      "major": ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"],
      "minor": ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"],
    ]
    let mean = sounds.reduce(0, +) / 12
    // A few tones are in many keys.
    guard sounds.count(where: { $0 > 0 }) >= 4, sounds.contains(where: { $0 != mean }) else {
      return nil
    }
    var best: (name: String, fit: Double)?
    for (mode, weights) in profiles {
      let weightMean = weights.reduce(0, +) / 12
      let spread = weights.reduce(0) { $0 + ($1 - weightMean) * ($1 - weightMean) }.squareRoot()
      for tonic in 0..<12 {
        var product = 0.0
        for i in 0..<12 { product += (sounds[(tonic + i) % 12] - mean) * (weights[i] - weightMean) }
        let fit = product / spread
        if fit > best?.fit ?? -.infinity { best = (tonics[mode]![tonic] + " " + mode, fit) }
      }
    }
    return best?.name
  }
}

/// The sounds of General MIDI 1.
enum GeneralMIDI {
  static let instruments = [
    "Acoustic Grand Piano", "Bright Acoustic Piano", "Electric Grand Piano", "Honky-tonk Piano",
    "Electric Piano 1", "Electric Piano 2", "Harpsichord", "Clavi", "Celesta", "Glockenspiel",
    "Music Box", "Vibraphone", "Marimba", "Xylophone", "Tubular Bells", "Dulcimer", "Drawbar Organ",
    "Percussive Organ", "Rock Organ", "Church Organ", "Reed Organ", "Accordion", "Harmonica",
    "Tango Accordion", "Acoustic Guitar (nylon)", "Acoustic Guitar (steel)",
    "Electric Guitar (jazz)", "Electric Guitar (clean)", "Electric Guitar (muted)",
    "Overdriven Guitar", "Distortion Guitar", "Guitar Harmonics", "Acoustic Bass",
    "Electric Bass (finger)", "Electric Bass (pick)", "Fretless Bass", "Slap Bass 1",
    "Slap Bass 2", "Synth Bass 1", "Synth Bass 2", "Violin", "Viola", "Cello", "Contrabass",
    "Tremolo Strings", "Pizzicato Strings", "Orchestral Harp", "Timpani", "String Ensemble 1",
    "String Ensemble 2", "Synth Strings 1", "Synth Strings 2", "Choir Aahs", "Voice Oohs",
    "Synth Voice", "Orchestra Hit", "Trumpet", "Trombone", "Tuba", "Muted Trumpet", "French Horn",
    "Brass Section", "Synth Brass 1", "Synth Brass 2", "Soprano Sax", "Alto Sax", "Tenor Sax",
    "Baritone Sax", "Oboe", "English Horn", "Bassoon", "Clarinet", "Piccolo", "Flute", "Recorder",
    "Pan Flute", "Blown Bottle", "Shakuhachi", "Whistle", "Ocarina", "Lead 1 (square)",
    "Lead 2 (sawtooth)", "Lead 3 (calliope)", "Lead 4 (chiff)", "Lead 5 (charang)",
    "Lead 6 (voice)", "Lead 7 (fifths)", "Lead 8 (bass + lead)", "Pad 1 (new age)", "Pad 2 (warm)",
    "Pad 3 (polysynth)", "Pad 4 (choir)", "Pad 5 (bowed)", "Pad 6 (metallic)", "Pad 7 (halo)",
    "Pad 8 (sweep)", "FX 1 (rain)", "FX 2 (soundtrack)", "FX 3 (crystal)", "FX 4 (atmosphere)",
    "FX 5 (brightness)", "FX 6 (goblins)", "FX 7 (echoes)", "FX 8 (sci-fi)", "Sitar", "Banjo",
    "Shamisen", "Koto", "Kalimba", "Bagpipe", "Fiddle", "Shanai", "Tinkle Bell", "Agogo",
    "Steel Drums", "Woodblock", "Taiko Drum", "Melodic Tom", "Synth Drum", "Reverse Cymbal",
    "Guitar Fret Noise", "Breath Noise", "Seashore", "Bird Tweet", "Telephone Ring", "Helicopter",
    "Applause", "Gunshot",
  ]

  /// Channel 10 as musicians count.
  static let drumChannel = 9

  /// The drum of a pitch; its note name outside of the map, 35 to 81.
  static func drum(_ pitch: Int) -> String {
    let names = [
      "Bass Drum 2", "Bass Drum", "Side Stick", "Snare", "Hand Clap", "Snare 2", "Low Floor Tom",
      "Closed Hi-hat", "High Floor Tom", "Pedal Hi-hat", "Low Tom", "Open Hi-hat", "Low-Mid Tom",
      "Hi-Mid Tom", "Crash", "High Tom", "Ride", "China Cymbal", "Ride Bell", "Tambourine",
      "Splash", "Cowbell", "Crash 2", "Vibraslap", "Ride 2", "High Bongo", "Low Bongo",
      "Mute Conga", "High Conga", "Low Conga", "High Timbale", "Low Timbale", "High Agogo",
      "Low Agogo", "Cabasa", "Maracas", "Short Whistle", "Long Whistle", "Short Guiro",
      "Long Guiro", "Claves", "High Woodblock", "Low Woodblock", "Mute Cuica", "Open Cuica",
      "Mute Triangle", "Open Triangle",
    ]
    return names.indices.contains(pitch - 35) ? names[pitch - 35] : noteName(pitch)
  }
}
