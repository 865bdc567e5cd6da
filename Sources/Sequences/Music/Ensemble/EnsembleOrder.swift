/// Another order of the parts of a piece.
struct EnsembleOrder {
  /// The new number of each part, and the part of each new number.
  private var numbers = InlineArray<16, Int>(repeating: 0)
  private var parts = InlineArray<16, Int>(repeating: 0)
  private let count: Int

  /// Some parts by chance come first, among themselves and the others in the order they had. Three of four pieces
  /// stay as they are; of the others half have one part first.
  init(count: Int, chance: UInt64) {
    self.count = count
    guard count > 0 else { return }
    var first: UInt64 = 0
    switch chance & 7 {
    case 0...5: break
    case 6: first = 1 << (chance >> 32 % UInt64(count))
    default: first = chance >> 32
    }
    var next = 0
    for isFirst in [true, false] {
      for part in 0..<count where (first >> UInt64(part) & 1 == 1) == isFirst {
        numbers[part] = next
        parts[next] = part
        next += 1
      }
    }
  }

  /// Writes the tokens of a piece in this order.
  ///
  /// - `result`: room for as many.
  func apply(
    _ piece: UnsafeMutableBufferPointer<Int32>, _ ensemble: Ensemble,
    to result: UnsafeMutablePointer<Int32>
  ) {
    var at = 0
    while at < piece.count {
      let token = piece[at]
      switch ensemble.meaning(token) {
      case .instrument:
        let first = at
        while at < piece.count, case .instrument = ensemble.meaning(piece[at]) { at += 1 }
        for i in 0..<at - first {
          result[first + i] = piece[first + (i < count ? min(parts[i], at - first - 1) : i)]
        }
      case .part, .hold:
        // Where each part of the step begins, and what follows the last of them.
        var starts = InlineArray<16, Int>(repeating: -1)
        var out = at
        let first = at
        while at < piece.count, !isTime(piece[at], ensemble) {
          switch ensemble.meaning(piece[at]) {
          case .part(let number), .hold(let number): starts[number] = at
          default: break
          }
          at += 1
        }
        for number in 0..<count where starts[parts[number]] >= 0 {
          var from = starts[parts[number]]
          let isHeld = piece[from] >= ensemble.firstHold
          result[out] = isHeld ? ensemble.hold(number) : ensemble.part(number)
          (out, from) = (out + 1, from + 1)
          while from < at, !ensemble.isPart(piece[from]) {
            result[out] = piece[from]
            (out, from) = (out + 1, from + 1)
          }
        }
        // Never so of pieces that are well-formed.
        while out < at {
          result[out] = piece[first + (at - out) - 1]
          out += 1
        }
      default:
        result[at] = token
        at += 1
      }
    }
  }

  private func isTime(_ token: Int32, _ ensemble: Ensemble) -> Bool {
    token < ensemble.grid.firstNew
  }
}
