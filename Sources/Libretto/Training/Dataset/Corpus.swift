import Memory
import Sequences

/// What a trainer learns from and is tested on, as tokens.
struct Corpus {
  let encoding: any Encoding
  let training: Part
  let validation: Part
  /// 0 for music, which has no characters.
  let tokensPerCharacter: Double
  /// How the encoding was chosen, if it was left to the material.
  var choice: EncodingChoice?
  /// What a person should know of its files.
  var remarks = ObjectList<MaterialRemark>()

  /// Tokens, and where pieces lie among them.
  struct Part {
    let tokens: TokenStore
    /// nil for text that is one long stretch.
    let pieces: PieceList?
    /// What is to be predicted after each token, -1 for what does not count; nil if it is the next token.
    var targets: GrowableBuffer<Int32>?

    /// Tokens, of pieces without their variants.
    var count: Int {
      pieces.map { (pieces) in (0..<pieces.count).reduce(0) { $0 + pieces.tokens(of: $1).count } }
        ?? tokens.count
    }
  }

  /// Tells this material from any other; nil if it was stopped before its end.
  func fingerprint(until stop: StopFlag?) -> UInt64? {
    var hash = Hash()
    guard training.tokens.add(to: &hash, until: stop),
      validation.tokens.add(to: &hash, until: stop)
    else { return nil }
    for part in [training, validation] {
      for target in part.targets?.elements ?? .init(start: nil, count: 0) {
        hash.add(UInt64(bitPattern: Int64(target)))
      }
    }
    return hash.value
  }

  /// Windows of the training part that an epoch has.
  func windowsPerEpoch(streams: Int, window: Int) -> Int {
    training.pieces.map { PieceWindows.epoch($0, streams: streams, window: window) }
      ?? TextWindows.epoch(tokens: training.tokens.count, streams: streams, window: window)
  }

  /// Whether other keys and tempi are likely to help.
  var gainsFromVariants: Bool {
    encoding.kind == .music && MusicMaterial.gains(training.pieces?.count ?? .max)
  }

  /// The time steps of a window where nobody names them: 64, or fewer if of documents, each of which
  /// begins a window, these would fill less than four fifths.
  var usualWindow: Int {
    guard encoding.kind != .music, let documents = training.pieces else { return 64 }
    let predicted = (0..<documents.count).reduce(0) { $0 + documents.tokens(of: $1).count - 1 }
    var best = (window: 64, places: Int.max)
    for window in stride(from: 64, through: 8, by: -4) {
      let places = window * documents.windows(window)
      if places < best.places { best = (window, places) }
      if 4 * places <= 5 * predicted { break }
    }
    return best.window
  }

  /// How the training part is read.
  func windows(streams: Int, window: Int, seed: UInt64, augment: Bool, sides: Sides)
    throws(LibrettoError) -> any Windows
  {
    guard let pieces = training.pieces else {
      return TextWindows(training.tokens, streams: streams, window: window, seed: seed)
    }
    return try PieceWindows(
      training.tokens, pieces, targets: training.targets, streams: streams, window: window,
      seed: seed, shuffles: true,
      music: augment ? encoding.music : nil, sides: sides, encoding: encoding)
  }
}
