import Sequences

/// The notes of a track on a channel, which share a colour.
struct RollPart {
  let track, channel: Int
  let name: String
  private let color: Color

  var isDrums: Bool { channel == GeneralMIDI.drumChannel }
  func holds(_ note: MIDINote) -> Bool { note.track == track && note.channel == channel }

  /// The louder the stronger.
  func fill(_ velocity: Int) -> Color {
    let softness = 1 - Double(velocity) / 127
    return color.mixed(with: .white, 0.75 * softness * (0.6 + 0.4 * softness))
  }

  var outline: Color { color.mixed(with: .black, 0.3) }

  private static let palette = [
    0x2F6DB5, 0xE2792B, 0x2E9B6B, 0xB8467F, 0x7A5CC0, 0xC79C1B, 0x1E9AAE, 0xCC4B45, 0x8C6748,
    0x5E7283,
  ].map { Color($0) }

  /// The parts there are, by track and channel; at most so many that they can be told apart, and
  /// the rest in one.
  static func parts(of notes: [MIDINote], _ facts: MIDIFacts) -> [RollPart] {
    struct Key: Hashable { let track, channel: Int }
    let keys = Set(notes.map { Key(track: $0.track, channel: $0.channel) })
      .sorted { ($0.track, $0.channel) < ($1.track, $1.channel) }
    let programs = firstPrograms(facts.file)
    return keys.enumerated().map { number, key in
      let track = facts.tracks[key.track]
      let alone = keys.filter { $0.track == key.track }.count == 1
      let drums = key.channel == GeneralMIDI.drumChannel ? "Drums" : nil
      let program = programs[key.channel].map { GeneralMIDI.instruments[$0] }
      let title = track.name.flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
      let name =
        (alone ? title : nil) ?? drums ?? program
        ?? (alone ? "Track \(key.track + 1)" : "Channel \(key.channel)")
      return RollPart(
        track: key.track, channel: key.channel, name: String(name.prefix(28)),
        color: palette[number % palette.count])
    }
  }

  /// The first program of each channel, if it has one.
  private static func firstPrograms(_ file: MIDIFile) -> [Int?] {
    var programs = [Int?](repeating: nil, count: 16)
    for track in file.tracks {
      for event in track.events {
        guard case .channel(let status, let first, _) = event.message, status & 0xF0 == 0xC0
        else { continue }
        let channel = Int(status & 15)
        if programs[channel] == nil { programs[channel] = Int(first & 127) }
      }
    }
    return programs
  }
}
