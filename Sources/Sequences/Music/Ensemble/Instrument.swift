/// The instruments of parts: the sixteen families of General MIDI, eight programs each, and drums.
public enum Instrument {
  /// Programs are 0 to 127; this stands for drums.
  public static let drums = 128
  /// Families there are, the last of them drums.
  public static let families = 17
  static let drumFamily = 16

  /// What people call the families in options.
  public static let names = [
    "piano", "bells", "organ", "guitar", "bass", "strings", "ensemble", "brass", "reed", "pipe",
    "lead", "pad", "effects", "ethnic", "percussive", "sounds", "drums",
  ]

  /// What tracks are called (General MIDI 1, "Sound Set").
  static let titles = [
    "Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass",
    "Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive",
    "Sound Effects", "Drums",
  ]

  public static func family(of program: Int) -> Int { min(max(program, 0), drums) / 8 }

  /// The first program of a family.
  public static func program(of family: Int) -> Int { 8 * family }

  public static func title(of program: Int) -> String { titles[family(of: program)] }

  /// The program that a name or a number stands for; nil if it is none.
  public static func program(named name: some StringProtocol) -> Int? {
    if let number = Int(name) { return (0...drums).contains(number) ? number : nil }
    return names.firstIndex(of: name.lowercased()).map(program(of:))
  }
}

/// A part of a piece.
public struct Part: BitwiseCopyable, Equatable, Sendable {
  /// What it is played with: a program, or `Instrument.drums`.
  public var program: Int
  /// The MIDI channel of its events.
  public var channel: Int

  /// At most so many have a channel: fifteen with pitches, and the drums.
  public static let most = 16
  public static let mostPitched = 15
}
