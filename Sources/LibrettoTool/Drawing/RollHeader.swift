import Sequences

/// What stands above a piano roll: title, facts, and whose colours these are.
struct RollHeader {
  private let roll: PianoRoll
  private let entries: [RollPart]

  init(_ roll: PianoRoll) {
    self.roll = roll
    entries = roll.parts.count > 1 ? Array(roll.parts.prefix(8)) : []
  }

  /// The top of the first system.
  var height: Double { entries.isEmpty ? 94 : 118 }

  func draw(_ svg: inout SVG, left: Double, right: Double) {
    let room = Int((right - left - 150) / 10.5)
    let title = roll.title.count > room ? roll.title.prefix(room - 1) + "…" : roll.title
    svg.label(left, 44, title, "font-size=\"21\" font-weight=\"bold\" fill=\"#2b2924\"")
    svg.label(left, 65, captions.joined(separator: "  ·  "), "font-size=\"12\" fill=\"#716c61\"")
    drawVelocities(&svg, right: right)
    var x = left
    for part in entries {
      let width = 24 + SVG.width(part.name, size: 12) + 12
      guard x + width < right else { break }
      svg.rect(
        x, 78, 14, 9, radius: 2.4,
        "fill=\"\(part.fill(100).hex)\" stroke=\"\(part.outline.hex)\" stroke-width=\"0.6\"")
      svg.label(x + 20, 86.5, part.name, "font-size=\"12\" fill=\"#4a463e\"")
      x += width
    }
    if roll.parts.count > entries.count && !entries.isEmpty && x + 60 < right {
      svg.label(
        x, 86.5, "and \(roll.parts.count - entries.count) more", "font-size=\"12\" fill=\"#716c61\""
      )
    }
  }

  /// What the strength of a colour means, where it differs.
  private func drawVelocities(_ svg: inout SVG, right: Double) {
    let velocities = roll.facts.notes.lazy.map(\.velocity)
    guard let part = roll.parts.first, velocities.min() != velocities.max() else { return }
    let steps = [20, 47, 74, 101, 127]
    svg.open("font-size=\"10.5\" fill=\"#8b877d\"")
    svg.label(right, 43, "loud", "text-anchor=\"end\"")
    let start = right - 28 - Double(steps.count) * 13
    for (i, velocity) in steps.enumerated() {
      svg.rect(
        start + Double(i) * 13, 35, 12, 9, radius: 2.2,
        "fill=\"\(part.fill(velocity).hex)\" stroke=\"\(part.outline.hex)\" stroke-width=\"0.6\"")
    }
    svg.label(start - 5, 43, "soft", "text-anchor=\"end\"")
    svg.close()
  }

  private var captions: [String] {
    let facts = roll.facts
    let start = roll.systems.first?.start ?? 0
    let end = roll.systems.last?.end ?? 0
    var captions: [String] = []
    if let key = facts.keys.last(where: { $0.change.tick <= start })?.change
      ?? facts.keys.first?.change
    {
      captions.append(key.name)
    } else if let key = facts.likelyKey {
      captions.append(key)
    }
    let section = facts.bars.section(ofBar: roll.drawn.lowerBound)
    captions.append(section.name)
    captions.append(tempo(from: start, to: end))
    let total = max(1, Int((facts.barCount - 1e-9).rounded(.up)))
    let whole = total == 1 ? "1 bar" : "\(grouped(total)) bars"
    if roll.drawn.count < total {
      captions.append(
        "bars \(grouped(roll.drawn.lowerBound + 1)) to \(grouped(roll.drawn.upperBound + 1)) of \(grouped(total))"
      )
    } else {
      captions.append(whole)
    }
    if facts.notes.isEmpty {
      captions.append("no notes")
    } else {
      captions.append(length(facts.seconds))
    }
    if roll.leavesNotesOut {
      captions.append("not more than \(grouped(PianoRoll.mostNotes)) notes are drawn")
    }
    return captions
  }

  private func tempo(from start: Int, to end: Int) -> String {
    let tempos = roll.facts.tempos.map(\.change)
    let first = tempos.last { $0.tick <= start } ?? tempos[0]
    let all = [first] + tempos.filter { $0.tick > start && $0.tick < end }
    let rates = all.map(\.beatsPerMinute)
    let (low, high) = (trimmed(rates.min() ?? 0, 0), trimmed(rates.max() ?? 0, 0))
    return low == high ? "\(low) bpm" : "\(low) to \(high) bpm"
  }
}

/// Changes of time signature, key and tempo, to be written above the bars they come in.
struct RollMarks {
  private var marks: [(tick: Int, text: String)] = []
  private var next = 0

  /// - `after`: only changes after this tick; what holds there is in the caption.
  init(_ facts: MIDIFacts, after tick: Int) {
    for (_, timeSignature) in facts.timeSignatures where timeSignature.tick > tick {
      marks.append((timeSignature.tick, timeSignature.name))
    }
    var key = facts.keys.last { $0.change.tick <= tick }?.change.name
    for (_, change) in facts.keys where change.tick > tick && change.name != key {
      key = change.name
      marks.append((change.tick, change.name))
    }
    // A performance changes its tempo all the time; that is no news.
    let tempos = facts.tempos.map(\.change).filter { $0.tick > tick }
    if tempos.count <= 24 {
      for tempo in tempos { marks.append((tempo.tick, "\(trimmed(tempo.beatsPerMinute, 0)) bpm")) }
    }
    marks = marks.enumerated().sorted {
      ($0.element.tick, $0.offset) < ($1.element.tick, $1.offset)
    }
    .map(\.element)
  }

  /// The marks up to a tick that were not taken yet, as one text; at most two of them.
  mutating func take(before tick: Int) -> String? {
    let first = next
    while next < marks.count && marks[next].tick < tick { next += 1 }
    guard next > first else { return nil }
    return marks[max(first, next - 2)..<next].map(\.text).joined(separator: ", ")
  }
}
