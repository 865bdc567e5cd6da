/// The labels that pieces of some material carry, such as a style, a composer or a speaker. A label is a number: 1 for
/// the first name that came, 0 for "not told". Models of labelled material have a side input for it.
public struct Labels: Equatable, Sendable {
  /// The name of label 1, and so on.
  public private(set) var names: [String] = []
  /// How likelihoods become probabilities of the labels.
  public var calibration = LabelCalibration()

  /// The most labels, and the most bytes of a name.
  public static let most = 1000
  public static let longestName = 255

  public init() {}

  public var isEmpty: Bool { names.isEmpty }
  public var count: Int { names.count }

  /// The side input for them; none if there are no labels.
  public var sideInputs: [SideInput] {
    names.isEmpty ? [] : [SideInput(name: "label", count: names.count + 1)]
  }

  /// nil if there is no label of that name.
  public func number(of name: String) -> Int32? {
    names.firstIndex(of: name).map { Int32($0 + 1) }
  }

  /// The number of a label, which is a new one if the name is new.
  public mutating func add(_ name: String) throws(EncodingError) -> Int32 {
    if let number = number(of: name) { return number }
    guard !name.isEmpty, name.utf8.count <= Self.longestName,
      !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
    else {
      throw .invalid(
        "the name of a label has \(name.utf8.count) bytes or holds a control character; expected 1 to \(Self.longestName) bytes without any"
      )
    }
    guard names.count < Self.most else {
      throw .invalid("there are more than \(Self.most) labels; expected at most so many")
    }
    names.append(name)
    return Int32(names.count)
  }

  /// The first of the names, for messages.
  public var shown: String { names.prefix(20).joined(separator: ", ") }

  /// The names as a model file keeps them, a newline after each but the last.
  public var text: String { names.joined(separator: "\n") }

  /// nil if the texts cannot be those of labels and, unless it is nil, of their calibration.
  public init?(text: String, calibration: String? = nil) {
    guard text.utf8.count <= Self.most * (Self.longestName + 1) else { return nil }
    for name in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let before = names.count
      guard let number = try? add(String(name)), Int(number) == before + 1 else { return nil }
    }
    guard let calibration else { return }
    guard let fitted = LabelCalibration(text: calibration, labels: names.count) else { return nil }
    self.calibration = fitted
  }
}
