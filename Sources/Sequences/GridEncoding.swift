import Memory

/// What the encodings on a grid have in common; each says which notes it takes, and where they go.
public protocol GridEncoding: MusicEncoding {
  var grid: Grid { get }

  /// The pitch, counted from the lowest, that a MIDI pitch is written as; nil for none.
  func place(_ pitch: Int) -> Int?

  /// The MIDI pitch of each pitch token, and the channel events go to.
  var midiPitches: [UInt8] { get }
  var channel: Int { get }
}

extension GridEncoding {
  public var vocabularySize: Int { grid.vocabularySize }
  public var ticksPerQuarter: Int { grid.ticksPerQuarter }

  public var properties: [String: String] {
    ["steps_per_quarter": String(grid.stepsPerQuarter)]
  }

  public func encode(_ file: MIDIFile) throws(EncodingError) -> [Int32]? {
    let score = GridScore(grid, file, select(file)) { place($0.pitch) }
    guard !score.notes.isEmpty else { return nil }
    guard score.mostTokens <= Grid.mostTokens else { throw .tooLong(score.mostTokens) }
    return score.tokens(grid)
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
    case .metre(let index): "METRE \(Metre.all[index].numerator)/\(Metre.all[index].denominator)"
    case .step(let position): "STEP \(position)"
    case .new(let pitch): "NEW \(midiPitches[pitch])"
    case .held(let pitch): "HELD \(midiPitches[pitch])"
    }
  }

  public var pitchRange: ClosedRange<Int> { grid.lowest...grid.lowest + grid.pitches - 1 }

  public func makeMusicGrammar() throws(OutOfMemory) -> any MusicGrammar {
    try GridGrammar(grid, place: places)
  }

  public func makePlayer() -> any TokenPlayer {
    GridPlayer(grid, pitches: midiPitches, channel: channel, velocity: 90)
  }

  public func makeListener() -> any EventListener {
    GridListener(grid, place: places)
  }

  private var places: [Int16] { (0..<128).map { Int16(place($0) ?? -1) } }

  public func withoutOpeningSilence(_ tokens: [Int32]) -> [Int32] {
    guard tokens.count > 2, case .metre(let metre) = grid.meaning(tokens[1]),
      let bar = Metre.all[metre].steps(perQuarter: grid.stepsPerQuarter)
    else { return tokens }
    let silent = tokens.dropFirst(2).prefix { $0 >= grid.firstStep && $0 < grid.firstNew }.count
    return Array(tokens[..<2] + tokens[(2 + silent / bar * bar)...])
  }
}

/// Reads the property all of them have.
func stepsPerQuarter(_ properties: [String: String]) throws(EncodingError) -> Int {
  guard let steps = properties["steps_per_quarter"].flatMap({ Int($0) }) else {
    throw .invalid(
      "an encoding on a grid needs encoding.steps_per_quarter, which is missing or not a number")
  }
  return steps
}

/// The channel of General MIDI that has drums, counted from 0.
let drumChannel = 9
