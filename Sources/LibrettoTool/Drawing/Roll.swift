import ArgumentParser
import Libretto
import Sequences

struct Roll: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw a MIDI file as a piano roll.",
    discussion: """
      The picture is an SVG file: pitches upwards, time to the right, a system of bars below the \
      other; each part in a colour of its own, which is the stronger the louder the note. At most \
      \(PianoRoll.mostBars) bars are drawn; --bars says which.
      """)

  @Argument(help: "A MIDI file.")
  var file: String

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Where to draw it. (default: the file's name with .svg)", valueName: "roll.svg"))
  var output: String?

  @Option(help: ArgumentHelp("Draw these bars only, counted from 1.", valueName: "a-b"))
  var bars: String?

  @Option(help: ArgumentHelp("What to write above. (default: the file's name)", valueName: "text"))
  var title: String?

  func validate() throws { _ = try wantedBars() }

  func run() throws {
    let midi = try readMIDI(file)
    let output = output ?? stem(file) + ".svg"
    try Outputs([], text: [output]).spare(file)
    try FileName.check(
      output, "-o", FileName.picture,
      advice: "write an .svg file and convert it, such as by rsvg-convert")
    let wanted = try wantedBars()
    let roll = PianoRoll(MIDIFacts(midi), title: title ?? stem(file), bars: wanted)
    if let wanted, wanted.lowerBound > roll.drawn.lowerBound {
      throw Failure(
        "\(file) has \(roll.drawn.upperBound + 1) bars; there is no bar \(wanted.lowerBound + 1)",
        code: 64)
    }
    try writeFile(output, roll.svg.utf8)
    print("\(Outputs.name(output)): \(roll.summary)")
  }

  /// `--bars`, counted from 0.
  private func wantedBars() throws -> ClosedRange<Int>? {
    guard let bars else { return nil }
    let ends = bars.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], first >= 1,
      let last = ends[ends.count - 1],
      last >= first, last < 1 << 48
    else {
      throw ValidationError("--bars is \(bars); name the first and the last bar, such as 1-8")
    }
    return first - 1...last - 1
  }
}
