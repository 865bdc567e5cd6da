/// Reading elements, as of any collection. What makes a collection of its elements (`map`, `filter`,
/// `sorted`) makes an array, which is for small ones.
extension GrowableBuffer: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { count }
}
