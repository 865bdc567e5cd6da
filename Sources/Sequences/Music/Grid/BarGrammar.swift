import Platform

/// A grammar of pieces that are a time signature, then steps with notes: what all of them allow of time signatures,
/// steps and ends.
protocol BarGrammar: MusicGrammar {
  var grid: Grid { get }
  var time: GridState { get }
  /// Sets `isOver` of `time`.
  func setOver()
  /// Tokens there are.
  var vocabulary: Int { get }
  /// Whether no note is named since the last step or time signature.
  var isBetweenNotes: Bool { get }
  /// Whether a note that the host wants is still to come or not over.
  var owesNotes: Bool { get }
  /// Forbids what cannot come next before the time signature of a piece, and after it.
  func forbidHeader(_ logits: UnsafeMutablePointer<Float>)
  func forbidInside(_ logits: UnsafeMutablePointer<Float>)
}

extension BarGrammar {
  var bars: Int { time.bars }

  /// Between two pieces.
  var isComplete: Bool { time.phase == .outside }

  func forbid(_ logits: UnsafeMutablePointer<Float>) {
    switch time.phase {
    case .outside: keep(logits, only: Grid.start)
    case .opening: forbidHeader(logits)
    case .inside: forbidInside(logits)
    }
  }

  func forbid(_ logits: UnsafeMutablePointer<Float>, _ tokens: Range<Int32>) {
    for token in tokens { logits[Int(token)] = -.infinity }
  }

  func keep(_ logits: UnsafeMutablePointer<Float>, only token: Int32) {
    forbid(logits, 0..<token)
    forbid(logits, token + 1..<Int32(vocabulary))
    if logits[Int(token)] == -.infinity { logits[Int(token)] = 0 }
  }

  /// Whether a grid has the time signature that is asked for, if one is.
  func hasTimeSignature(_ constraints: MusicConstraints) -> Bool {
    constraints.numerator == 0
      || grid.timeSignature(TimeSignature(constraints.numerator, constraints.denominator)) != nil
  }

  /// Where the time signature that the piece begins with is due.
  func forbidOpening(_ logits: UnsafeMutablePointer<Float>) {
    if constraints.numerator > 0,
      let index = grid.timeSignature(TimeSignature(constraints.numerator, constraints.denominator))
    {
      return keep(logits, only: Grid.firstTimeSignature + Int32(index))
    }
    forbid(logits, 0..<Grid.firstTimeSignature)
    forbid(logits, grid.firstStep..<Int32(vocabulary))
    forbidTimeSignatures(logits, except: -1)
  }

  /// Forbids time signatures the material does not have or whose bars are no whole number of steps, and one
  /// more.
  func forbidTimeSignatures(_ logits: UnsafeMutablePointer<Float>, except: Int) {
    for i in 0..<grid.timeSignatures.all.count
    where i == except || !grid.timeSignatures.isFound(i) || grid.barSteps(i) == nil {
      logits[Int(Grid.firstTimeSignature) + i] = -.infinity
    }
  }

  /// Within a piece: all but its notes. Gives false if nothing but one token may come.
  func forbidTime(_ logits: UnsafeMutablePointer<Float>) -> Bool {
    if constraints.bars > 0 && time.phase == .inside && time.position == 0 && isBetweenNotes
      && time.bars >= constraints.bars
    {
      keep(logits, only: Grid.end)
      return false
    }
    logits[Int(Grid.start)] = -.infinity
    fillLastBar(logits)
    if !mayEnd { logits[Int(Grid.end)] = -.infinity }
    if mayChangeTimeSignature {
      forbidTimeSignatures(logits, except: time.timeSignature)
    } else {
      forbid(logits, Grid.firstTimeSignature..<grid.firstStep)
    }
    let next = Int32((time.position + 1) % time.barSteps)
    forbid(logits, grid.firstStep..<grid.firstStep + next)
    forbid(logits, grid.firstStep + next + 1..<grid.firstNew)
    return true
  }

  /// A piece has a note in its first bar, as all that are learned from do; so none is silence.
  var mustBegin: Bool {
    !time.played && time.bars == 0 && time.position == time.barSteps - 1 && isBetweenNotes
  }

  /// At a bar line, or, where the material does so, within a bar that is not the last.
  private var mayChangeTimeSignature: Bool {
    guard isBetweenNotes, !time.timeSignatureNamed, time.played, constraints.numerator == 0
    else { return false }
    if time.position == 0 { return true }
    return grid.timeSignatures.changesWithinBars
      && (constraints.bars == 0 || time.bars + 1 < constraints.bars)
  }

  /// Within the last bar, where nothing is named since the last step, pieces of the material may end. Here what would
  /// end the piece lets a step pass, and once the end is the likeliest, what is left of the bar is silent: it would
  /// have the upbeat to a phrase that does not come.
  private func fillLastBar(_ logits: UnsafeMutablePointer<Float>) {
    guard constraints.bars > 0, time.bars + 1 == constraints.bars, time.position > 0,
      isBetweenNotes, time.played, !owesNotes
    else { return }
    let (end, step) = (Int(Grid.end), Int(grid.firstStep) + (time.position + 1) % time.barSteps)
    if !time.isOver && (0..<vocabulary).allSatisfy({ $0 == end || logits[$0] < logits[end] }) {
      setOver()
    }
    if time.isOver { return keep(logits, only: Int32(step)) }
    let (low, high) = (min(logits[step], logits[end]), max(logits[step], logits[end]))
    if low > -.infinity { logits[step] = high + logf(1 + expf(low - high)) }
  }

  /// Nothing named since the last step or time signature, a note in the piece, and the host agrees.
  private var mayEnd: Bool {
    guard isBetweenNotes, time.played, constraints.bars == 0 else { return false }
    if time.timeSignatureNamed || owesNotes { return false }
    switch constraints.ending {
    case .anywhere: return true
    case .barLine: return time.position == 0
    case .never: return false
    }
  }
}
