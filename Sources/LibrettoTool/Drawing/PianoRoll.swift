import Sequences

/// Draws the notes of a file as an SVG picture.
struct PianoRoll {
  /// What is drawn at most, so that no file makes a picture that nothing opens.
  static let mostBars = 200
  static let mostNotes = 40_000

  let facts: MIDIFacts
  let title: String
  /// The bars that are drawn, counted from 0.
  let drawn: ClosedRange<Int>
  let parts: [RollPart]
  private(set) var systems: [System] = []
  private let lanes: [RollLane]
  /// Whether not all notes of the bars are drawn.
  let leavesNotesOut: Bool
  /// Notes on the drawn bars, the first part's last so that they lie on top.
  private let notes: [(note: MIDINote, part: Int)]
  private let pointsPerQuarter: Double

  /// One line of bars.
  struct System {
    let bars: Range<Int>
    let start, end: Int
  }

  private static let margin = 28.0
  private static let widest = 1140.0
  private static let narrowest = 560.0
  private static let laneGap = 7.0
  private static let systemGap = 38.0

  /// - `bars`: those wished for; nil to draw what there is.
  init(_ facts: MIDIFacts, title: String, bars wanted: ClosedRange<Int>?) {
    self.facts = facts
    self.title = title
    drawn = Self.bars(facts, wanted)
    let lines = facts.bars
    let start = lines.tick(ofBar: drawn.lowerBound)
    let end = lines.tick(ofBar: drawn.upperBound + 1)
    let all = facts.notes.filter { $0.start < end && max($0.end, $0.start + 1) > start }
    let sounding = Array(all.prefix(Self.mostNotes))
    leavesNotesOut = sounding.count < all.count
    let parts = RollPart.parts(of: sounding, facts)
    self.parts = parts
    notes = sounding.map { note in (note, parts.firstIndex { $0.holds(note) } ?? 0) }
      .sorted { ($1.part, $0.note.start) < ($0.part, $1.note.start) }
    lanes = RollLane.lanes(for: sounding)
    systems = Self.systems(of: drawn, facts)
    let quarter = Double(facts.file.ticksPerQuarter)
    let longest = max(1e-6, systems.map { Double($0.end - $0.start) / quarter }.max() ?? 4)
    let room = Self.widest - (lanes.map(\.gutter).max() ?? 0)
    // Short pieces are stretched, but not without measure.
    let natural = max(64, min(112, (Self.narrowest - 2 * Self.margin) / longest))
    pointsPerQuarter = min(natural, room / longest)
  }

  /// The bars to draw: those wished for as far as there are such, and no more than may be.
  private static func bars(_ facts: MIDIFacts, _ wanted: ClosedRange<Int>?) -> ClosedRange<Int> {
    let last = max(0, Int((facts.barCount - 1e-9).rounded(.up)) - 1)
    if let wanted {
      let first = min(wanted.lowerBound, last)
      return first...min(wanted.upperBound, last, first + mostBars - 1)
    }
    // A file may begin or end with hours of silence.
    let begins = facts.notes.first.map { facts.bars.bar(at: $0.start) } ?? 0
    let first = begins >= mostBars ? begins : 0
    let until = facts.bars.tick(ofBar: first + mostBars)
    var sounds = first
    for note in facts.notes where note.start < until {
      sounds = max(sounds, facts.bars.bar(at: max(note.start, min(note.end, until) - 1)))
    }
    return first...min(last, first + mostBars - 1, sounds + 48)
  }

  /// Eight bars to a system; fewer where they are long, more where they are very short.
  private static func systems(of drawn: ClosedRange<Int>, _ facts: MIDIFacts) -> [System] {
    let lines = facts.bars
    let quarter = Double(facts.file.ticksPerQuarter)
    var systems: [System] = []
    var bar = drawn.lowerBound
    while bar <= drawn.upperBound {
      let start = lines.tick(ofBar: bar)
      func end(_ count: Int) -> Int { lines.tick(ofBar: min(bar + count, drawn.upperBound + 1)) }
      func quarters(_ count: Int) -> Double { Double(end(count) - start) / quarter }
      var count =
        quarters(8) < 12
        ? [32, 16].first { quarters($0) <= 20 } ?? 8 : [8, 4, 2].first { quarters($0) <= 36 } ?? 1
      // One bar alone on the last line looks forlorn.
      if count >= 8 && drawn.upperBound - bar == count { count += 1 }
      systems.append(
        System(
          bars: bar..<min(bar + count, drawn.upperBound + 1), start: start,
          end: max(end(count), start + 1)))
      bar += count
    }
    return systems
  }

  // MARK: - Places

  private var gutter: Double { lanes.map(\.gutter).max() ?? 0 }
  private var left: Double { Self.margin + gutter }
  private var header: RollHeader { RollHeader(self) }

  private func width(_ system: System) -> Double {
    Double(system.end - system.start) / Double(facts.file.ticksPerQuarter) * pointsPerQuarter
  }

  private func x(_ tick: Int, _ system: System) -> Double {
    let ticks = min(max(tick, system.start), system.end) - system.start
    return left + Double(ticks) / Double(facts.file.ticksPerQuarter) * pointsPerQuarter
  }

  private var systemHeight: Double {
    lanes.reduce(-Self.laneGap) { $0 + $1.height + Self.laneGap }
  }

  private func top(_ number: Int) -> Double {
    header.height + Double(number) * (systemHeight + Self.systemGap)
  }

