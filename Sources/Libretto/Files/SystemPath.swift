import Platform

/// Paths are Strings here, and to the system they are bytes, which need not be UTF-8. So that every
/// file a folder lists can be opened, kept in a checkpoint and shown, a byte that is no part of
/// well-formed UTF-8 stands in the String as a character from U+10FF80 to U+10FFFF, of private use (as
/// PEP 383 has it with surrogates, which Swift's Strings cannot hold).
package enum SystemPath {
  private static let stand: UInt32 = 0x10FF00
  private static let standIns = stand + 0x80...stand + 0xFF

  /// The String of a name the system gave.
  package static func string(_ name: UnsafePointer<CChar>) -> String {
    if let plain = String(validatingCString: name),
      !plain.unicodeScalars.contains(where: isStandIn)
    {
      return plain
    }
    var result = String.UnicodeScalarView()
    var rest = UnsafeBufferPointer(start: name, count: length(of: name))
      .map { UInt8(bitPattern: $0) }[...]
    while let first = rest.first {
      var decoder = UTF8()
      var bytes = rest.makeIterator()
      if case .scalarValue(let scalar) = decoder.decode(&bytes), !isStandIn(scalar) {
        result.append(scalar)
        rest = rest.dropFirst(UTF8.width(scalar))
      } else {
        result.append(Unicode.Scalar(stand + UInt32(first))!)
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  private static func length(of name: UnsafePointer<CChar>) -> Int {
    var count = 0
    while name[count] != 0 { count += 1 }
    return count
  }

  /// Hands the system's name for a path to the body.
  package static func with<Result>(
    _ path: String, _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    guard path.unicodeScalars.contains(where: isStandIn) else { return path.withCString(body) }
    var name: [CChar] = []
    for scalar in path.unicodeScalars {
      if isStandIn(scalar) {
        name.append(CChar(truncatingIfNeeded: scalar.value - stand))
      } else {
        name += UTF8.encode(scalar)!.map { CChar(bitPattern: $0) }
      }
    }
    name.append(0)
    return body(name)
  }

  /// The names in a folder that do not begin with a dot, in order; nil if it cannot be read.
  package static func names(in folder: String) -> [String]? {
    guard let directory = with(folder, { opendir($0) }) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { string($0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// A path from the root on, without links; nil if nothing is there.
  package static func resolved(_ path: String) -> String? {
    guard let full = with(path, { realpath($0, nil) }) else { return nil }
    defer { free(full) }
    return string(full)
  }

  /// A text that may hold paths, for people: such bytes as "\xE9".
  package static func shown(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isStandIn) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isStandIn(scalar) {
        result += "\\x" + String(scalar.value - stand, radix: 16, uppercase: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isStandIn(_ scalar: Unicode.Scalar) -> Bool {
    standIns.contains(scalar.value)
  }
}
