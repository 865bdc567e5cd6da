/// How the products lay their sides out before the inner loops read them, and the memory it takes.
public enum Tiling {
  /// Rows of a tile: as many as leave registers for two vectors of columns, where there are 32 of them.
  @inlinable @inline(__always) public static var height: Int { 12 }

  /// Rows from which on a product lays its left side out.
  @inlinable @inline(__always) public static var leastRows: Int { 8 }

  /// Steps of the depth that the gradient of a weight with so many columns lays out at a time. The
  /// more, the less often its result is read and written, which matters where it is large.
  @inlinable @inline(__always) public static func steps(columns: Int) -> Int {
    columns <= 256 ? 256 : 512
  }

  /// Tiles that the gradient of a weight lays out at a time.
  @inlinable @inline(__always) public static var count: Int { 16 }

  /// Floats from one of these tiles to the next: a line more than it takes, or all tiles would fall on
  /// the same few places of the first-level cache while they are filled.
  @inlinable @inline(__always) public static func stride(steps: Int) -> Int { height * steps + 16 }
}

extension KernelTable {
  /// Floats of memory in which a product lays out so many rows of cells: none if they are few.
  public static func productRoom(rows: Int, depth: Int) -> Int {
    rows < Tiling.leastRows ? 0 : rows * depth + Tiling.height
  }

  /// Floats of memory in which the gradient of a weight with so many columns lays out its sides: panels
  /// of all columns, tiles of the other side, and one block at the edge.
  public static func weightGradientRoom(columns: Int) -> Int {
    let steps = Tiling.steps(columns: columns)
    return (columns + 31) / 32 * 32 * steps + Tiling.count * Tiling.stride(steps: steps)
      + Tiling.height * 32
  }

  /// Floats of memory that a step of one stream works in: three rows of operands, the sums of a block,
  /// the input's share of the gates.
  public static func streamStepRoom(hidden: Int) -> Int { 6 * hidden + 3 * 32 }

  /// Floats of the sums that a step of one stream begins: a sum may take two vectors.
  public static func begunSums(hidden: Int) -> Int { 2 * 3 * hidden }

  /// Floats from a row of what the gates keep for the backward pass to the next: a line more than it takes,
  /// or rows next to each other would fall on the same few places of the first-level cache.
  public static func cacheStride(hidden: Int) -> Int { 4 * hidden + 16 }
}
