/// Reading elements, as of any collection. What makes a collection of its elements (`map`, `filter`,
/// `sorted`) makes an array, which is for small ones.
extension GrowableBuffer: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }
}

extension GrowableBuffer {
  /// Leaves the elements for which something holds.
  public func keep(where holds: (Element) -> Bool) {
    var kept = 0
    for i in 0..<count where holds(self[i]) {
      self[kept] = self[i]
      kept += 1
    }
    truncate(to: kept)
  }

  /// Removes the elements from one place to before another, if the other is behind it.
  public func remove(from start: Int, to end: Int) {
    guard let base, start >= 0, start < end, end <= count else { return }
    (base + start).update(from: base + end, count: count - end)
    truncate(to: count - (end - start))
  }
}
