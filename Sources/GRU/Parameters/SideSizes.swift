/// The number of values of each side input of a network. In place: to copy a shape counts no references.
public struct SideSizes: Equatable, Sendable, RandomAccessCollection {
  /// The most side inputs.
  public static let most = 16

  private var sizes = InlineArray<16, Int32>(repeating: 0)
  public private(set) var count = 0

  public init() {}

  /// - `sizes`: at most `most`.
  public init(_ sizes: some Collection<Int>) {
    precondition(sizes.count <= Self.most)
    for size in sizes {
      self.sizes[count] = Int32(clamping: size)
      count += 1
    }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }
  public subscript(i: Int) -> Int { Int(sizes[i]) }

  /// How many of the first seldom change from a token to the next: all but two.
  var steady: Int { Swift.max(0, count - 2) }

  /// All values together.
  public var total: Int { first(count) }

  /// The values of the side inputs before one.
  func first(_ side: Int) -> Int {
    var total = 0
    for i in 0..<side { total += Int(sizes[i]) }
    return total
  }

  public static func == (a: SideSizes, b: SideSizes) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<a.count where a.sizes[i] != b.sizes[i] { return false }
    return true
  }
}
