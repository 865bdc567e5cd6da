import GRU

extension Network {
  /// Changes with any size and, but for the last floats of some models, any parameter.
  ///
  /// It is the hash of the sizes and the precision, then of the parameters as floats: row after row in the
  /// order of the layout, two to a word, 0 after the last of an odd row. In float32 the rows are taken from the buffer
  /// of the layout as if no zeros lay between its tensors: they begin earlier than the tensors' own rows where
  /// some do, and the last floats are left out. Snapshots keep this value, so it stays that way.
  var fingerprint: UInt64 {
    var words = RowWords(layout.tensors)
    for number in [
      shape.vocabulary, shape.embedding, shape.hidden, shape.layers, precision.rawValue,
    ] { words.hash.add(UInt64(number)) }
    // Between two tensors there are fewer.
    let zeros = [Float](repeating: 0, count: 16)
    var current = 0
    stored.forEachPart { tensor, numbers in
      if tensor != current {
        let end = layout.tensors[current].offset + layout.tensors[current].count
        if precision == .float32 {
          zeros.withUnsafeBufferPointer {
            words.add(UnsafeBufferPointer(rebasing: $0[..<(layout.tensors[tensor].offset - end)]))
          }
        }
        current = tensor
      }
      words.add(numbers)
    }
    return words.hash.value
  }
}

/// Puts floats together to words, by rows as long as those of the tensors.
private struct RowWords {
  var hash = Hash()
  private let tensors: ParameterLayout.Tensors
  private var tensor = 0
  private var rowsLeft, columns, left: Int
  /// The first half of a word.
  private var first: UInt32?

  init(_ tensors: ParameterLayout.Tensors) {
    self.tensors = tensors
    rowsLeft = tensors[0].rows
    columns = tensors[0].columns
    left = columns
  }

  /// Takes the floats that follow; those after the last row do not count.
  mutating func add(_ numbers: UnsafeBufferPointer<Float>) {
    var at = 0
    while at < numbers.count, rowsLeft > 0 {
      let end = at + min(left, numbers.count - at)
      left -= end - at
      if let low = first {
        hash.add(UInt64(numbers[at].bitPattern) << 32 | UInt64(low))
        first = nil
        at += 1
      }
      while at + 1 < end {
        hash.add(UInt64(numbers[at + 1].bitPattern) << 32 | UInt64(numbers[at].bitPattern))
        at += 2
      }
      if at < end {
        if left > 0 {
          first = numbers[at].bitPattern
        } else {
          hash.add(UInt64(numbers[at].bitPattern))
        }
        at += 1
      }
      if left == 0 { nextRow() }
    }
  }

  private mutating func nextRow() {
    rowsLeft -= 1
    if rowsLeft == 0, tensor + 1 < tensors.count {
      tensor += 1
      rowsLeft = tensors[tensor].rows
      columns = tensors[tensor].columns
    }
    left = columns
  }
}

/// A running 64-bit hash of words: exclusive-or and multiply, as in FNV-1a but a word at a time, and fold.
/// Each step can be undone, so that two sequences which differ in one word never have the same. Snapshots
/// and checkpoints keep its values: it must not change.
struct Hash {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9E37_79B9_7F4A_7C15
    value ^= value >> 29
  }
}
