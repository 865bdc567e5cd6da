/// Objects in a list that grows with the input; where an `Array` of them would end the process for want
/// of memory this throws.
public final class ObjectList<Object: AnyObject>: RandomAccessCollection, @unchecked Sendable {
  private let references = GrowableBuffer<OpaquePointer>()

  public init() {}

  deinit {
    for i in 0..<references.count { reference(i).release() }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { references.count }

  /// Keeps the object alive as long as the list lives.
  public func append(_ object: Object) throws(OutOfMemory) {
    try references.reserve(1)
    references.appendReserved(OpaquePointer(Unmanaged.passRetained(object).toOpaque()))
  }

  public subscript(i: Int) -> Object { reference(i).takeUnretainedValue() }

  private func reference(_ i: Int) -> Unmanaged<Object> {
    Unmanaged.fromOpaque(UnsafeRawPointer(references[i]))
  }
}
