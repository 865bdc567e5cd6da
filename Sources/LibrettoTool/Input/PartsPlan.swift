import Libretto
import Sequences

/// The parts of a piece that is to be written, and the notes of those that are given.
struct PartsPlan {
  /// What each part is played with, and what its track is called, if anything; given ones come first.
  private(set) var programs: [Int] = []
  private(set) var names: [String?] = []
  private(set) var givenCount = 0
  /// The notes of given parts, whose numbers are their tracks, in the order of their starts and ticks of the encoding.
  private(set) var notes: [MIDINote] = []
  /// The tokens of the file they are of.
  private(set) var tokens: [Int32] = []
  /// How the file is played.
  private(set) var character: MIDICharacter?
  private(set) var keySignature: MIDIKeySignature?

  /// nil if nothing was asked for.
  init?(_ options: PartOptions, _ model: Model, _ encoding: any MusicEncoding) throws {
    guard let option = options.given.first else { return nil }
    guard let ensemble = encoding as? EnsembleEncoding else {
      throw Failure(
        "\(option) is for models with parts, and this one is of \(encoding.name); train one with --encoding \(EnsembleEncoding.name)",
        code: 64)
    }
    if let list = options.parts {
      programs = try PartOptions.programs(list, "--parts")
      names = programs.map { _ in nil }
    }
    if let path = options.accompany { try accompany(path, options, model, ensemble) }
    let drums = programs.count { $0 == Instrument.drums }
    guard drums <= 1, programs.count - drums <= Part.mostPitched else {
      throw Failure(
        "these are \(programs.count - drums) parts with pitches and \(drums) of drums; a piece has at most \(Part.mostPitched) and 1",
        code: 64)
    }
  }

  private mutating func accompany(
    _ path: String, _ options: PartOptions, _ model: Model, _ encoding: EnsembleEncoding
  ) throws {
    let file = try readMIDI(path)
    tokens = try orFail { () throws(LibrettoError) in try model.encode(file, name: path) }
    let parts = try encoding.parts(file)
    let titles = parts.map { file.tracks[$0.track].name ?? Instrument.title(of: $0.program) }
    let kept = try options.keep.map { try Self.kept($0, titles, path) } ?? Set(parts.indices)
    let others = parts.indices.filter { !kept.contains($0) }
    let added = try options.add.map { try PartOptions.programs($0, "--add") }
    guard !others.isEmpty || added?.isEmpty == false else {
      throw Failure(
        "all parts of \(path) are kept, and there is none to write; name some with --add, or those to keep with --keep",
        code: 64)
    }
    let order = parts.indices.filter(kept.contains)
    programs = order.map { parts[$0].program } + (added ?? others.map { parts[$0].program })
    names =
      order.map { file.tracks[parts[$0].track].name }
      + (added.map { $0.map { _ in nil } } ?? others.map { file.tracks[parts[$0].track].name })
    givenCount = order.count
    // On the grid the parts of the file are its tracks after the first.
    notes = encoding.decode(tokens).notes().compactMap { note in
      guard let place = order.firstIndex(of: note.track - 1) else { return nil }
      var note = note
      note.track = place
      return note
    }
    character = try MIDICharacter(file)
    keySignature = file.keySignatures.first
  }

  private static func kept(_ list: String, _ titles: [String], _ path: String) throws -> Set<Int> {
    var kept = Set<Int>()
    for name in list.split(separator: ",") {
      let number = Int(name).map { $0 - 1 }
      let found =
        titles.firstIndex { $0.lowercased() == name.lowercased() }
        ?? number.flatMap { titles.indices.contains($0) ? $0 : nil }
      guard let found else {
        let parts = titles.enumerated().map { "\($0 + 1) \(printable($1))" }
        throw Failure(
          "--keep names \"\(name)\"; \(path) has the parts \(parts.joined(separator: ", "))",
          code: 64)
      }
      kept.insert(found)
    }
    return kept
  }

  /// Tells a session, or a grammar, which parts there are.
  func want(of session: Session) throws {
    try orFail { () throws(LibrettoError) in
      try programs.map { Int32($0) }.withUnsafeBufferPointer { (buffer) throws(LibrettoError) in
        try session.set(parts: buffer)
      }
      var given = PartConstraints()
      given.isGiven = true
      for part in 0..<givenCount { try session.set(given, ofPart: part) }
    }
  }

  func want(of grammar: any MusicGrammar) {
    programs.map { Int32($0) }.withUnsafeBufferPointer { grammar.parts?.want($0) }
  }

  /// Gives a session the notes that begin before a tick, from one on.
  func give(_ session: Session, from next: inout Int, until tick: Int) throws(LibrettoError) {
    while next < notes.count, notes[next].start < tick {
      let note = notes[next]
      try session.give(
        part: note.track, start: note.start, duration: note.duration, pitch: note.pitch,
        velocity: note.velocity)
      next += 1
    }
  }
}
