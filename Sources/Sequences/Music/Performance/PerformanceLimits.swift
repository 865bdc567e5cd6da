import Memory

/// How long notes and silences may last in performances of one collection: what nearly all of its own
/// do. A model that forgets to end a note, as all do now and then, is so made to; and a pedal that a
/// file never releases does not teach it to.
public struct PerformanceLimits: Equatable, Sendable {
  /// In steps of 10 ms. A note that lasts longer ends there; after so long without a note that begins
  /// or ends, one must, or the piece ends.
  public let note: Int
  public let silence: Int

  /// 30 s: the most there can be, for collections nobody looked through.
  public static let widest = PerformanceLimits(note: longest, silence: longest)
  private static let longest = 3000
  private static let shortest = 100

  private init(note: Int, silence: Int) {
    self.note = note
    self.silence = silence
  }

  /// Numbers beyond 1 s to 30 s are moved there.
  init(clamping note: Int, _ silence: Int) {
    self.note = max(Self.shortest, min(Self.longest, note))
    self.silence = max(Self.shortest, min(Self.longest, silence))
  }

  /// Looks through files for the limits that leave one note in fifty and one silence in a thousand
  /// beyond them. No note lasts longer than 10 s, when a piano's strings have died away.
  public struct Survey {
    private let notes: GrowableBuffer<Int>
    private let silences: GrowableBuffer<Int>

    public init() throws(OutOfMemory) {
      notes = try GrowableBuffer(repeating: 0, count: PerformanceLimits.longest + 1)
      silences = try GrowableBuffer(repeating: 0, count: PerformanceLimits.longest + 1)
    }

    public func note(_ file: MIDIFile) throws(EncodingError) {
      guard let tokens = try PerformanceEncoding().tokens(of: file) else { return }
      var began = [Int](repeating: 0, count: 128)
      var now = 0
      var waited = 0
      for token in tokens {
        switch PerformanceTokens.meaning(token) {
        case .shift(let steps):
          now += steps
          waited += steps
          continue
        case .on(let pitch): began[pitch] = now
        case .off(let pitch): notes[min(PerformanceLimits.longest, now - began[pitch])] += 1
        default: break
        }
        if waited > 0 { silences[min(PerformanceLimits.longest, waited)] += 1 }
        waited = 0
      }
    }

    public var limits: PerformanceLimits {
      PerformanceLimits(
        clamping: min(1000, Self.quantile(notes, beyond: 50)),
        Self.quantile(silences, beyond: 1000))
    }

    private static func quantile(_ counts: GrowableBuffer<Int>, beyond: Int) -> Int {
      var rest = counts.reduce(0, +) / beyond
      for length in counts.indices.reversed() {
        rest -= counts[length]
        if rest < 0 { return length }
      }
      return 0
    }
  }
}
