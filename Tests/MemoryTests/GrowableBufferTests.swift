import Memory
import Testing

@Suite struct GrowableBufferTests {
  @Test func whatIsAppendedIsThere() throws {
    let buffer = GrowableBuffer<Int32>()
    #expect(buffer.elements.isEmpty)
    for i in 0..<1000 { try buffer.append(Int32(i)) }
    try buffer.append(contentsOf: 1000..<2000)
    let more = Array(Int32(2000)..<3000)
    try more.withUnsafeBufferPointer { try buffer.append(contentsOf: $0) }
    #expect(Array(buffer.elements) == Array(0..<3000))
    buffer[7] = -1
    #expect(buffer[7] == -1 && buffer[8] == 8)
    buffer.truncate(to: 8)
    buffer.trim()
    #expect(Array(buffer.elements) == [0, 1, 2, 3, 4, 5, 6, -1] && buffer.capacity == 8)
    try buffer.append(5)
    #expect(buffer.count == 9 && buffer[8] == 5)
  }

  @Test func roomIsReservedAtOnce() throws {
    let buffer = try GrowableBuffer<UInt8>(capacity: 10)
    try buffer.reserve(10)
    #expect(buffer.capacity == 10 && buffer.count == 0)
    for i in 0..<10 { buffer.appendReserved(UInt8(i)) }
    let before = buffer.capacity
    try buffer.append(10)
    #expect(buffer.capacity >= 2 * before && buffer.count == 11)
    let threes = try GrowableBuffer<UInt16>(repeating: 3, count: 5)
    withExtendedLifetime(threes) { #expect(Array(threes.elements) == [3, 3, 3, 3, 3]) }
  }

  @Test(arguments: [1 << 60, 1 << 62, Int.max])
  func sizesThatNoMachineHasAreAnError(count: Int) throws {
    #expect(throws: OutOfMemory.self) { try GrowableBuffer<Int>(capacity: count) }
    #expect(throws: OutOfMemory.self) { try GrowableBuffer<UInt8>(repeating: 1, count: count) }
    let buffer = GrowableBuffer<Int>()
    try buffer.append(1)
    #expect(throws: OutOfMemory.self) { try buffer.reserve(count) }
    // It is as it was.
    #expect(Array(buffer.elements) == [1])
    try buffer.append(2)
    #expect(Array(buffer.elements) == [1, 2])
  }

  @Test func sortingKeepsTheOrderOfEquals() throws {
    var state: UInt64 = 1
    for count in [0, 1, 2, 3, 10, 63, 64, 65, 1000] {
      let buffer = GrowableBuffer<Int>()
      for i in 0..<count {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        try buffer.append(Int(state >> 60) << 16 | i)
      }
      let wanted = buffer.elements.sorted()
      try buffer.sort { $0 >> 16 < $1 >> 16 }
      #expect(Array(buffer.elements) == wanted)
    }
  }
}
