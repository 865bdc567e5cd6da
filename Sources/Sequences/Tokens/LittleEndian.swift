// Numbers as snapshots have them: little-endian, whatever the machine, at any address.

extension UnsafeRawPointer {
  /// Word number `i` of eight bytes each.
  package func word(_ i: Int) -> UInt64 {
    UInt64(littleEndian: loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self))
  }

  /// Half word number `i` of four bytes each.
  package func halfWord(_ i: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self))
  }
}

extension UnsafeMutableRawPointer {
  package func setWord(_ i: Int, _ value: UInt64) {
    storeBytes(of: value.littleEndian, toByteOffset: 8 * i, as: UInt64.self)
  }

  package func setHalfWord(_ i: Int, _ value: UInt32) {
    storeBytes(of: value.littleEndian, toByteOffset: 4 * i, as: UInt32.self)
  }
}
