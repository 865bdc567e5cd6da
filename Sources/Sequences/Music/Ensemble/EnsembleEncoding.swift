import Memory

/// Parts on a grid that hear each other: each has an instrument, drums among them, and in each step its notes come after
/// those of the parts before it.
///
/// Lost are: time finer than a step, the program within its family of General MIDI, velocities within a level of 16, which
/// drum of a class it was and how long, parts that `FileParts` leaves out, and of several notes of a part on one key at a
/// time all but one.
public final class EnsembleEncoding: GridEncoding {
  public static let name = "ensemble"
  public let grid: Grid
  let ensemble: Ensemble

  public init(_ grid: Grid) {
    self.grid = grid
    ensemble = Ensemble(grid)
  }

  public convenience init(stepsPerQuarter: Int = 4) throws(EncodingError) {
    self.init(
      try Grid(stepsPerQuarter: stepsPerQuarter, lowest: 0, pitches: 128, lasts: true, voices: 128))
  }

  public var vocabularySize: Int { ensemble.vocabularySize }
  public func place(_ pitch: Int) -> Int? { pitch }
  public var midiPitches: [UInt8] { (0...127).map { UInt8($0) } }
  public var channel: Int { 0 }

  // MARK: - Files

  public func selected(_ file: MIDIFile) throws(OutOfMemory) -> GrowableBuffer<MIDINote> {
    let notes = GrowableBuffer<MIDINote>()
    for note in try FileParts(file, grid).notes { try notes.append(note.note) }
    return notes
  }

  public func tokens(of file: MIDIFile) throws(EncodingError) -> GrowableBuffer<Int32>? {
    let score = try allocating { () throws(OutOfMemory) in
      try EnsembleScore(ensemble, file, try FileParts(file, grid))
    }
    guard let tokens = try score?.tokens() else { return nil }
    removeClosingSilence(from: tokens)
    return tokens
  }

  public func partsLeftOut(_ file: MIDIFile) throws(OutOfMemory) -> PartsLeftOut {
    try FileParts(file, grid).leftOut
  }

  /// The parts of a file, as the tokens have them: what each is played with, and the track it is of.
  public func parts(_ file: MIDIFile) throws(OutOfMemory) -> [(program: Int, track: Int)] {
    let parts = try FileParts(file, grid)
    return zip(parts.programs, parts.tracks).map { ($0, $1) }
  }

  public func removeOpeningSilence(from tokens: GrowableBuffer<Int32>) {
    var header = 1
    var timeSignature: Int32?
    var bar = 0
    for (i, token) in tokens.enumerated() {
      switch ensemble.meaning(token) {
      case .instrument: header = i + 1
      case .time(.timeSignature): (timeSignature, bar) = (token, i + 1)
      case .time(.step(0)): bar = i + 1
      case .part, .hold, .new, .held, .drum:
        // The time signature of the first bar stays before it.
        if let timeSignature { tokens[bar - 1] = timeSignature }
        return tokens.remove(from: header, to: timeSignature == nil ? bar : bar - 1)
      case .time, .velocity: break
      }
    }
  }

  public func removeClosingSilence(from tokens: GrowableBuffer<Int32>) {
    guard let last = tokens.lastIndex(where: { ensemble.isNote($0) || ensemble.isPart($0) }) else {
      return
    }
    var end = last + 1
    while end < tokens.count, case .time(.step(let position)) = ensemble.meaning(tokens[end]) {
      end += 1
      if position == 0 { break }
    }
    tokens.remove(from: end, to: tokens.count - 1)
  }

  // MARK: - Tokens

  public func transposed(_ token: Int32, by semitones: Int) -> Int32 {
    token >= grid.firstNew && token < ensemble.firstDrum ? token + Int32(semitones) : token
  }

  public func pitch(of token: Int32) -> Int? {
    switch ensemble.meaning(token) {
    case .new(let pitch), .held(let pitch): pitch
    default: nil
    }
  }

  public func name(of token: Int32) -> String {
    switch ensemble.meaning(token) {
    case .time(.start): "START"
    case .time(.end): "END"
    case .time(.timeSignature(let index)): "TIME_SIGNATURE \(grid.timeSignatures.all[index].name)"
    case .time(.step(let position)): "STEP \(position)"
    case .time: ""
    case .new(let pitch): "NEW \(pitch)"
    case .held(let pitch): "HELD \(pitch)"
    case .drum(let drum): "DRUM \(DrumsEncoding.sounds[drum])"
    case .part(let number): "PART \(number)"
    case .hold(let number): "HOLD \(number)"
    case .instrument(let family): "INSTRUMENT \(Instrument.names[family])"
    case .velocity(let level): "VELOCITY \(Ensemble.velocity(of: level))"
    }
  }

  public func makeReader() throws(OutOfMemory) -> MusicReader {
    let grammar = try EnsembleGrammar(ensemble)
    return MusicReader(
      grammar: grammar, decoder: EnsembleEventDecoder(grammar),
      encoder: EnsembleEventEncoder(grammar))
  }

  public func form(of piece: GrowableBuffer<Int32>) throws(OutOfMemory) -> PieceForm? { nil }

  public var hasOrders: Bool { true }

  public func reorder(
    _ piece: UnsafeMutableBufferPointer<Int32>, chance: UInt64, room: UnsafeMutablePointer<Int32>
  ) {
    var count = 0
    for token in piece {
      if case .instrument = ensemble.meaning(token) { count += 1 }
      if case .time(.timeSignature) = ensemble.meaning(token) { break }
    }
    EnsembleOrder(count: min(count, Part.most), chance: chance).apply(piece, ensemble, to: room)
    piece.baseAddress?.update(from: room, count: piece.count)
  }

  // MARK: - Side inputs

  public var ownSideInputs: [SideInput] { EnsembleSides.inputs(grid) }
  public func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts {
    EnsembleSideCursor.facts(of: piece, ensemble)
  }
  public func makeSideCursor() -> (any SideCursor)? { EnsembleSideCursor(ensemble) }
}
