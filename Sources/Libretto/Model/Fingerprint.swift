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
    var current = 0
    stored.forEachPart { tensor, numbers in
      if tensor != current {
        let end = layout.tensors[current].offset + layout.tensors[current].count
        if precision == .float32 {
          for _ in end..<layout.tensors[tensor].offset { words.add(0) }
        }
        current = tensor
      }
      for number in numbers { words.add(number.bitPattern) }
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

  mutating func add(_ bits: UInt32) {
    guard rowsLeft > 0 else { return }
    left -= 1
    if let low = first {
      hash.add(UInt64(bits) << 32 | UInt64(low))
      first = nil
    } else if left == 0 {
      hash.add(UInt64(bits))
    } else {
      first = bits
    }
    if left == 0 { nextRow() }
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
