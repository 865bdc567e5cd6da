import Foundation
import Testing

@testable import Sequences

@Suite struct TextKindTests {
  private func converted(_ kind: TextKind, _ bytes: [UInt8]) throws(TextConversionError) -> String {
    var result: [UInt8] = []
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try kind.convert(UnsafeRawBufferPointer(buffer)) { packed, count in
      for i in 0..<count { result.append(UInt8(truncatingIfNeeded: packed >> UInt32(8 * i))) }
    }
    return String(validating: result, as: UTF8.self) ?? "not UTF-8"
  }

  private func error(_ kind: TextKind, _ bytes: [UInt8]) -> TextConversionError? {
    do throws(TextConversionError) {
      _ = try converted(kind, bytes)
      return nil
    } catch { return error }
  }

  @Test func everyByteOfLatin1() throws {
    let all = (0...255).map { UInt8($0) }
    #expect(try converted(.latin1, all).unicodeScalars.map(\.value) == (0...255).map { UInt32($0) })
  }

  @Test func everyByteOfWindows1252() throws {
    let undefined: Set<UInt8> = [0x81, 0x8D, 0x8F, 0x90, 0x9D]
    for byte in 0...255 as ClosedRange<UInt8> {
      if undefined.contains(byte) {
        #expect(
          error(.cp1252, [0x41, byte]) == TextConversionError(reason: .undefined, byte: 1))
      } else {
        let expected = String(data: Data([byte]), encoding: .windowsCP1252)
        #expect(try converted(.cp1252, [byte]) == expected, "0x\(String(byte, radix: 16))")
      }
    }
  }

  @Test(arguments: ["", "a", "naïve 日本 🎵\u{10FFFF}\u{D7FF}\u{E000}\u{FFFF}\u{0}z"])
  func everyLengthOfUTF16(text: String) throws {
    for (kind, swaps) in [(TextKind.utf16LittleEndian, false), (.utf16BigEndian, true)] {
      let units = text.utf16.map { swaps ? $0.byteSwapped : $0 }
      let bytes = units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
      #expect(try converted(kind, bytes) == text)
      // With its mark, which is no part of the text.
      #expect(try converted(kind, (swaps ? [0xFE, 0xFF] : [0xFF, 0xFE]) + bytes) == text)
    }
  }

  @Test func whatUTF16CannotHaveIsNamed() {
    let kind = TextKind.utf16LittleEndian
    let half = { TextConversionError(reason: .unpairedSurrogate, byte: $0) }
    #expect(error(kind, [0x41, 0, 0x00, 0xDC, 0x41, 0]) == half(2))
    #expect(error(kind, [0x00, 0xD8, 0x41, 0]) == half(0))
    #expect(error(kind, [0x00, 0xD8, 0x00, 0xD8, 0x00, 0xDC]) == half(0))
    #expect(error(kind, [0xFF, 0xFE, 0x3D, 0xD8]) == half(2))
    #expect(error(kind, [0x41, 0, 0x42]) == TextConversionError(reason: .oddLength, byte: 2))
    #expect(error(kind, [0x41]) == TextConversionError(reason: .oddLength, byte: 0))
    #expect(error(.utf16BigEndian, [0xDC, 0x00]) == half(0))
  }

  @Test func utf8IsCheckedAndLosesItsMark() throws {
    #expect(try converted(.utf8, [0xEF, 0xBB, 0xBF] + Array("é🎵".utf8)) == "é🎵")
    #expect(try converted(.utf8, Array("a\u{FEFF}".utf8)) == "a\u{FEFF}")
    for (bytes, at) in [
      ([0x41, 0xE9], 1), ([0xC0, 0x80], 0), ([0xED, 0xA0, 0x80], 0), ([0x41, 0xF0, 0x9F, 0x8E], 1),
    ] as [([UInt8], Int)] {
      #expect(error(.utf8, bytes) == TextConversionError(reason: .notUTF8, byte: at))
    }
  }

  @Test(arguments: [TextKind.damagedUTF8, .other, .binary])
  func otherKindsAreNotConverted(kind: TextKind) {
    #expect(error(kind, [0x41]) == TextConversionError(reason: .unsupported, byte: 0))
  }
}
