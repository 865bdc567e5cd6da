import Memory

/// Where pieces or documents lie among tokens: each in one or more variants, such as other tempi, of
/// which an epoch takes one.
final class PieceList {
  private struct Span: BitwiseCopyable {
    let start: Int
    let end: Int
  }

  /// The variants of all pieces, one piece's after another's.
  private let spans = GrowableBuffer<Span>()
  /// The place of each piece's first among them.
  private let firsts = GrowableBuffer<Int>()

  var count: Int { firsts.count }

  /// Adds a piece; there is at least one variant.
  func append(_ variants: some Collection<Range<Int>>) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try firsts.reserve(1)
      try spans.reserve(variants.count)
    }
    firsts.appendReserved(spans.count)
    for variant in variants {
      spans.appendReserved(Span(start: variant.lowerBound, end: variant.upperBound))
    }
  }

  private func places(of piece: Int) -> Range<Int> {
    firsts[piece]..<(piece + 1 < firsts.count ? firsts[piece + 1] : spans.count)
  }

  func variants(of piece: Int) -> Int { places(of: piece).count }

  /// The tokens of a variant.
  func tokens(of piece: Int, variant: Int = 0) -> Range<Int> {
    let span = spans[places(of: piece).lowerBound + variant]
    return span.start..<span.end
  }

  /// Tokens of the longest variant of all.
  var longest: Int { spans.elements.reduce(0) { max($0, $1.end - $1.start) } }

  /// Windows that a piece takes: those of its longest variant. Its first token is not predicted.
  func windows(of piece: Int, window: Int) -> Int {
    places(of: piece).reduce(0) {
      max($0, (spans[$1].end - spans[$1].start - 2 + window) / window)
    }
  }

  /// Windows that all pieces take.
  func windows(_ window: Int) -> Int {
    (0..<count).reduce(0) { $0 + windows(of: $1, window: window) }
  }
}
