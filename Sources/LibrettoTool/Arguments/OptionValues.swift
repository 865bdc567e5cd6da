import ArgumentParser

/// The numbers an option takes, as its help and the message about any other number put them.
struct Bounds<Value: Comparable & LosslessStringConvertible & Sendable>: Sendable {
  private let least, most: Value
  /// Whether `least` itself is refused.
  private let isOpen: Bool

  static func from(_ least: Value, to most: Value) -> Self {
    Self(least: least, most: most, isOpen: false)
  }

  static func above(_ least: Value, to most: Value) -> Self {
    Self(least: least, most: most, isOpen: true)
  }

  func contains(_ value: Value) -> Bool {
    (isOpen ? value > least : value >= least) && value <= most
  }

  var text: String {
    isOpen
      ? "above \(plain(least)) and at most \(plain(most))"
      : "from \(plain(least)) to \(plain(most))"
  }

  /// Without a fraction that is zero.
  private func plain(_ value: Value) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

/// Reads the value of an option that takes a number. Anything else, or a number out of bounds, is
/// refused with a message that names the bounds.
func number<Value: LosslessStringConvertible>(_ bounds: Bounds<Value>)
  -> @Sendable (String) throws -> Value
{
  let kind = Value.self is any BinaryInteger.Type ? "a whole number" : "a number"
  return { text in
    guard let value = Value(text), bounds.contains(value) else {
      throw ValidationError("expected \(kind) \(bounds.text)")
    }
    return value
  }
}

/// Reads the value of an option that takes one of a few names.
func choice(_ names: [String]) -> @Sendable (String) throws -> String {
  { text in
    guard names.contains(text) else {
      throw ValidationError(
        "expected " + names.dropLast().joined(separator: ", ") + " or " + (names.last ?? ""))
    }
    return text
  }
}

/// The seconds a benchmark measures for.
let benchSeconds = Bounds.above(0.0, to: 3600)
