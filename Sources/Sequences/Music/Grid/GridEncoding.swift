import Memory

/// What the encodings on a grid have in common; each says which notes it takes, and where they go.
public protocol GridEncoding: MusicEncoding {
  var grid: Grid { get }

  /// The same encoding on a grid like its own with other time signatures.
  init(_ grid: Grid)

  /// The pitch, counted from the lowest, that a MIDI pitch is written as; nil for none.
  func place(_ pitch: Int) -> Int?

  /// The MIDI pitch of each pitch token.
  var midiPitches: [UInt8] { get }
}

extension GridEncoding {
  public var vocabularySize: Int { grid.vocabularySize }
  public var ticksPerQuarter: Int { grid.ticksPerQuarter }
  public var stepsPerQuarter: Int { grid.stepsPerQuarter }
  public var hasPitches: Bool { grid.lasts }

  public var properties: [String: EncodingProperty] {
    ["steps_per_quarter": .short(String(grid.stepsPerQuarter))]
      .merging(grid.timeSignatures.properties) { $1 }
  }

  public var ownSideInputs: [SideInput] { MusicSides.inputs(hasBars: true, hasKey: grid.lasts) }
  public func sideFacts(of piece: UnsafeBufferPointer<Int32>) -> SideFacts {
    GridSideCursor.facts(of: piece, grid)
  }
  public func beginsBar(_ token: Int32) -> Bool {
    switch grid.meaning(token) {
    case .timeSignature, .step(0): true
    default: false
    }
  }
  public func makeSideCursor() -> (any SideCursor)? { GridSideCursor(grid) }
  public func tellsEnding(_ values: UnsafePointer<Int32>) -> Bool {
    grid.lasts && MusicSides.tellEnding(values)
  }
  public func writeSides(
    bars: Int, _ facts: SideFacts, into values: UnsafeMutablePointer<Int32>
  ) { MusicSides.write(bars: bars, facts, hasBars: true, hasKey: grid.lasts, into: values) }

  public func tokens(of file: MIDIFile) throws(EncodingError) -> GrowableBuffer<Int32>? {
    let score = try allocating { () throws(OutOfMemory) in
      try GridScore(grid, file, try selected(file)) { place($0.pitch) }
    }
    guard score.notes.count > 0 else { return nil }
    guard score.mostTokens <= Grid.mostTokens else { throw .tooLong(score.mostTokens) }
    let tokens = try allocating { () throws(OutOfMemory) in try score.tokens(grid) }
    removeClosingSilence(from: tokens)
    return tokens
  }

  public func steps(of tokens: UnsafeBufferPointer<Int32>) -> Int? {
    tokens.reduce(0) { $0 + ($1 >= grid.firstStep && $1 < grid.firstNew ? 1 : 0) }
  }

  public func ticks(of token: Int32) -> Int {
    if case .step = grid.meaning(token) { grid.ticksPerStep } else { 0 }
  }

  public func transposed(_ token: Int32, by semitones: Int) -> Int32 {
    grid.transposed(token, by: semitones)
  }

  public func pitch(of token: Int32) -> Int? { grid.pitch(token).map { $0 + grid.lowest } }

  public func name(of token: Int32) -> String {
    switch grid.meaning(token) {
    case .start: "START"
    case .end: "END"
    case .timeSignature(let index): "TIME_SIGNATURE \(grid.timeSignatures.all[index].name)"
    case .step(let position): "STEP \(position)"
    case .new(let pitch): "NEW \(midiPitches[pitch])"
    case .held(let pitch): "HELD \(midiPitches[pitch])"
    }
  }

  public var pitchRange: ClosedRange<Int> { grid.lowest...grid.lowest + grid.pitches - 1 }

  public func makeReader() throws(OutOfMemory) -> MusicReader {
    let place = (0..<128).map { Int16(self.place($0) ?? -1) }
    let grammar = try GridGrammar(grid, place: place)
    return MusicReader(
      grammar: grammar,
      decoder: GridEventDecoder(grammar, pitches: midiPitches, channel: channel, velocity: 90),
      encoder: GridEventEncoder(grammar, place: place))
  }

