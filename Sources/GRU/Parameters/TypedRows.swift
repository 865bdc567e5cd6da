/// Rows of a parameter tensor in the form that model files have them in: `count` rows of `columns` numbers of one
/// element type, one after another without gaps, and in int8 a scale for each row. A vector is one row.
///
/// From the file to the packed panels weights keep this form: they are quantized once, when a float32 row meets a
/// network of fewer bits.
public struct TypedRows {
  /// The element type: a number of int8 counts times the row's scale.
  public let element: Precision
  public let count, columns: Int
  public let bytes: UnsafeRawPointer
  /// `[count]`; of int8 alone.
  public let scales: UnsafePointer<Float>?

  public init(
    _ element: Precision, count: Int, columns: Int, bytes: UnsafeRawPointer,
    scales: UnsafePointer<Float>? = nil
  ) {
    self.element = element
    self.count = count
    self.columns = columns
    self.bytes = bytes
    self.scales = scales
  }

  /// Bytes of one row.
  public var rowBytes: Int { columns * element.bits / 8 }

  func bytes(of row: Int) -> UnsafeRawPointer { bytes + row * rowBytes }
  public func scale(of row: Int) -> Float { scales?[row] ?? 1 }

  /// Whether a network of these elements takes the row as it is. In int8 the kernels want numbers from -127 and a
  /// scale above 0; other libraries may write others.
  func isProper(_ row: Int) -> Bool {
    guard element == .int8 else { return true }
    guard scale(of: row) > 0, scale(of: row).isNormal else { return false }
    let numbers = UnsafeRawBufferPointer(start: bytes(of: row), count: columns)
    return !numbers.contains(0x80)
  }

  /// Part of a row as floats.
  public func decode(
    row: Int, from first: Int, count: Int, into floats: UnsafeMutablePointer<Float>
  ) {
    element.decode(
      bytes(of: row) + first * element.bits / 8, count: count, scale: scale(of: row), into: floats)
  }
}
