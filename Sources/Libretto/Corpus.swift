import Sequences

/// What a trainer learns from and is tested on, as tokens.
struct Corpus {
  let encoding: any Encoding
  let training: Part
  let validation: Part
  /// 0 for music, which has no characters.
  let tokensPerCharacter: Double

  /// Tokens, and where pieces lie among them.
  struct Part {
    let tokens: TokenStore
    /// nil for text, which is one long stretch; else each piece in one or more variants, such as
    /// other tempi, of which an epoch takes one.
    let pieces: [[Range<Int>]]?
  }

  /// Tells this material from any other.
  var fingerprint: UInt64 {
    var hash = Hash()
    training.tokens.add(to: &hash)
    validation.tokens.add(to: &hash)
    return hash.value
  }

  /// Windows of the training part that an epoch has.
  func windowsPerEpoch(streams: Int, window: Int) -> Int {
    training.pieces.map { PieceWindows.epoch($0, streams: streams, window: window) }
      ?? TextWindows.epoch(tokens: training.tokens.count, streams: streams, window: window)
  }

  /// How the training part is read.
  func windows(streams: Int, window: Int, seed: UInt64, augment: Bool) -> any Windows {
    guard let pieces = training.pieces else {
      return TextWindows(training.tokens, streams: streams, window: window, seed: seed)
    }
    return PieceWindows(
      training.tokens, pieces, streams: streams, window: window, seed: seed, shuffles: true,
      music: augment ? encoding as? any MusicEncoding : nil)
  }
}

/// Which material a trainer was given.
enum Material {
  case none
  case text(TextMaterial)
  case music(MusicMaterial)

  /// The files, in the order they came, for a checkpoint to name.
  var files: [(path: String, validation: Bool)] {
    switch self {
    case .none: []
    case .text(let text): text.files
    case .music(let music): music.files
    }
  }
}
