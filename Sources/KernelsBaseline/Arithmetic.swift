import CSimd

/// How the inner loops multiply. All of them see a right side in vectors of cells, a cell of four
/// bytes for each column: one float32 weight, two bfloat16 or four int8 weights, which are one, two or
/// four neighbours in depth. So the loops, and the order in memory, are the same for each.
protocol Arithmetic {
  /// The sums of one vector of columns.
  associatedtype Sum
  /// The cells of one vector of columns.
  associatedtype Cells
  /// One cell of the left side, for all columns.
  associatedtype Operand

  /// Numbers in a cell.
  static var numbers: Int { get }
  /// The four-byte words a cell of the left side takes.
  static var words: Int { get }
  /// Whether sums are whole numbers, which must not be rounded before the end of the depth.
  static var isExact: Bool { get }
  /// Whether a sum takes two vectors, each of which is ready again a cycle after it was added to.
  static var isWide: Bool { get }

  static var zero: Sum { get }
  static func start(_ columns: Columns) -> Sum
  static func cells(_ p: UnsafePointer<Float>) -> Cells
  static func operand(_ p: UnsafePointer<Float>) -> Operand
  static func dot(_ sum: Sum, _ x: Operand, _ w: Cells) -> Sum
  static func merged(_ a: Sum, _ b: Sum) -> Sum
  static func value(_ sum: Sum, _ columns: Columns) -> vfloat

  /// Rounds a vector of numbers to operands.
  static func put(_ operands: UnsafeMutablePointer<Float>, _ x: vfloat)
  /// Keeps a sum as it is, in the memory of `vectors` vectors, and gets it back.
  static func store(_ p: UnsafeMutablePointer<Float>, _ sum: Sum)
  static func load(_ p: UnsafePointer<Float>) -> Sum
}

extension Arithmetic {
  @inline(__always) static var vectors: Int { isWide ? 2 : 1 }
}

extension Arithmetic where Sum == vfloat {
  @inline(__always) static func store(_ p: UnsafeMutablePointer<Float>, _ sum: vfloat) {
    vstore(p, sum)
  }
  @inline(__always) static func load(_ p: UnsafePointer<Float>) -> vfloat { vload(p) }
}

/// What is known of a vector of columns beside its weights.
struct Columns {
  /// Added to the sums; nil for nothing.
  var bias: UnsafePointer<Float>?
  /// Of int8: what a sum is multiplied by, and what it begins with (integers).
  var scale: UnsafePointer<Float>?
  var offset: UnsafePointer<Float>?

  @inline(__always)
  init(bias: UnsafePointer<Float>?) {
    self.bias = bias
    scale = nil
    offset = nil
  }

  /// - `correction`: scales for `count` columns, then as many offsets; nil unless int8.
  @inline(__always)
  init(
    bias: UnsafePointer<Float>?, correction: UnsafePointer<Float>?, count: Int, first: Int
  ) {
    self.bias = bias
    scale = correction.map { $0 + first }
    offset = correction.map { $0 + (count + first) }
  }

  @inline(__always)
  var biases: vfloat { bias.map { vload($0) } ?? vsplat(0) }
}

enum InFloat32: Arithmetic {
  @inline(__always) static var numbers: Int { 1 }
  @inline(__always) static var words: Int { 1 }
  @inline(__always) static var isExact: Bool { false }
  @inline(__always) static var isWide: Bool { false }
  @inline(__always) static var zero: vfloat { vsplat(0) }
  @inline(__always) static func start(_ columns: Columns) -> vfloat { columns.biases }
  @inline(__always) static func cells(_ p: UnsafePointer<Float>) -> vfloat { vload(p) }
  @inline(__always) static func operand(_ p: UnsafePointer<Float>) -> vfloat { vsplat(p[0]) }
  @inline(__always) static func dot(_ sum: vfloat, _ x: vfloat, _ w: vfloat) -> vfloat {
    vfma(x, w, sum)
  }
  @inline(__always) static func merged(_ a: vfloat, _ b: vfloat) -> vfloat { a + b }
  @inline(__always) static func value(_ sum: vfloat, _ columns: Columns) -> vfloat { sum }
  @inline(__always) static func put(_ operands: UnsafeMutablePointer<Float>, _ x: vfloat) {
    vstore(operands, x)
  }
}
