import Sequences

/// How tokens are read for training: by parallel streams, a window of each at a time. Where every
/// stream stands follows from the number of the step alone, so a run can go on from anywhere.
protocol Windows: AnyObject {
  var windowsPerEpoch: Int { get }

  /// Copies a step's windows: `[window][streams]` tokens to read and to predict, a target of -1
  /// where there is nothing to predict. Calls `reset` for each stream that begins anew, from a zero
  /// state, at this step.
  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    reset: (Int) -> Void)
}

/// Text is one long stretch: each stream walks its own part of it once per epoch.
///
/// Each epoch leaves some tokens out, other ones each time: the windows are whole and begin at a
/// random place, the same in every part.
final class TextWindows: Windows {
  let windowsPerEpoch: Int
  private let tokens: TokenStore
  let streams: Int
  let window: Int
  private let seed: UInt64
  /// Tokens that one stream predicts if it walks to the end of its part.
  private let stretch: Int
  /// Places an epoch can begin at.
  private let beginnings: Int

  init(_ tokens: TokenStore, streams: Int, window: Int, seed: UInt64) {
    self.tokens = tokens
    self.streams = streams
    self.window = window
    self.seed = seed
    stretch = (tokens.count - 1) / streams
    windowsPerEpoch = Self.epoch(tokens: tokens.count, streams: streams, window: window)
    beginnings =
      max(0, stretch - windowsPerEpoch * window) + (tokens.count - 1) % streams + 1
  }

  /// The windows of an epoch. Where it costs little, one is given up so that epochs differ more.
  static func epoch(tokens: Int, streams: Int, window: Int) -> Int {
    let whole = max(1, (tokens - 1) / streams / window)
    return whole >= 8 ? whole - 1 : whole
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    reset: (Int) -> Void
  ) {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: windowsPerEpoch)
    if place == 0 { for stream in 0..<streams { reset(stream) } }
    var random = RandomSource(seed: seed &+ UInt64(epoch))
    let start = Int(random.next() % UInt64(beginnings)) + place * window
    for stream in 0..<streams {
      for t in 0..<window {
        let at = stream * stretch + start + t
        let i = t * streams + stream
        inputs[i] = at < tokens.count ? tokens[at] : 0
        targets[i] = at + 1 < tokens.count ? tokens[at + 1] : -1
      }
    }
  }
}

/// Music comes in pieces, and so do documents: each begins from a zero state at the beginning of a window, and what is
/// left of its last window stays empty. The pieces are shuffled for each epoch, laid end to end, and
/// shared out among the streams.
final class PieceWindows: Windows {
  let windowsPerEpoch: Int
  private let tokens: TokenStore
  private let pieces: [[Range<Int>]]
  private let streams: Int
  private let window: Int
  private let seed: UInt64
  private let shuffles: Bool
  private let music: (any MusicEncoding)?
  /// Windows of all pieces, a piece's being those of its longest variant.
  private let windows: Int
  /// How far each piece may be moved, in semitones.
  private let ranges: [ClosedRange<Int>]

  private var epoch = -1
  /// For this epoch: the pieces in order, the first window of each, and what is done to it.
  private var order: [Int] = []
  private var firsts: [Int] = []
  private var variants: [Range<Int>] = []
  private var shifts: [Int] = []

  /// - `music`: given if pieces are to be transposed, by up to half an octave each way.
  init(
    _ tokens: TokenStore, _ pieces: [[Range<Int>]], streams: Int, window: Int, seed: UInt64,
    shuffles: Bool, music: (any MusicEncoding)?
  ) {
    self.tokens = tokens
    self.pieces = pieces
    self.streams = streams
    self.window = window
    self.seed = seed
    self.shuffles = shuffles
    self.music = music
    windows = Self.count(pieces, window: window)
    windowsPerEpoch = Self.epoch(pieces, streams: streams, window: window)
    ranges =
      music.map { music in
        pieces.map { music.transpositions(of: $0[0].lazy.map { tokens[$0] }).clamped(to: -6...5) }
      } ?? []
  }

  private static func count(_ piece: [Range<Int>], window: Int) -> Int {
    piece.reduce(0) { max($0, ($1.count - 2 + window) / window) }
  }
  /// The windows of all pieces.
  static func count(_ pieces: [[Range<Int>]], window: Int) -> Int {
    pieces.reduce(0) { $0 + count($1, window: window) }
  }

  /// The windows of an epoch.
  static func epoch(_ pieces: [[Range<Int>]], streams: Int, window: Int) -> Int {
    max(1, (count(pieces, window: window) + streams - 1) / streams)
  }

  private func begin(_ epoch: Int) {
    self.epoch = epoch
    var random = RandomSource(seed: seed &+ UInt64(epoch))
    order = Array(0..<pieces.count)
    if shuffles {
      for i in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(i, Int(random.next() % UInt64(i + 1)))
      }
    }
    firsts.removeAll(keepingCapacity: true)
    variants.removeAll(keepingCapacity: true)
    shifts.removeAll(keepingCapacity: true)
    var next = 0
    for piece in order {
      let all = pieces[piece]
      let variant = shuffles ? Int(random.next() % UInt64(all.count)) : 0
      let range = ranges.isEmpty ? 0...0 : ranges[piece]
      firsts.append(next)
      variants.append(all[variant])
      shifts.append(range.lowerBound + Int(random.next() % UInt64(range.count)))
      next += Self.count(all, window: window)
    }
  }

  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    reset: (Int) -> Void
  ) {
    let (epoch, place) = step.quotientAndRemainder(dividingBy: windowsPerEpoch)
    if epoch != self.epoch { begin(epoch) }
    for stream in 0..<streams {
      let number = stream * windowsPerEpoch + place
      guard number < windows else {
        for t in 0..<window {
          inputs[t * streams + stream] = 0
          targets[t * streams + stream] = -1
        }
        continue
      }
      let index = self.index(of: number)
      let within = number - firsts[index]
      if within == 0 || place == 0 { reset(stream) }
      let piece = variants[index]
      let start = piece.lowerBound + within * window
      for t in 0..<window {
        let at = start + t
        let i = t * streams + stream
        inputs[i] = at < piece.upperBound ? token(at, shifts[index]) : 0
        targets[i] = at + 1 < piece.upperBound ? token(at + 1, shifts[index]) : -1
      }
    }
  }

  @inline(__always)
  private func token(_ at: Int, _ shift: Int) -> Int32 {
    guard shift != 0, let music else { return tokens[at] }
    return music.transposed(tokens[at], by: shift)
  }

  /// The piece a window is of: the last one that begins at or before it.
  private func index(of window: Int) -> Int {
    var low = 0
    var high = firsts.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if firsts[middle] <= window { low = middle } else { high = middle - 1 }
    }
    return low
  }
}
