import Memory

/// A time signature that an encoding on a grid has a token for.
struct TimeSignature: Hashable, Sendable {
  let numerator: Int
  let denominator: Int

  /// Those of every grid, in the order of their tokens, which model files rely on.
  static let standard: [TimeSignature] = [
    TimeSignature(4, 4), TimeSignature(3, 4), TimeSignature(2, 4), TimeSignature(6, 8),
    TimeSignature(2, 2), TimeSignature(9, 8), TimeSignature(12, 8),
    TimeSignature(3, 8), TimeSignature(3, 2), TimeSignature(5, 4), TimeSignature(7, 8),
    TimeSignature(6, 4), TimeSignature(5, 8), TimeSignature(7, 4),
    TimeSignature(1, 4), TimeSignature(4, 8),
  ]

  init(_ numerator: Int, _ denominator: Int) {
    self.numerator = numerator
    self.denominator = denominator
  }

  init(_ signature: MIDITimeSignature) { self.init(signature.numerator, signature.denominator) }

  /// From a text such as "6/8"; nil if it is none that MIDI files have.
  init?(_ text: Substring) {
    let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let numerator = numbers[0], let denominator = numbers[1],
      (1...255).contains(numerator), denominator > 0, denominator.nonzeroBitCount == 1
    else { return nil }
    self.init(numerator, denominator)
  }

  var name: String { "\(numerator)/\(denominator)" }

  /// The longest bar, in quarter notes.
  static let longestBar = 8

  /// Steps of a bar, or nil if it is no whole number of them.
  func steps(perQuarter: Int) -> Int? {
    let (steps, rest) = (numerator * 4 * perQuarter).quotientAndRemainder(dividingBy: denominator)
    return rest == 0 ? steps : nil
  }

  /// Whether a grid can have bars of it, and an event can name it.
  func fits(perQuarter: Int) -> Bool {
    numerator < 128 && denominator <= 64 && numerator * 4 <= Self.longestBar * denominator
      && steps(perQuarter: perQuarter) != nil
  }
}

/// The time signatures of an encoding on a grid: which have tokens, and which a model may draw.
struct TimeSignatureTable: Equatable, Sendable {
  /// In the order of their tokens: the standard ones, then others of the material.
  let all: [TimeSignature]
  /// Those found in the material a model learned from, a bit for each. A model draws no others; but it
  /// begins with another one if it is asked to.
  private(set) var found: UInt64 = .max
  /// Whether the material changes the time signature within bars.
  private(set) var changesWithinBars = false

  /// At most so many have tokens.
  static let most = 63

  /// Of a model whose material nothing is known of.
  init() { all = TimeSignature.standard }

  /// For new material, which has these beside the standard ones, if any.
  init(extra: [TimeSignature]) {
    all = TimeSignature.standard + extra.prefix(Self.most - TimeSignature.standard.count)
    found = (1 << UInt64(all.count)) - (1 << UInt64(TimeSignature.standard.count))
  }

  func isFound(_ index: Int) -> Bool { found >> UInt64(index) & 1 == 1 }

  /// Not of the material of models from before this was recorded.
  private var isKnown: Bool { found != .max }

  /// With what a model's material has, beside what it is known to have.
  func adding(found: UInt64, changesWithinBars: Bool) -> TimeSignatureTable {
    guard isKnown else { return self }
    var table = self
    table.found |= found
    table.changesWithinBars = self.changesWithinBars || changesWithinBars
    return table
  }

  // MARK: - Model files

  /// `time_signatures`: those found, such as "4/4 3/4"; the ones that are not standard have tokens
  /// because they are in it, in this order. `bar_changes`: "anywhere" if bars are cut short.
  var properties: [String: EncodingProperty] {
    guard isKnown else { return [:] }
    let names = all.indices.filter(isFound).map { all[$0].name }
    var properties = ["time_signatures": EncodingProperty.short(names.joined(separator: " "))]
    if changesWithinBars { properties["bar_changes"] = "anywhere" }
    return properties
  }

  init(properties: [String: EncodingProperty], stepsPerQuarter: Int) throws(EncodingError) {
    guard let property = properties["time_signatures"] else {
      self.init()
      return
    }
    guard let text = property.string else {
      throw .invalid("time_signatures is longer than the \(Self.most) that a model can have")
    }
    var timeSignatures: [TimeSignature] = []
    for word in text.split(separator: " ", maxSplits: Self.most) {
      guard let timeSignature = TimeSignature(word),
        timeSignature.fits(perQuarter: stepsPerQuarter),
        !timeSignatures.contains(timeSignature)
      else {
        throw .invalid("time_signatures contains an invalid or repeated one")
      }
      timeSignatures.append(timeSignature)
    }
    self.init(extra: timeSignatures.filter { !TimeSignature.standard.contains($0) })
    guard !timeSignatures.isEmpty, timeSignatures.allSatisfy(all.contains) else {
      throw .invalid("time_signatures names \(timeSignatures.count); a model has 1 to \(Self.most)")
    }
    found = timeSignatures.reduce(0) { $0 | 1 << UInt64(all.firstIndex(of: $1)!) }
    changesWithinBars = properties["bar_changes"] == "anywhere"
  }
}

/// Counts the time signatures of files, so as to give tokens to those that are not standard.
public struct TimeSignatureSurvey {
  private var files: [TimeSignature: Int] = [:]
  /// The number of the file each was found in last.
  private var last: [TimeSignature: Int] = [:]
  private var number = 0

  public init() {}

  public mutating func note(_ file: MIDIFile) throws(OutOfMemory) {
    number += 1
    // Those that no grid can have are left out: there may be any number of them.
    for signature in try TimeSignatures(file).believed {
      let timeSignature = TimeSignature(signature)
      guard timeSignature.numerator < 128, timeSignature.denominator <= 64,
        last[timeSignature] != number
      else { continue }
      last[timeSignature] = number
      files[timeSignature, default: 0] += 1
    }
  }

  /// Those to have tokens beside the standard ones, the most frequent ones if there are too many.
  func extra(stepsPerQuarter: Int) -> [TimeSignature] {
    let extra = files.filter {
      !TimeSignature.standard.contains($0.key) && $0.key.fits(perQuarter: stepsPerQuarter)
    }
    let ordered = extra.sorted {
      ($1.value, $0.key.denominator, $0.key.numerator)
        < ($0.value, $1.key.denominator, $1.key.numerator)
    }
    return ordered.prefix(TimeSignatureTable.most - TimeSignature.standard.count).map(\.key)
  }
}
