import CLibretto
import Libretto
import Sequences

// Text before it is tokens: what it is, and the way to UTF-8.

@c @implementation public func retto_text_examine(
  _ data: UnsafeRawPointer!, _ length: Int, _ info: UnsafeMutablePointer<retto_text_info>!
) -> retto_status {
  call { () throws(LibrettoError) in
    let info = try require(info, "the info")
    let text = TextExamination(try bytes(data, length, "the data"))
    let value = retto_text_info(
      size: 0, kind: retto_text_kind(rawValue: UInt32(text.kind.rawValue)),
      mark_length: Int32(text.markLength), bad_count: text.badCount,
      first_bad: text.firstBad ?? Int(bitPattern: UInt.max),
      name: UnsafeRawPointer(text.name.utf8Start).assumingMemoryBound(to: CChar.self))
    try write(value, to: info, "the info")
  }
}

@c @implementation public func retto_text_convert(
  _ kind: retto_text_kind, _ data: UnsafeRawPointer!, _ length: Int,
  _ text: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ size: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    guard let known = TextKind(rawValue: Int32(truncatingIfNeeded: kind.rawValue)),
      known.isConverted
    else {
      throw LibrettoError(
        .argument,
        "the kind is \(kind.rawValue); text of RETTO_TEXT_UTF8, _LATIN1, _CP1252, _UTF16LE and _UTF16BE can be converted"
      )
    }
    let data = try bytes(data, length, "the data")
    var needed = 0
    try known.converting(data, name: "the data") { needed += $1 }
    let text: UnsafeMutablePointer<CChar>? = text
    guard try hasRoom(for: needed, text, capacity, size, "the buffer for text"), let text else {
      return
    }
    var i = 0
    try known.converting(data, name: "the data") { packed, count in
      for byte in 0..<count {
        text[i] = CChar(truncatingIfNeeded: packed >> UInt32(8 * byte))
        i += 1
      }
    }
  }
}
