/// A small categorical value that a sequence carries beside each token and that is known before the
/// next token is: the place in the bar, the key of the piece. The network adds an embedding of it to the
/// token's.
public struct SideInput: Equatable, Sendable {
  /// What model files call it: the tensor is `side.NAME.weight`.
  public let name: String
  /// Values there are, 0 up to `count - 1`. 0 means "not told".
  public let count: Int
  /// Whether it may be left untold, so that training now and then does so.
  public let mayHide: Bool
  /// Whether its values from 1 on stand for numbers in rising order.
  public let isOrdered: Bool

  public init(name: String, count: Int, mayHide: Bool = true, isOrdered: Bool = false) {
    self.name = name
    self.count = count
    self.mayHide = mayHide
    self.isOrdered = isOrdered
  }
}

/// What is known of a piece before it begins. 0 is "not told" in each member.
public struct SideFacts: BitwiseCopyable, Equatable, Sendable {
  /// Bars of the whole piece.
  public var bars: Int32 = 0
  /// The key: 1 to 12 for C major to B major, 13 to 24 for C minor to B minor.
  public var key: Int32 = 0
  /// Whether it ends on the tonic of its key.
  public var endsOnTonic = true
  /// Its label: see `Labels`.
  public var label: Int32 = 0
  /// Of numbers: what is known of them.
  public var series = SeriesFacts()
  /// Side inputs that are not told whatever is known: bit K for the Kth of the encoding's own, and the bit
  /// after those for the memory.
  public var hidden: UInt32 = 0

  public init() {}

  /// The memory tells nothing.
  public mutating func hideMemory(of encoding: any Encoding) {
    hidden |= 1 << UInt32(encoding.ownSideInputs.count)
  }

  /// Whether it does not.
  public func hidesMemory(of encoding: any Encoding) -> Bool {
    hidden >> UInt32(encoding.ownSideInputs.count) & 1 == 1
  }
}

/// Works out the side values of a sequence that is read, as its tokens come. (A session, which follows the
/// music anyway, asks the encoding: see `MusicEncoding.writeSides`.) None of its calls allocates.
public protocol SideCursor: AnyObject {
  /// Before the first token of a piece.
  func begin(_ facts: SideFacts)
  /// Takes the next token and writes the values that go into the network with it, one for each of the
  /// encoding's `ownSideInputs`.
  func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>)
}
