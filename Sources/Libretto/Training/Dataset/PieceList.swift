import Memory
import Sequences

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
  /// The label of each piece: see `Labels`.
  private let labels = GrowableBuffer<Int32>()
  /// What is known of each, of numbers; else nothing.
  private let series = GrowableBuffer<SeriesFacts>()

  var count: Int { firsts.count }

  /// Adds a piece; there is at least one variant.
  func append(_ variants: some Collection<Range<Int>>, label: Int32 = 0) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try firsts.reserve(1)
      try labels.reserve(1)
      try spans.reserve(variants.count)
    }
    firsts.appendReserved(spans.count)
    labels.appendReserved(label)
    for variant in variants {
      spans.appendReserved(Span(start: variant.lowerBound, end: variant.upperBound))
    }
  }

  private func places(of piece: Int) -> Range<Int> {
    firsts[piece]..<(piece + 1 < firsts.count ? firsts[piece + 1] : spans.count)
  }

  func variants(of piece: Int) -> Int { places(of: piece).count }

  func label(of piece: Int) -> Int32 { labels[piece] }
  func series(of piece: Int) -> SeriesFacts {
    piece < series.count ? series[piece] : SeriesFacts()
  }

  /// Adds a piece of a series; all pieces of a list are of series, or none.
  func append(_ tokens: Range<Int>, series facts: SeriesFacts) throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in try series.reserve(1) }
    try append(CollectionOfOne(tokens))
    series.appendReserved(facts)
  }

  /// The tokens of a variant.
  func tokens(of piece: Int, variant: Int = 0) -> Range<Int> {
    let span = spans[places(of: piece).lowerBound + variant]
    return span.start..<span.end
  }

  /// Tokens of the longest variant of all.
  var longest: Int { spans.elements.reduce(0) { max($0, $1.end - $1.start) } }

  /// Sequences that a stretch takes. Its first token is not predicted.
  static func sequences(of tokens: Range<Int>, sequence: Int) -> Int {
    max(0, tokens.count - 2 + sequence) / sequence
  }

  /// Sequences that a piece takes in an epoch: those of its longest variant.
  func sequences(of piece: Int, sequence: Int) -> Int {
    places(of: piece).reduce(0) { max($0, sequences(at: $1, sequence)) }
  }

  /// Sequences that all pieces take.
  func sequences(_ sequence: Int) -> Int {
    (0..<count).reduce(0) { $0 + sequences(of: $1, sequence: sequence) }
  }

  /// How many of its variants take at least one sequence, and no more than `free`.
  func variants(of piece: Int, within free: Int, sequence: Int) -> Int {
    places(of: piece).reduce(0) { $0 + (fits($1, free, sequence) ? 1 : 0) }
  }

  /// The one of these variants with that place among them.
  func variant(_ number: Int, of piece: Int, within free: Int, sequence: Int) -> Int {
    let places = places(of: piece)
    var left = number
    for place in places where fits(place, free, sequence) {
      if left == 0 { return place - places.lowerBound }
      left -= 1
    }
    return 0
  }

  /// The most variants that an epoch can have.
  func mostVariants(_ sequence: Int) -> Int {
    (0..<count).reduce(0) { (sum, piece) in
      let shortest = places(of: piece).reduce(Int.max) {
        min($0, max(1, sequences(at: $1, sequence)))
      }
      return sum + max(1, sequences(of: piece, sequence: sequence) / shortest)
    }
  }

  private func sequences(at place: Int, _ sequence: Int) -> Int {
    Self.sequences(of: spans[place].start..<spans[place].end, sequence: sequence)
  }

  private func fits(_ place: Int, _ free: Int, _ sequence: Int) -> Bool {
    let sequences = sequences(at: place, sequence)
    return sequences > 0 && sequences <= free
  }
}
