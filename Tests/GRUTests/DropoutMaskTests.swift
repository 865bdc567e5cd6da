import Kernels
import Testing

@testable import GRU

/// What is dropped differs wherever it should, and nowhere else.
struct DropoutMaskTests {
  private let width = 32
  private let rows = 5

  private func mask(seed: UInt64 = 1, step: UInt64 = 0, layer: Int = 0, time: Int = 0) -> [Float] {
    let dropout = Dropout(probability: 0.5, seed: seed, batch: rows, firstRow: 0)
    let ones = [Float](repeating: 1, count: rows * width)
    var mask = ones
    dropout.apply(
      .current, DropoutStep(number: step), layer: layer, time: time, width: width, rows: rows,
      x: ones, y: &mask)
    return mask
  }

  @Test func everyPlaceHasItsOwn() {
    #expect(mask() == mask())
    var masks = Set([mask()])
    for seed in 2...5 { masks.insert(mask(seed: UInt64(seed))) }
    for step in 1...40 { masks.insert(mask(step: UInt64(step))) }
    for layer in 1...31 { masks.insert(mask(layer: layer)) }
    for time in 1...40 { masks.insert(mask(time: time)) }
    #expect(masks.count == 1 + 4 + 40 + 31 + 40)
    for row in 1..<rows {
      #expect(mask()[..<width].elementsEqual(mask()[(row * width)..<((row + 1) * width)]) == false)
    }
  }
}
