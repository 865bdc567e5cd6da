import Memory

// The header of a safetensors file is checked as it is read: every tensor lies inside the file, and no two share bytes.

extension SafeTensors {
  static func headerLength(_ source: any ByteSource, _ name: String) throws(LibrettoError)
    -> Int
  {
    guard source.count >= 10 else {
      throw LibrettoError(
        .format,
        "\(name) is not a model: it has \(source.count) bytes; a safetensors file has at least 10")
    }
    var start: (length: UInt64, brace: UInt8) = (0, 0)
    try withUnsafeMutableBytes(of: &start.length) { (b) throws(LibrettoError) in
      try source.read(at: 0, into: b)
    }
    try withUnsafeMutableBytes(of: &start.brace) { (b) throws(LibrettoError) in
      try source.read(at: 8, into: b)
    }
    guard start.brace == UInt8(ascii: "{") else {
      throw LibrettoError(
        .format, "\(name) is not a model: a safetensors file has { at byte 8, and this has not")
    }
    let length = UInt64(littleEndian: start.length)
    guard length >= 2, length <= UInt64(source.count - 8) else {
      throw LibrettoError(
        .format,
        "\(name) is damaged or truncated: it has \(source.count) bytes, and its header would have \(length)"
      )
    }
    guard length <= UInt64(largestHeader) else {
      throw LibrettoError(
        .format,
        "\(name) has a header of \(length) bytes; the most that is read is \(largestHeader)"
      )
    }
    return Int(length)
  }

  static func entries(_ header: JSONDocument, bytes: Int, _ name: String)
    throws(LibrettoError) -> GrowableBuffer<Entry>
  {
    guard let members = header.root.members else {
      throw LibrettoError(.format, "\(name) has a damaged header: it is not a JSON object")
    }
    let entries = GrowableBuffer<Entry>()
    for (key, value) in members where !key.says("__metadata__") {
      let entry = try entry(key, value, bytes: bytes, name)
      try allocating { () throws(OutOfMemory) in try entries.append(entry) }
    }
    return entries
  }

  private static func entry(_ key: JSONValue, _ value: JSONValue, bytes: Int, _ name: String)
    throws(LibrettoError) -> Entry
  {
    func fail(_ what: String, _ kind: LibrettoError.Kind = .format) -> LibrettoError {
      LibrettoError(
        kind, "\(name): tensor \"\(printable(key.string ?? "of a long name"))\" \(what)")
    }
    guard let type = value["dtype"]?.string.flatMap(ElementType.init(rawValue:)) else {
      throw fail("has an element type this version does not know", .unsupported)
    }
    guard let shape = value["shape"]?.array, let offsets = value["data_offsets"]?.array,
      shape.count <= 8, offsets.count == 2
    else { throw fail("lacks a proper shape or data_offsets") }
    let ends = offsets.map { $0.integer }
    guard let from = ends[0], let to = ends[1] else {
      throw fail("lacks a proper shape or data_offsets")
    }
    var count = 1
    for dimension in shape {
      guard let size = dimension.integer, size >= 0 else {
        throw fail("has a dimension that is not a whole number from 0 up")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow, product <= bytes else {
        throw fail("is larger than the file; the file is cut short")
      }
      count = product
    }
    guard from >= 0, to >= from, to <= bytes, to - from == count * type.size else {
      throw fail("lies at bytes \(from) to \(to) of \(bytes), which cannot be")
    }
    return Entry(key: key.place, value: value.place, type: type, from: from, to: to)
  }

  /// Sorts the tensors by their names, and refuses two of one name.
  func checkNames() throws(LibrettoError) {
    try allocating { () throws(OutOfMemory) in
      try entries.sort { header[$0.key].precedes(header[$1.key]) }
    }
    for i in stride(from: 1, to: entries.count, by: 1)
    where !header[entries[i - 1].key].precedes(header[entries[i].key]) {
      throw LibrettoError(
        .format,
        "\(name) has two tensors named \"\(printable(header[entries[i].key].string ?? "..."))\"")
    }
  }

  /// Tensors that share bytes could ask for far more memory than the file has.
  func checkRanges() throws(LibrettoError) {
    let ranges = try allocating { () throws(OutOfMemory) in
      let ranges = try GrowableBuffer<(from: Int, to: Int)>(capacity: entries.count)
      for entry in entries.elements { ranges.appendReserved((entry.from, entry.to)) }
      try ranges.sort { ($0.from, $0.to) < ($1.from, $1.to) }
      return ranges
    }
    var covered = 0
    for i in 0..<ranges.count {
      guard ranges[i].from == covered else {
        throw LibrettoError(
          .format, "\(name) has tensors that overlap or leave a gap at byte \(covered) of its data")
      }
      covered = ranges[i].to
    }
    guard covered == data.count else {
      throw LibrettoError(
        .format, "\(name) has \(data.count) bytes of data, of which its tensors take \(covered)")
    }
  }
}
