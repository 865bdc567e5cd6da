import Sequences

/// The rows of a system: the keys of a piano as far as they are in use, or drums.
struct RollLane {
  let isDrums: Bool
  /// The pitches of the rows from the top.
  let pitches: [Int]
  let rowHeight: Double

  var height: Double { Double(pitches.count) * rowHeight }
  /// Room at the left for keys or names.
  var gutter: Double { isDrums ? 92 : Self.keyWidth }

  private static let keyWidth = 44.0

  /// The lanes that some notes need: pitches above drums.
  static func lanes(for notes: [MIDINote]) -> [RollLane] {
    let drums = Set(notes.filter { $0.channel == GeneralMIDI.drumChannel }.map(\.pitch))
    let pitches = notes.lazy.filter { $0.channel != GeneralMIDI.drumChannel }.map(\.pitch)
    var lanes: [RollLane] = []
    if let lowest = pitches.min(), let highest = pitches.max() {
      lanes.append(RollLane(lowest...highest))
    } else if drums.isEmpty {
      lanes.append(RollLane(60...71))
    }
    if !drums.isEmpty { lanes.append(RollLane(drums: drums)) }
    return lanes
  }

  private init(_ used: ClosedRange<Int>) {
    isDrums = false
    // A margin, and an octave and a half at least.
    let lack = max(4, 19 - used.count)
    let low = max(0, used.lowerBound - lack / 2)
    let high = min(127, used.upperBound + (lack + 1) / 2)
    pitches = (low...high).reversed()
    rowHeight = min(9, max(5, 300 / Double(pitches.count)))
  }

  private init(drums: Set<Int>) {
    isDrums = true
    pitches = drums.sorted(by: >)
    rowHeight = pitches.count > 16 ? 10 : 13
  }

  func row(of pitch: Int) -> Int? {
    isDrums
      ? pitches.firstIndex(of: pitch) : pitches.contains(pitch) ? pitches[0] - pitch : nil
  }

  func name(_ pitch: Int) -> String { isDrums ? GeneralMIDI.drum(pitch) : noteName(pitch) }

  // MARK: - Drawing

  func drawRows(_ svg: inout SVG, left: Double, top: Double, width: Double) {
    svg.rect(left, top, width, height, "fill=\"#ffffff\"")
    for (row, pitch) in pitches.enumerated() {
      let y = top + Double(row) * rowHeight
      if isDrums ? row % 2 == 1 : isBlackKey(pitch) {
        svg.rect(left, y, width, rowHeight, "fill=\"#f4f2ec\"")
      }
      // Octaves are told apart, and where two white keys meet.
      if !isDrums && row > 0 && (pitch % 12 == 11 || pitch % 12 == 4) {
        let color = pitch % 12 == 11 ? "#d5d0c4" : "#eeebe4"
        svg.line(left, y, left + width, y, "stroke=\"\(color)\" stroke-width=\"0.8\"")
      }
    }
  }

  func drawKeys(_ svg: inout SVG, left: Double, top: Double) {
    if isDrums {
      svg.open("font-size=\"10\" fill=\"#5d594f\" text-anchor=\"end\"")
      for (row, pitch) in pitches.enumerated() {
        svg.label(left - 8, top + (Double(row) + 0.5) * rowHeight + 3.5, name(pitch))
      }
      svg.close()
      return
    }
    let edge = left - Self.keyWidth
    svg.rect(
      edge, top, Self.keyWidth, height, "fill=\"#ffffff\" stroke=\"#b5b0a5\" stroke-width=\"0.8\"")
    for (row, pitch) in pitches.enumerated() {
      let y = top + Double(row) * rowHeight
      if isBlackKey(pitch) {
        // Behind a black key two white ones meet.
        let middle = y + rowHeight / 2
        svg.line(edge, middle, left, middle, "stroke=\"#cfcabe\" stroke-width=\"0.7\"")
        svg.rect(
          edge, y + 0.3, Self.keyWidth * 0.56, rowHeight - 0.6, radius: 1.2, "fill=\"#35332e\"")
      } else if row > 0 && (pitch % 12 == 11 || pitch % 12 == 4) {
        svg.line(edge, y, left, y, "stroke=\"#cfcabe\" stroke-width=\"0.7\"")
      }
    }
    svg.open(
      "font-size=\"\(trimmed(min(9, rowHeight + 2), 1))\" fill=\"#6b665b\" text-anchor=\"end\"")
    for (row, pitch) in pitches.enumerated() where pitch % 12 == 0 {
      svg.label(left - 3.5, top + (Double(row) + 0.5) * rowHeight + 2.8, noteName(pitch))
    }
    svg.close()
  }
}
