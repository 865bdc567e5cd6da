import ArgumentParser
import Libretto
import Sequences

/// What can be asked of a model of music.
struct MusicOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where to write the music: .mid, or .wav for sound, rendered by FluidSynth; - for standard output. (default: the model's name and the seed)",
      valueName: "out.mid"))
  var output: String?

  @Option(
    help:
      "Bars of the piece with its primer; 0 lets the model end it. (default: 16, or 16 more than the primer)",
    transform: number(.from(0, to: 10_000)))
  var bars: Int?

  @Option(
    help:
      "Seconds of a performance, which has no bars, with its primer; 0 lets the model end it. (default: 30, or 30 more than the primer)",
    transform: number(.from(0, to: 36_000)))
  var seconds: Double?

  @Option(
    help:
      "Quarter notes per minute. A performance is stretched: it sounds as learned at 120, or as the primer at the primer's tempo. (default: the primer's, or 120)",
    transform: number(.from(4, to: 1000)))
  var tempo: Double?

  @Option(
    help:
      "Notes of this scale only, such as G, \"F# minor\", \"D dorian\" or \"A minor pentatonic\".")
  var key: String?

  @Option(
    help: ArgumentHelp(
      "Music to go on from; it comes first. Its tempo, instrument and loudness are kept.",
      valueName: "in.mid"))
  var prime: String?

  @Option(
    help: "The instrument, 0 to 127 as General MIDI numbers them. (default: the primer's, or 0)",
    transform: number(.from(0, to: 127)))
  var program: Int?

  @Option(
    help: "No note begins below this pitch; 60 is middle C. (default: 0)",
    transform: number(.from(0, to: 127)))
  var lowest: Int?

  @Option(
    help: "No note begins above this pitch. (default: 127)", transform: number(.from(0, to: 127)))
  var highest: Int?

  @Option(help: "The most notes at a time, 1 to 128.", transform: number(.from(1, to: 128)))
  var voices: Int?

  @Option(
    help: "Above 0 more notes, below 0 fewer, -20 to 20: added to the logits of their beginnings.",
    transform: number(.from(-20, to: 20)))
  var density: Float?

  @Option(
    name: [.long, .customLong("metre")],
    help: "The time signature, such as 3/4. (default: the model's choice)")
  var timeSignature: String?

  @Option(
    help: ArgumentHelp("Render it into this file besides, by FluidSynth.", valueName: "out.wav"))
  var wav: String?

  @Option(help: ArgumentHelp("The sounds for that. (default: looked for)", valueName: "file.sf2"))
  var soundfont: String?

  /// Those that were given.
  var given: [String] {
    [
      ("--output", output != nil), ("--bars", bars != nil), ("--seconds", seconds != nil),
      ("--tempo", tempo != nil), ("--key", key != nil), ("--prime", prime != nil),
      ("--program", program != nil), ("--lowest", lowest != nil), ("--highest", highest != nil),
      ("--voices", voices != nil), ("--density", density != nil),
      ("--time-signature", timeSignature != nil),
      ("--wav", wav != nil), ("--soundfont", soundfont != nil),
    ].filter(\.1).map(\.0)
  }

  func validate() throws {
    func require(_ holds: Bool, _ sentence: String) throws {
      if !holds { throw ValidationError(sentence) }
    }
    if let key {
      try require(
        MusicScale(named: key) != nil,
        "--key is \"\(key)\"; expected a tonic, such as C, F# or Bb, and one of: \(MusicScale.names)"
      )
    }
    if let timeSignature {
      try require(
        Self.timeSignature(timeSignature) != nil,
        "--time-signature is \(timeSignature); write it such as 3/4")
      try require(
        prime == nil, "--time-signature and --prime cannot go together: the primer says what it is")
    }
  }

  /// Throws where a name says something else than what will be written there.
  func checkNames() throws {
    if let output { try FileName.check(output, "-o", FileName.midi + FileName.sound) }
    if let wav { try FileName.check(wav, "--wav", FileName.sound) }
    let isSound = FileName.sound.contains(FileName.suffix(output ?? ""))
    if wav != nil && isSound {
      throw Failure("-o is sound already; leave out --wav, or let -o be a MIDI file", code: 64)
    }
    if soundfont != nil && wav == nil && !isSound {
      throw Failure("--soundfont is for sound; name a .wav file with --wav or -o", code: 64)
    }
  }

  /// "3/4" as numbers.
  private static func timeSignature(_ text: String) -> (numerator: Int, denominator: Int)? {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let numerator = numbers[0], let denominator = numbers[1],
      (1...255).contains(numerator), (1...64).contains(denominator)
    else { return nil }
    return (numerator, denominator)
  }

  /// The wishes for a model; throws where it cannot fulfil one.
  func constraints(for encoding: any MusicEncoding) throws -> MusicConstraints {
    func refuse(_ option: String, _ reason: String) throws {
      throw Failure("\(option) is not for a model of \(encoding.name): \(reason)", code: 64)
    }
    if !encoding.hasBars {
      if bars != nil { try refuse("--bars", "it has no bars; use --seconds") }
      if timeSignature != nil { try refuse("--time-signature", "it has no bars") }
    } else if seconds != nil {
      let bar = trimmed(240 / (tempo ?? 120), 2)
      try refuse("--seconds", "its pieces are whole bars; use --bars, of \(bar) s each in 4/4")
    }
    if encoding.hasOrders && program != nil {
      try refuse("--program", "each part has one; name them with --parts")
    }
    if !encoding.hasPitches {
      if key != nil { try refuse("--key", "drums have none") }
      if lowest != nil { try refuse("--lowest", "it chooses drums, not pitches") }
      if highest != nil { try refuse("--highest", "it chooses drums, not pitches") }
    }
    var constraints = MusicConstraints()
    if let lowest { constraints.lowest = lowest }
    if let highest { constraints.highest = highest }
    if let voices { constraints.voices = voices }
    if let density { constraints.density = density }
    if let key, let scale = MusicScale(named: key) {
      (constraints.scale, constraints.key) = (scale.pitchClasses, scale.key)
    }
    if let timeSignature, let (numerator, denominator) = Self.timeSignature(timeSignature) {
      (constraints.numerator, constraints.denominator) = (numerator, denominator)
    }
    return constraints
  }

  /// The key signature for `--key`.
  var keySignature: MIDIKeySignature? {
    guard let scale = key.flatMap({ MusicScale(named: $0) }), let sharps = scale.sharps else {
      return nil
    }
    return MIDIKeySignature(tick: 0, sharps: sharps, isMinor: scale.isMinor)
  }
}
