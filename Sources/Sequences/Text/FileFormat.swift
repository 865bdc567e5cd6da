/// Formats that are told by their first bytes, and that are no plain text.
enum FileFormat {
  /// Such as "a PNG image"; nil if no known format begins so.
  static func name(of bytes: UnsafeRawBufferPointer) -> StaticString? {
    for format in formats
    where format.parts.allSatisfy({ (place, wanted) in
      bytes.count >= place + wanted.count
        && bytes[place..<place + wanted.count].elementsEqual(wanted)
    }) {
      return format.name
    }
    return nil
  }

  /// Bytes and their places; a format has all of its parts. Those of the file(1) database.
  private static let formats: [(name: StaticString, parts: [(Int, [UInt8])])] = [
    ("a zip archive, as docx, odt and epub files are", [(0, Array("PK\u{3}\u{4}".utf8))]),
    ("an empty zip archive", [(0, Array("PK\u{5}\u{6}".utf8))]),
    ("a gzip archive", [(0, [0x1F, 0x8B])]),
    ("an xz archive", [(0, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0])]),
    ("a Zstandard archive", [(0, [0x28, 0xB5, 0x2F, 0xFD])]),
    ("an LZ4 archive", [(0, [0x04, 0x22, 0x4D, 0x18])]),
    ("a bzip2 archive", [(0, Array("BZh".utf8)), (4, [0x31, 0x41, 0x59, 0x26, 0x53, 0x59])]),
    ("a 7-Zip archive", [(0, [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C])]),
    ("a RAR archive", [(0, Array("Rar!\u{1A}\u{7}".utf8))]),
    ("a tar archive", [(257, Array("ustar".utf8))]),
    ("a PDF document", [(0, Array("%PDF-".utf8))]),
    ("a PostScript document", [(0, Array("%!PS".utf8))]),
    ("an RTF document", [(0, Array("{\\rtf".utf8))]),
    ("an Office document", [(0, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])]),
    ("a PNG image", [(0, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])]),
    ("a JPEG image", [(0, [0xFF, 0xD8, 0xFF])]),
    ("a GIF image", [(0, Array("GIF8".utf8)), (5, Array("a".utf8))]),
    ("a TIFF image", [(0, [0x49, 0x49, 0x2A, 0])]),
    ("a TIFF image", [(0, [0x4D, 0x4D, 0, 0x2A])]),
    ("a WebP image", [(0, Array("RIFF".utf8)), (8, Array("WEBP".utf8))]),
    ("a WAV file", [(0, Array("RIFF".utf8)), (8, Array("WAVE".utf8))]),
    ("a WAV file", [(0, Array("RF64".utf8)), (8, Array("WAVE".utf8))]),
    ("an AIFF file", [(0, Array("FORM".utf8)), (8, Array("AIF".utf8))]),
    ("an AVI video", [(0, Array("RIFF".utf8)), (8, Array("AVI ".utf8))]),
    ("a soundfont", [(0, Array("RIFF".utf8)), (8, Array("sfbk".utf8))]),
    ("a MIDI file", [(0, Array("RIFF".utf8)), (8, Array("RMID".utf8))]),
    ("a MIDI file", [(0, Array("MThd".utf8))]),
    ("an MP3 file", [(0, Array("ID3".utf8)), (4, [0])]),
    ("a FLAC file", [(0, Array("fLaC".utf8))]),
    ("an Ogg file", [(0, Array("OggS\u{0}".utf8))]),
    ("an MP4 file", [(0, [0, 0]), (4, Array("ftyp".utf8))]),
    ("a Matroska or WebM file", [(0, [0x1A, 0x45, 0xDF, 0xA3])]),
    ("an ELF program", [(0, [0x7F, 0x45, 0x4C, 0x46])]),
    ("a Mach-O program or Java class", [(0, [0xCA, 0xFE, 0xBA, 0xBE])]),
    ("a Mach-O program", [(0, [0xCF, 0xFA, 0xED, 0xFE])]),
    ("a WebAssembly module", [(0, [0, 0x61, 0x73, 0x6D])]),
    ("an SQLite database", [(0, Array("SQLite format 3\u{0}".utf8))]),
    // The length of a JSON object, which begins after it.
    ("a safetensors file, as models are", [(4, [0, 0, 0, 0, UInt8(ascii: "{")])]),
  ]
}
