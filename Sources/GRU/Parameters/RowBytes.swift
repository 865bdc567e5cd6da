import Kernels

// A row of a matrix in the bytes of a precision, as networks keep it and model files hold it.
// Little-endian; in int8 the numbers are those of the row over its scale, which is kept elsewhere.

extension Precision {
  /// Quantizes `count` numbers of a row and gives the scale they are over: 1 but in int8. What was quantized
  /// to the precision before comes back bit for bit.
  @discardableResult
  public func encode(
    _ row: UnsafePointer<Float>, count: Int, into bytes: UnsafeMutableRawPointer
  ) -> Float {
    switch self {
    case .float32:
      for i in 0..<count {
        bytes.storeBytes(of: row[i].bitPattern.littleEndian, toByteOffset: 4 * i, as: UInt32.self)
      }
    case .bfloat16:
      for i in 0..<count {
        bytes.storeBytes(
          of: Kernels.bfloat16(row[i]).littleEndian, toByteOffset: 2 * i, as: UInt16.self)
      }
    case .int8:
      let scale = int8Scale(row, count: count, stride: 1)
      for i in 0..<count {
        bytes.storeBytes(of: Kernels.int8(row[i], scale: scale), toByteOffset: i, as: Int8.self)
      }
      return scale
    }
    return 1
  }

  /// Reads what `encode` wrote.
  public func decode(
    _ bytes: UnsafeRawPointer, count: Int, scale: Float, into row: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .float32:
      for i in 0..<count {
        let bits = bytes.loadUnaligned(fromByteOffset: 4 * i, as: UInt32.self)
        row[i] = Float(bitPattern: UInt32(littleEndian: bits))
      }
    case .bfloat16:
      for i in 0..<count {
        let bits = bytes.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)
        row[i] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
      }
    case .int8:
      for i in 0..<count {
        row[i] = Float(bytes.loadUnaligned(fromByteOffset: i, as: Int8.self)) * scale
      }
    }
  }
}
