import TestSupport
import Testing

@testable import Sequences

/// `UTF8Text.scalar` against Swift's own validation of strings.
@Suite struct UTF8TextTests {
  /// Swift's word: the scalar and length of the whole sequence, nil if it is not exactly one.
  private func reference(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    let scalars = text.unicodeScalars
    let first = scalars[scalars.startIndex]
    return scalars.index(after: scalars.startIndex) == scalars.endIndex ? first.value : nil
  }

  /// Whether both agree on these bytes taken as one whole character.
  private func agree(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    let found = UTF8Text.scalar(bytes.baseAddress!, bytes.count)
    let whole = found.flatMap { $0.length == bytes.count ? $0.value : nil }
    return whole == reference(bytes)
  }

  @Test func allSequencesOfOneAndTwoBytes() {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2) { buffer in
      for a in 0...255 {
        buffer[0] = UInt8(a)
        #expect(agree(UnsafeBufferPointer(rebasing: buffer[..<1])))
        for b in 0...255 {
          buffer[1] = UInt8(b)
          #expect(agree(UnsafeBufferPointer(buffer)))
        }
      }
    }
  }

  /// Validating a string for each would take minutes: the well-formed ones are those Swift writes.
  @Test func allSequencesOfThreeBytes() {
    var wanted = [UInt16](repeating: 0, count: 1 << 20)
    for value in UInt32(0x800)...0xFFFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let place = UTF8.encode(scalar)!.reduce(0) { $0 << 8 | Int($1) }
      wanted[place & 0xF_FFFF] = UInt16(value)
    }
    var wrong = 0
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3) { buffer in
      let start = UnsafePointer(buffer.baseAddress!)
      var lead = 0xE0
      while lead <= 0xEF {
        var rest = 0
        while rest <= 0xFFFF {
          buffer[0] = UInt8(lead)
          buffer[1] = UInt8(rest >> 8)
          buffer[2] = UInt8(rest & 0xFF)
          let found = UTF8Text.scalar(start, 3)
          let value = found.map { $0.length == 3 ? $0.value : 0 } ?? 0
          if value != UInt32(wanted[(lead & 0xF) << 16 | rest]) { wrong += 1 }
          rest += 1
        }
        lead += 1
      }
      // After any other first byte there is never a character of three.
      for lead in Array(0...0xDF) + Array(0xF0...0xFF) {
        for rest in stride(from: 0, through: 0xFFFF, by: 251) {
          buffer[0] = UInt8(lead)
          buffer[1] = UInt8(rest >> 8)
          buffer[2] = UInt8(rest & 0xFF)
          if UTF8Text.scalar(start, 3)?.length == 3 { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test func manySequencesOfFourBytes() {
    var random = SplitMix(4)
    let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { buffer in
      var wrong = 0
      for lead in 0xE0...0xFF {
        buffer[0] = UInt8(lead)
        for b in edges {
          for c in edges {
            for d in edges {
              (buffer[1], buffer[2], buffer[3]) = (b, c, d)
              if !agree(UnsafeBufferPointer(buffer)) { wrong += 1 }
            }
          }
        }
      }
      for _ in 0..<50_000 {
        buffer[0] = UInt8.random(in: 0xEF...0xF6, using: &random)
        for i in 1..<4 { buffer[i] = UInt8.random(in: 0x78...0xC8, using: &random) }
        if !agree(UnsafeBufferPointer(buffer)) { wrong += 1 }
      }
      #expect(wrong == 0)
    }
  }

  @Test func everyScalarAndItsLength() {
    var wrong = 0
    for value in UInt32(0)...0x10FFFF {
      guard Unicode.Scalar(value) != nil else { continue }
      let (packed, count) = UTF8Text.bytes(of: value)
      withUnsafeBytes(of: packed.littleEndian) { raw in
        let bytes = raw.bindMemory(to: UInt8.self)
        // More bytes after it change nothing, one fewer makes it no character.
        let whole = UTF8Text.scalar(bytes.baseAddress!, 4)
        if whole?.value != value || whole?.length != count { wrong += 1 }
        if count > 1, UTF8Text.scalar(bytes.baseAddress!, count - 1) != nil { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  /// Cut anywhere, both parts have the characters of the whole.
  @Test func wholeCharacters() {
    var state: UInt64 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    func lengths(_ bytes: [UInt8]) -> [Int] {
      var result: [Int] = []
      bytes.withUnsafeBufferPointer { buffer in
        var i = 0
        while i < bytes.count {
          let length = UTF8Text.scalar(buffer.baseAddress! + i, bytes.count - i)?.length ?? 1
          result.append(length)
          i += length
        }
      }
      return result
    }
    let pieces: [[UInt8]] =
      ["a", "é", "日", "🎵"].map { Array($0.utf8) } + [
        [0x80], [0xBF], [0xC3], [0xE6, 0x97], [0xF0, 0x9F, 0x8E], [0xF0], [0xFF],
      ]
    for _ in 0..<500 {
      let bytes = (0..<1 + random(6)).flatMap { _ in pieces[random(pieces.count)] }
      for end in 1...bytes.count {
        let count = Array(bytes[..<end]).withUnsafeBytes { UTF8Text.wholeCharacters($0) }
        #expect(count > 0 && count <= end && count >= end - 3)
        // Fewer bytes may be no more than the beginning of a character.
        guard end > 3 else { continue }
        #expect(
          lengths(Array(bytes[..<count])) + lengths(Array(bytes[count...])) == lengths(bytes),
          "\(bytes) at \(end)")
      }
    }
  }
}
