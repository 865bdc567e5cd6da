/// Elements in one block of memory that grows, for whatever grows with the input.
///
/// Not an `Array`: where there is no memory left an array ends the process, and this throws an error
/// that a host can see. Arrays are for what stays below 4 KiB whatever the input is.
public final class GrowableBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
  public private(set) var count = 0
  public private(set) var capacity = 0
  /// The elements; moves when the buffer grows. nil until there was anything to keep.
  public private(set) var base: UnsafeMutablePointer<Element>?

  public init() {}

  /// Room for so many elements.
  public convenience init(capacity: Int) throws(OutOfMemory) {
    self.init()
    try resize(to: capacity)
  }

  public convenience init(repeating element: Element, count: Int) throws(OutOfMemory) {
    try self.init(capacity: count)
    base?.initialize(repeating: element, count: count)
    self.count = count
  }

  deinit { release(base) }

  /// Makes room for so many more elements.
  @inlinable
  public func reserve(_ more: Int) throws(OutOfMemory) {
    if more > capacity - count { try grow(by: more) }
  }

  @inlinable
  public func append(_ element: Element) throws(OutOfMemory) {
    if count == capacity { try grow(by: 1) }
    appendReserved(element)
  }

  /// Appends an element for which room was reserved.
  @inlinable @inline(__always)
  public func appendReserved(_ element: Element) {
    assert(count < capacity)
    (base! + count).initialize(to: element)
    setCount(count + 1)
  }

  public func append(contentsOf elements: UnsafeBufferPointer<Element>) throws(OutOfMemory) {
    guard let source = elements.baseAddress, !elements.isEmpty else { return }
    try reserve(elements.count)
    (base! + count).initialize(from: source, count: elements.count)
    count += elements.count
  }

  @inlinable
  public func append(contentsOf elements: some Sequence<Element>) throws(OutOfMemory) {
    for element in elements { try append(element) }
  }

  /// Leaves the first elements and the room of the others.
  public func truncate(to count: Int) { self.count = Swift.min(Swift.max(count, 0), self.count) }

  /// Gives back the room that is not used.
  public func trim() {
    guard count < capacity, count > 0 else { return }
    try? resize(to: count)
  }

  @inlinable
  public subscript(i: Int) -> Element {
    @inline(__always) get {
      assert(i >= 0 && i < count)
      return base.unsafelyUnwrapped[i]
    }
    @inline(__always) set {
      assert(i >= 0 && i < count)
      base.unsafelyUnwrapped[i] = newValue
    }
  }

  /// All elements, for as long as the buffer lives and does not grow. Where nothing else keeps it alive,
  /// see `withElements`.
  @inlinable
  public var elements: UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: base, count: count)
  }

  /// All elements, for as long as the body runs.
  @inlinable
  public func withElements<Result, Failure: Error>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(elements)
  }

  @usableFromInline @inline(__always)
  func setCount(_ value: Int) { count = value }

  @usableFromInline
  func grow(by more: Int) throws(OutOfMemory) {
    let (least, overflow) = count.addingReportingOverflow(more)
    guard !overflow else { throw OutOfMemory(bytes: .max) }
    let (twice, tooMany) = capacity.multipliedReportingOverflow(by: 2)
    try resize(
      to: Swift.max(least, tooMany ? least : twice, 64 / Swift.max(MemoryLayout<Element>.stride, 1))
    )
  }

  private func resize(to capacity: Int) throws(OutOfMemory) {
    guard capacity > 0 else { return }
    let (bytes, overflow) = capacity.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    base = try resized(base, to: overflow ? .max : bytes)
      .bindMemory(to: Element.self, capacity: capacity)
    self.capacity = capacity
  }
}

extension GrowableBuffer {
  /// Sorts; equal elements stay in their order.
  public func sort(by isBefore: (Element, Element) -> Bool) throws(OutOfMemory) {
    guard count > 1, var from = base else { return }
    let scratch = try GrowableBuffer(repeating: self[0], count: count)
    guard var to = scratch.base else { return }
    var width = 1
    while width < count {
      for start in stride(from: 0, to: count, by: 2 * width) {
        let middle = Swift.min(start + width, count)
        let end = Swift.min(start + 2 * width, count)
        var (left, right) = (start, middle)
        for place in start..<end {
          if left < middle && (right == end || !isBefore(from[right], from[left])) {
            to[place] = from[left]
            left += 1
          } else {
            to[place] = from[right]
            right += 1
          }
        }
      }
      swap(&from, &to)
      width *= 2
    }
    if from != base { base!.update(from: from, count: count) }
  }
}