  public func removeOpeningSilence(from tokens: GrowableBuffer<Int32>) {
    var timeSignature: Int32?
    var bar = 0
    for (i, token) in tokens.enumerated() {
      switch grid.meaning(token) {
      case .timeSignature: (timeSignature, bar) = (token, i + 1)
      case .step(0): bar = i + 1
      case .new, .held:
        // The time signature of the first bar stays before it.
        if let timeSignature { tokens[bar - 1] = timeSignature }
        return tokens.remove(from: 1, to: timeSignature == nil ? bar : bar - 1)
      case .start, .step, .end: break
      }
    }
  }

  public func removeClosingSilence(from tokens: GrowableBuffer<Int32>) {
    guard let last = tokens.lastIndex(where: { $0 >= grid.firstNew }) else { return }
    var end = last + 1
    while end < tokens.count, case .step(let position) = grid.meaning(tokens[end]) {
      end += 1
      if position == 0 { break }
    }
    tokens.remove(from: end, to: tokens.count - 1)
  }
}

extension GridEncoding {
  /// With tokens for the time signatures of a collection that are not among the standard ones.
  public func fitted(
    to timeSignatures: TimeSignatureSurvey,
    firstFiles: ((MIDIFile) throws(EncodingError) -> Void) throws(EncodingError) -> Void
  ) throws(EncodingError) -> any MusicEncoding { extended(by: timeSignatures) }

  public func extended(by survey: TimeSignatureSurvey) -> Self {
    with(TimeSignatureTable(extra: survey.extra(stepsPerQuarter: grid.stepsPerQuarter)))
  }

  public var extraTimeSignatures: [(numerator: Int, denominator: Int)] {
    grid.timeSignatures.all.dropFirst(TimeSignature.standard.count).map {
      ($0.numerator, $0.denominator)
    }
  }

  public func form(of piece: GrowableBuffer<Int32>) throws(OutOfMemory) -> PieceForm? {
    try PieceForm(piece, self)
  }

  public func written(_ pitch: Int) -> Int? { place(pitch).map { Int(midiPitches[$0]) } }

  public func timeSignatureFaults(_ file: MIDIFile) throws(OutOfMemory)
    -> (doubted: [String], unknown: [String])
  {
    func names(_ signatures: some Sequence<MIDITimeSignature>) -> [String] {
      var names: [String] = []
      for signature in signatures {
        let name = TimeSignature(signature).name
        if names.count < 100 && !names.contains(name) { names.append(name) }
      }
      return names
    }
    let signatures = try TimeSignatures(file)
    return (
      names(signatures.doubted),
      names(signatures.believed.lazy.filter { self.grid.timeSignature(TimeSignature($0)) == nil })
    )
  }

  /// For a model that learns from these pieces: it draws no time signatures but those found in them,
  /// and those it knew before.
  public func fitted(to pieces: some Sequence<Int32>) -> Self {
    var found: UInt64 = 0
    var changesWithinBars = false
    var position = 0
    for token in pieces {
      switch grid.meaning(token) {
      case .start: position = 0
      case .timeSignature(let index):
        found |= 1 << UInt64(index)
        if position != 0 { changesWithinBars = true }
        position = 0
      case .step(let next): position = next
      case .new, .held, .end: break
      }
    }
    return with(grid.timeSignatures.adding(found: found, changesWithinBars: changesWithinBars))
  }

  func with(_ timeSignatures: TimeSignatureTable) -> Self {
    var grid = grid
    grid.timeSignatures = timeSignatures
    return Self(grid)
  }
}

/// Reads the property all of them have.
func stepsPerQuarter(_ properties: [String: EncodingProperty]) throws(EncodingError) -> Int {
  guard let steps = properties["steps_per_quarter"]?.string.flatMap({ Int($0) }) else {
    throw .invalid(
      "an encoding on a grid needs encoding.steps_per_quarter, which is missing or not a number")
  }
  return steps
}

/// The channel of General MIDI that has drums, counted from 0.
let drumChannel = 9
