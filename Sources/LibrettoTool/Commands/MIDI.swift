import ArgumentParser
import Sequences

struct MIDI: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "midi",
    abstract: "Look into a MIDI file.",
    subcommands: [MIDIInfo.self, MIDINotes.self])
}

struct MIDINotes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notes",
    abstract: "Print the notes of a MIDI file as CSV.",
    discussion: """
      The columns are start_tick, duration_ticks, channel (0 to 15, drums on 9), pitch (0 to 127, 60 \
      is middle C) and velocity (1 to 127); the lines are sorted by start, then channel, then pitch.
      """)

  @Argument(help: "A MIDI file.")
  var file: String

  func run() throws {
    Terminal.write("start_tick,duration_ticks,channel,pitch,velocity\n")
    for note in try readMIDI(file).notes() {
      Terminal.write(
        "\(note.start),\(note.duration),\(note.channel),\(note.pitch),\(note.velocity)\n")
    }
  }
}
