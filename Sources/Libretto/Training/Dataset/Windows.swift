import Sequences

/// How tokens are read for training: by parallel streams, a window of each at a time. Where every
/// stream stands follows from the number of the step alone, so a run can go on from anywhere.
protocol Windows: AnyObject {
  var windowsPerEpoch: Int { get }

  /// Copies a step's windows: `[window][streams]` tokens to read and to predict, a target of -1
  /// where there is nothing to predict. Calls `reset` for each stream that begins anew, from a zero
  /// state, at this step.
  ///
  /// - `sides`: takes the side values that go with the inputs, `[window][streams][side inputs]`; nil if the
  ///   network has none.
  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    sides: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void)
}

extension Windows {
  func fill(
    step: Int, inputs: UnsafeMutablePointer<Int32>, targets: UnsafeMutablePointer<Int32>,
    reset: (Int) -> Void
  ) { fill(step: step, inputs: inputs, targets: targets, sides: nil, reset: reset) }
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
    sides: UnsafeMutablePointer<Int32>?, reset: (Int) -> Void
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
