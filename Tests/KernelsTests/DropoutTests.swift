import Kernels
import TestSupport
import Testing

struct DropoutTests {
  static let count = 64_000

  private func mask(
    _ set: InstructionSet, key: UInt32 = 77, counter: UInt32 = 0, probability: Double = 0.3,
    count: Int = DropoutTests.count
  ) -> [Float] {
    let ones = [Float](repeating: 1, count: count)
    var y = [Float](repeating: .nan, count: count)
    set.kernels.dropout(
      count, key, counter, UInt32(probability * 4_294_967_296), Float(1 / (1 - probability)), ones,
      &y)
    return y
  }

  @Test(arguments: InstructionSet.available, [0.1, 0.3, 0.5, 0.9])
  func keepsItsShare(set: InstructionSet, probability: Double) {
    let y = mask(set, probability: probability)
    let kept = y.filter { $0 != 0 }
    #expect(kept.allSatisfy { $0 == Float(1 / (1 - probability)) })
    // Four standard deviations of the share.
    let deviation = (probability * (1 - probability) / Double(y.count)).squareRoot()
    #expect(abs(Double(kept.count) / Double(y.count) - (1 - probability)) < 4 * deviation)
  }

  @Test(arguments: InstructionSet.available)
  func scalesWhatItKeeps(set: InstructionSet) {
    var numbers = Numbers(7)
    var x = numbers.floats(160)
    let mask = mask(set, count: 160)
    let wanted = zip(x, mask).map { $0 * $1 }
    x.withUnsafeMutableBufferPointer { x in
      set.kernels.dropout(
        160, 77, 0, UInt32(0.3 * 4_294_967_296), Float(1 / 0.7), x.baseAddress!, x.baseAddress!)
    }
    #expect(x == wanted)
    #expect(self.mask(set, probability: 0, count: 160) == [Float](repeating: 1, count: 160))
  }

  @Test(arguments: InstructionSet.available)
  func splittingChangesNothing(set: InstructionSet) {
    let whole = mask(set, counter: 32, count: 480)
    #expect(whole == mask(set, counter: 32, count: 480))
    for cut in stride(from: 16, to: 480, by: 16) {
      let first = mask(set, counter: 32, count: cut)
      let second = mask(set, counter: 32 + UInt32(cut), count: 480 - cut)
      #expect(first + second == whole, "cut at \(cut)")
    }
    // A counter may pass the end of its 32 bits.
    let late = mask(set, counter: .max - 15, count: 32)
    #expect(Array(late[16...]) == mask(set, counter: 0, count: 16))
  }

  /// Neighbouring keys, and a mask and itself moved by one, agree as often as chance has it.
  @Test(arguments: InstructionSet.available)
  func masksAreIndependent(set: InstructionSet) {
    let a = mask(set, key: 77)
    let shifted = Array(a[1...]) + [a[0]]
    for b in [mask(set, key: 78), mask(set, key: 77 ^ 0x8000_0000), shifted] {
      let agree = zip(a, b).filter { $0 == $1 }.count
      #expect(abs(Double(agree) / Double(a.count) - (0.3 * 0.3 + 0.7 * 0.7)) < 0.01)
    }
  }

  @Test func everySetDropsTheSame() {
    let baseline = mask(.baseline)
    for set in InstructionSet.available { #expect(mask(set) == baseline) }
  }
}