  var summary: String {
    let bars = drawn.count == 1 ? "1 bar" : "\(drawn.count) bars"
    return "\(bars), \(notes.count == 1 ? "1 note" : "\(grouped(notes.count)) notes")"
  }

  // MARK: - Drawing

  var svg: String {
    let wide = max(Self.narrowest, Self.margin * 2 + gutter + (systems.map(width).max() ?? 0))
    let high = top(systems.count) - Self.systemGap + Self.margin
    var svg = SVG(width: wide, height: high, title: title)
    svg.rect(0, 0, wide, high, "fill=\"#fcfbf8\"")
    header.draw(&svg, left: Self.margin, right: wide - Self.margin)
    var marks = RollMarks(facts, after: systems[0].start)
    for (number, system) in systems.enumerated() {
      draw(system, at: top(number), &marks, &svg)
    }
    drawNotes(&svg)
    return svg.finished
  }

  private func draw(_ system: System, at top: Double, _ marks: inout RollMarks, _ svg: inout SVG) {
    var y = top
    for lane in lanes {
      lane.drawRows(&svg, left: left, top: y, width: width(system))
      drawLines(system, top: y, height: lane.height, &svg)
      lane.drawKeys(&svg, left: left, top: y)
      svg.rect(
        left, y, width(system), lane.height, "fill=\"none\" stroke=\"#b5b0a5\" stroke-width=\"0.8\""
      )
      y += lane.height + Self.laneGap
    }
    svg.open("font-size=\"10.5\" fill=\"#8b877d\"")
    var free = -Double.infinity
    for bar in system.bars {
      let x = x(facts.bars.tick(ofBar: bar), system)
      guard x >= free else { continue }
      let text = String(bar + 1)
      svg.label(x + 1, top - 6, text, bar == system.bars.lowerBound ? "fill=\"#3d3a34\"" : "")
      free = x + SVG.width(text, size: 10.5) + 6
      if let mark = marks.take(before: facts.bars.tick(ofBar: bar + 1)) {
        svg.label(free, top - 6, mark, "fill=\"#3d3a34\" font-weight=\"bold\"")
        free += SVG.width(mark, size: 11.5) + 6
      }
    }
    svg.close()
  }

  /// Bar lines, and fainter ones for the beats.
  private func drawLines(_ system: System, top: Double, height: Double, _ svg: inout SVG) {
    var lastLine = x(system.start, system)
    for bar in system.bars {
      let section = facts.bars.section(ofBar: bar)
      let start = facts.bars.tick(ofBar: bar)
      let end = facts.bars.tick(ofBar: bar + 1)
      let between = section.ticksPerBeat / Double(facts.file.ticksPerQuarter) * pointsPerQuarter
      let beats = Int((section.ticksPerBar / section.ticksPerBeat).rounded(.up))
      if between >= 5 {
        for beat in 1..<max(beats, 2) {
          let tick = start + Int((Double(beat) * section.ticksPerBeat).rounded())
          guard tick < end else { break }
          let x = x(tick, system)
          svg.line(x, top, x, top + height, "stroke=\"#e7e3d9\" stroke-width=\"0.8\"")
        }
      }
      let x = x(start, system)
      if x - lastLine >= 3 {
        lastLine = x
        svg.line(x, top, x, top + height, "stroke=\"#b5b0a5\" stroke-width=\"0.9\"")
      }
    }
  }

  private func drawNotes(_ svg: inout SVG) {
    // Notes that last over several systems are drawn in each.
    var left = 2 * Self.mostNotes
    var open: Int?
    for (note, part) in notes {
      if open != part {
        if open != nil { svg.close() }
        svg.open("stroke=\"\(parts[part].outline.hex)\" stroke-width=\"0.6\"")
        open = part
      }
      let from = systemNumber(note.start)
      let to = systemNumber(max(note.start, note.end - 1))
      for number in from...max(from, to) where left > 0 {
        draw(note, parts[part], systems[number], number, &svg)
        left -= 1
      }
    }
    if open != nil { svg.close() }
  }

  private func systemNumber(_ tick: Int) -> Int {
    var (low, high) = (0, systems.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if systems[middle].start <= tick { low = middle } else { high = middle }
    }
    return low
  }

  private func draw(
    _ note: MIDINote, _ part: RollPart, _ system: System, _ number: Int, _ svg: inout SVG
  ) {
    var y = top(number)
    let fill = "fill=\"\(part.fill(note.velocity).hex)\""
    for lane in lanes {
      defer { y += lane.height + Self.laneGap }
      guard lane.isDrums == part.isDrums, let row = lane.row(of: note.pitch) else { continue }
      let rowTop = y + Double(row) * lane.rowHeight
      let from = x(note.start, system)
      let tip =
        "\(lane.name(note.pitch)), bar \(facts.bars.bar(at: note.start) + 1), velocity \(note.velocity)"
      if lane.isDrums {
        let radius = lane.rowHeight * 0.34
        svg.circle(from + radius + 0.6, rowTop + lane.rowHeight / 2, radius, fill, tip: tip)
      } else {
        let width = max(1.6, x(note.end, system) - from - 1)
        let height = lane.rowHeight - 1
        svg.rect(
          from + 0.5, rowTop + 0.5, width, height, radius: min(2.4, height / 2.6, width / 2), fill,
          tip: tip)
      }
    }
  }
}
