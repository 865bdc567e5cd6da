import Testing

@testable import GRU

struct FloatBufferTests {
  @Test func zeroAndAligned() throws {
    for count in [0, 1, 15, 16, 1000] {
      let buffer = try FloatBuffer(count)
      #expect(buffer.count == count)
      #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
      #expect(buffer.values.allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: [Int.max / 4, Int.max / 2, Int.max])
  func moreThanThereIs(count: Int) {
    #expect(throws: NetworkError.outOfMemory(floats: count)) { try FloatBuffer(count) }
  }
}
