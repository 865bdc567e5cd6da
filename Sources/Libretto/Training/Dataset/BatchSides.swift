import Memory
import Sequences

/// The side values of what the rows of a batch read.
final class BatchSides {
  /// Side inputs of the network.
  private let count: Int
  private let batch: Int
  private let readers: ObjectList<SideReader>
  /// The passage that each row's reader is in, and the token it reads next.
  private let stands: GrowableBuffer<Stand>

  private struct Stand: BitwiseCopyable {
    var passage = -1
    var next = 0
  }

  /// nil if the network has no side inputs.
  ///
  /// - `longest`: no passage has more tokens.
  init?(batch: Int, _ sides: Sides, _ encoding: any Encoding, longest: Int) throws(LibrettoError) {
    guard !sides.inputs.isEmpty else { return nil }
    self.batch = batch
    count = sides.inputs.count
    let readers = ObjectList<SideReader>()
    for _ in 0..<batch {
      guard let reader = try SideReader(sides, encoding, longest: longest) else { return nil }
      try allocating { () throws(OutOfMemory) in try readers.append(reader) }
    }
    self.readers = readers
    stands = try allocating { () throws(OutOfMemory) in
      try GrowableBuffer(repeating: Stand(), count: batch)
    }
  }

  /// At the beginning of an epoch, whose passages are other ones.
  func forget() { for i in 0..<stands.count { stands[i] = Stand() } }

  /// Writes the values of a row's sequence from the token `at` on.
  ///
  /// - `passage`: its number in the epoch. `tokens`: those of it. `facts`: what is known of it before it begins.
  /// - `hidesMemory`: whether the memory tells nothing of this sequence; nil for what the facts say.
  /// - `token`: gives its tokens as they are read.
  func fill(
    _ values: UnsafeMutablePointer<Int32>, row: Int, sequence: Int, at start: Int, passage: Int,
    tokens: Range<Int>, facts: () -> SideFacts, hidesMemory: Bool? = nil, token: (Int) -> Int32
  ) {
    let reader = readers[row]
    if stands[row].passage != passage || stands[row].next != start {
      reader.begin(facts())
      // A row may begin in the middle of a passage, as may a run that is resumed.
      for at in tokens.lowerBound..<min(start, tokens.upperBound) { reader.skip(token(at)) }
    }
    if let hidesMemory { reader.hidesMemory = hidesMemory }
    for t in 0..<sequence {
      let values = values + (t * batch + row) * count
      if start + t < tokens.upperBound {
        reader.advance(token(start + t), into: values)
      } else {
        for side in 0..<count { values[side] = 0 }
      }
    }
    stands[row] = Stand(passage: passage, next: start + sequence)
  }

  /// Nothing is told of a row that reads nothing.
  func leaveOut(_ row: Int, _ sequence: Int, _ values: UnsafeMutablePointer<Int32>) {
    for t in 0..<sequence {
      for side in 0..<count { values[(t * batch + row) * count + side] = 0 }
    }
  }
}
