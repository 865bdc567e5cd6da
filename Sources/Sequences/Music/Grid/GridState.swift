/// What must be known of the tokens of a grid so far to tell what may follow, and what sounds.
struct GridState {
  enum Phase: UInt8 {
    /// Before `START`, and after `END`.
    case outside
    /// After `START`: the time signature is due.
    case opening
    case inside
  }

  let grid: Grid
  var phase = Phase.outside
  var timeSignature = 0
  /// Steps of a bar, the place of the present step in it, and bars completed.
  var barSteps = 16
  var position = 0
  var bars = 0
  /// Steps completed; after the end of a piece, of that piece.
  var steps = 0
  /// Notes of the step before, and those named in this one; pitches are counted from the lowest.
  var sounding = PitchSet()
  var new = PitchSet()
  var held = PitchSet()
  /// The pitch named last in this step; all that follow are lower.
  var last: Int
  /// Whether the time signature was named at the present bar line.
  var timeSignatureNamed = false
  /// Whether any note has begun.
  var played = false
  /// Whether the model would have ended the piece within this bar, the last one: what is left of it is silent.
  var isOver = false

  init(_ grid: Grid) {
    self.grid = grid
    last = grid.pitches
  }

  /// Steps completed of the piece that goes on; between two pieces, of the next one.
  var stepsOfPiece: Int { phase == .outside ? 0 : steps }

  var voices: Int { new.count + held.count }

  /// At a bar line, with nothing named yet.
  var isAtBarLine: Bool { phase == .inside && position == 0 && last == grid.pitches }

  /// Takes note of a token; one that cannot come here is taken as well as it can be.
  mutating func advance(_ token: Int32) {
    switch grid.meaning(token) {
    case .start:
      self = GridState(grid)
      phase = .opening
    case .end:
      isOver = false
      sounding = PitchSet()
      clearStep()
      phase = .outside
    case .timeSignature(let index):
      timeSignature = index
      barSteps = grid.barSteps(index) ?? barSteps
      // A bar that is cut short is complete.
      if position != 0 { bars += 1 }
      position = 0
      isOver = false
      timeSignatureNamed = true
      phase = .inside
    case .step(let next):
      sounding = new
      sounding.low |= held.low
      sounding.high |= held.high
      if !grid.lasts { sounding = PitchSet() }
      clearStep()
      if next == 0 {
        bars += 1
        isOver = false
      }
      position = next
      steps += 1
      timeSignatureNamed = false
      phase = .inside
    case .new(let pitch):
      played = true
      isOver = false
      new[pitch] = true
      held[pitch] = false
      last = pitch
      phase = .inside
    case .held(let pitch):
      // Begun in this step and held from the one before is a contradiction: it begins.
      held[pitch] = !new[pitch]
      last = pitch
      phase = .inside
    }
  }

  private mutating func clearStep() {
    new = PitchSet()
    held = PitchSet()
    last = grid.pitches
  }

  /// The state as words, for a snapshot.
  static let wordCount = 14

  var words: InlineArray<14, UInt64> {
    [
      UInt64(phase.rawValue), UInt64(timeSignature), UInt64(position), UInt64(bars), UInt64(steps),
      UInt64(last), timeSignatureNamed ? 1 : 0, sounding.low, sounding.high, new.low, new.high,
      held.low,
      held.high, (played ? 1 : 0) | (isOver ? 2 : 0),
    ]
  }

  /// nil if no sequence of tokens leads to these words.
  init?(_ grid: Grid, words: InlineArray<14, UInt64>) {
    self.init(grid)
    let counts = 1 << 48
    guard words[0] <= 2, let phase = Phase(rawValue: UInt8(words[0])),
      words[1] < UInt64(grid.timeSignatures.all.count), words[2] < UInt64(grid.positions),
      words[3] <= counts, words[4] <= counts, words[5] <= UInt64(grid.pitches), words[6] <= 1,
      words[13] <= 3
    else { return nil }
    self.phase = phase
    timeSignature = Int(words[1])
    barSteps = grid.barSteps(timeSignature) ?? barSteps
    position = Int(words[2])
    bars = Int(words[3])
    steps = Int(words[4])
    last = Int(words[5])
    timeSignatureNamed = words[6] == 1
    played = words[13] & 1 == 1
    isOver = words[13] & 2 == 2
    (sounding.low, sounding.high) = (words[7], words[8])
    (new.low, new.high) = (words[9], words[10])
    (held.low, held.high) = (words[11], words[12])
    for set in [sounding, new, held] where set.highest >= grid.pitches { return nil }
  }
}
