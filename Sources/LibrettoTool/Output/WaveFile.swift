import Platform

/// Rendered sound, a RIFF file of 32-bit floats, which is written as 16-bit numbers with its loudest
/// sample 1 dB below full scale ("Multimedia Programming Interface and Data Specifications 1.0", 1991).
final class WaveFile {
  private let file: UnsafeMutablePointer<FILE>
  private let channels: Int
  private let rate: Int
  /// Where the samples are, and how many.
  private let start: Int
  private let samples: Int

  /// The size of the data is a field of 32 bits.
  static let mostBytes = Int(UInt32.max) - 64
  var bytes: Int { 2 * samples }

  /// Quieter music is not raised by more than this: what is left of silence would be noise.
  private static let mostGain: Float = 1000
  private static let block = 1 << 15

  /// Takes the file, and closes it in the end; nil if it holds no sound.
  init?(_ file: UnsafeMutablePointer<FILE>) {
    self.file = file
    fseek(file, 0, SEEK_END)
    let size = ftell(file)
    rewind(file)
    var format: (tag: Int, channels: Int, rate: Int, bits: Int)?
    var start: Int?
    if let riff = Self.read(file, 12), riff.starts(with: "RIFF".utf8) {
      while start == nil, let head = Self.read(file, 8) {
        let length = Self.number(head[4..<8])
        if head.starts(with: "data".utf8) {
          start = ftell(file)
        } else if head.starts(with: "fmt ".utf8), (16..<1024).contains(length),
          let facts = Self.read(file, length)
        {
          format = (
            Self.number(facts[0..<2]), Self.number(facts[2..<4]), Self.number(facts[4..<8]),
            Self.number(facts[14..<16])
          )
        } else {
          fseek(file, length + length % 2, SEEK_CUR)
        }
      }
    }
    // 3 is IEEE floats.
    guard let start, let format, format.tag == 3, format.bits == 32, format.channels > 0 else {
      fclose(file)
      return nil
    }
    self.start = start
    channels = format.channels
    rate = format.rate
    // What the header says of the size is too little for a long file.
    samples = (size - start) / 4 / channels * channels
  }

  deinit { fclose(file) }

  private static func read(_ file: UnsafeMutablePointer<FILE>, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return fread(&bytes, 1, count, file) == count ? bytes : nil
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// Hands on all samples in blocks.
  private func forEachBlock<Failure: Error>(
    _ each: (UnsafeBufferPointer<Float>) throws(Failure) -> Void
  ) throws(Failure) {
    fseek(file, start, SEEK_SET)
    let block = UnsafeMutableBufferPointer<Float>.allocate(capacity: Self.block)
    defer { block.deallocate() }
    var left = samples
    while left > 0 {
      let wanted = min(left, Self.block)
      let count = fread(block.baseAddress, 4, wanted, file)
      for i in 0..<wanted where i >= count || !block[i].isFinite { block[i] = 0 }
      try each(UnsafeBufferPointer(rebasing: block[..<wanted]))
      left -= wanted
    }
  }

  /// Hands the bytes of the file of 16-bit numbers to a sink.
  func write<Failure: Error>(
    to sink: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var peak: Float = 0
    forEachBlock { for sample in $0 { peak = max(peak, abs(sample)) } }
    let gain = peak > 0 ? min(Self.mostGain, 0.8912509 / peak) : 1
    var header = Array("RIFF".utf8) + Self.bytes(36 + bytes, 4) + Array("WAVEfmt ".utf8)
    header += Self.bytes(16, 4) + Self.bytes(1, 2) + Self.bytes(channels, 2) + Self.bytes(rate, 4)
    header += Self.bytes(2 * channels * rate, 4) + Self.bytes(2 * channels, 2) + Self.bytes(16, 2)
    header += Array("data".utf8) + Self.bytes(bytes, 4)
    try header.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try sink(UnsafeRawBufferPointer(bytes))
    }
    let words = UnsafeMutableBufferPointer<Int16>.allocate(capacity: Self.block)
    defer { words.deallocate() }
    try forEachBlock { (block) throws(Failure) in
      for (i, sample) in block.enumerated() {
        words[i] = Int16((sample * gain * 32767).rounded()).littleEndian
      }
      try sink(UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: words[..<block.count])))
    }
  }
}
