import Sequences

/// Where the bars of a file are, by its time signatures. Bars are counted from 0 here.
struct BarLines {
  /// Bars under one time signature.
  struct Section {
    let tick: Int
    /// Bars before it; one that the signature cuts short counts as one.
    let bar: Int
    let numerator, denominator: Int
    /// Need not be whole numbers.
    let ticksPerBar, ticksPerBeat: Double

    init(_ signature: MIDITimeSignature, bar: Int, ticksPerQuarter: Int) {
      tick = signature.tick
      self.bar = bar
      numerator = signature.numerator
      denominator = signature.denominator
      let unit = 4 * Double(ticksPerQuarter) / Double(signature.denominator)
      ticksPerBar = max(1, unit * Double(signature.numerator))
      // Six eighths are two beats.
      let isCompound = denominator >= 8 && numerator > 3 && numerator % 3 == 0
      ticksPerBeat = min(ticksPerBar, unit * (isCompound ? 3 : 1))
    }

    var name: String { "\(numerator)/\(denominator)" }
  }

  /// By tick; the first is at 0.
  private(set) var sections: [Section] = []

  init(_ file: MIDIFile) {
    let quarter = file.ticksPerQuarter
    let usual = MIDITimeSignature(tick: 0, numerator: 4, denominator: 4)
    for signature in [usual] + file.timeSignatures {
      guard let before = sections.last else {
        sections.append(Section(signature, bar: 0, ticksPerQuarter: quarter))
        continue
      }
      if signature.tick <= before.tick {
        sections.removeLast()
        sections.append(Section(signature, bar: before.bar, ticksPerQuarter: quarter))
      } else if (signature.numerator, signature.denominator)
        != (before.numerator, before.denominator)
      {
        let bars = Int((position(signature.tick) - 1e-9).rounded(.up))
        sections.append(Section(signature, bar: bars, ticksPerQuarter: quarter))
      }
    }
  }

  /// The section of a tick, or of a bar.
  private func section(_ holds: (Section) -> Bool) -> Section {
    var (low, high) = (0, sections.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if holds(sections[middle]) { low = middle } else { high = middle }
    }
    return sections[low]
  }

  func section(ofBar bar: Int) -> Section { section { $0.bar <= bar } }

  /// Bars before a tick, and the share of the one it is in.
  func position(_ tick: Int) -> Double {
    let section = section { $0.tick <= tick }
    return Double(section.bar) + Double(max(0, tick - section.tick)) / section.ticksPerBar
  }

  /// The bar a tick is in.
  func bar(at tick: Int) -> Int { Int(position(tick) + 1e-9) }

  /// The tick a bar begins at.
  func tick(ofBar bar: Int) -> Int {
    let section = section(ofBar: bar)
    let tick = section.tick + Int((Double(bar - section.bar) * section.ticksPerBar).rounded())
    guard let next = sections.first(where: { $0.bar > section.bar }) else { return tick }
    return min(tick, next.tick)
  }
}
