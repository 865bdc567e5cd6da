import Sequences
import TestSupport

/// MIDI files byte by byte, and at random.
enum MIDIMaterial {
  static func number(_ value: Int, bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * (bytes - 1 - $0))) }
  }

  static func chunk(_ name: String, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
    Array(name.utf8) + number(length ?? body.count, bytes: 4) + body
  }

  static func header(format: Int = 1, tracks: Int = 1, division: Int = 480) -> [UInt8] {
    chunk(
      "MThd", number(format, bytes: 2) + number(tracks, bytes: 2) + number(division, bytes: 2))
  }

  static let end: [UInt8] = [0, 0xFF, 0x2F, 0]

  /// A file of one track of these bytes.
  static func file(_ track: [UInt8], division: Int = 480) -> [UInt8] {
    header(format: 0, division: division) + chunk("MTrk", track)
  }

  /// A tick and the bytes of a channel message.
  typealias Event = (Int, UInt8, UInt8, UInt8)

  /// A file of tracks of channel messages.
  static func file(format: Int = 1, end: Int = 0, _ tracks: [[Event]]) -> MIDIFile {
    MIDIFile(
      format: format, division: .metrical(ticksPerQuarter: 480),
      tracks: tracks.map { events in
        .init(
          events: events.map { MIDIEvent(tick: $0.0, .channel(status: $0.1, $0.2, $0.3)) },
          end: end)
      })
  }

  /// Any file that the standard allows: every kind of event, delta times of every length.
  static func any(_ random: inout SplitMix) -> MIDIFile {
    let format = Int(random.next() % 3)
    let division: MIDIFile.Division =
      random.next() % 4 == 0
      ? .timeCode(
        framesPerSecond: [24, 25, 29, 30][Int(random.next() % 4)],
        ticksPerFrame: Int.random(in: 1...255, using: &random))
      : .metrical(ticksPerQuarter: Int.random(in: 1...32767, using: &random))
    let tracks = (0..<(format == 0 ? 1 : Int(random.next() % 5))).map { _ in track(&random) }
    return MIDIFile(format: format, division: division, tracks: tracks)
  }

  static func delta(_ random: inout SplitMix) -> Int {
    let bits = [0, 0, 4, 7, 8, 14, 15, 21, 22, 28][Int(random.next() % 10)]
    return Int(random.next() & (1 << UInt64(bits) - 1))
  }

  static func track(_ random: inout SplitMix) -> MIDIFile.Track {
    var tick = 0
    let events = (0..<Int(random.next() % 60)).map { _ in
      tick += delta(&random)
      return MIDIEvent(tick: tick, message(&random))
    }
    return MIDIFile.Track(events: events, end: tick + delta(&random))
  }

  static func message(_ random: inout SplitMix) -> MIDIEvent.Message {
    let channel = UInt8(random.next() % 3)
    let (first, second) = (UInt8(random.next() % 128), UInt8(random.next() % 128))
    switch random.next() % 12 {
    case 0...3: return .channel(status: 0x90 | channel, 60 + first % 8, second)
    case 4...6: return .channel(status: 0x80 | channel, 60 + first % 8, second)
    case 7: return .channel(status: 0xB0 | channel, first % 2 == 0 ? 64 : first, second)
    case 8: return .channel(status: [0xA0, 0xE0][Int(first % 2)] | channel, first, second)
    case 9: return .channel(status: [0xC0, 0xD0][Int(first % 2)] | channel, first, 0)
    case 10: return meta(&random)
    default:
      return .system(status: [0xF0, 0xF7][Int(first % 2)], noise(Int(second) * 2, &random))
    }
  }

  static func meta(_ random: inout SplitMix) -> MIDIEvent.Message {
    switch random.next() % 4 {
    case 0: return .meta(type: 0x51, [7, UInt8(random.next() % 256), 1])
    case 1: return .meta(type: 0x58, [UInt8(1 + random.next() % 12), 3, 24, 8])
    case 2: return .meta(type: 0x59, [UInt8(bitPattern: Int8(random.next() % 15) - 7), 1])
    default:
      return .meta(type: UInt8(random.next() % 0x20), noise(Int(random.next() % 300), &random))
    }
  }

  private static func noise(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}

/// Reads what must be readable; what was wrong with it.
func read(_ bytes: [UInt8], checkingNotes: Bool = false, strict: Bool = false) throws -> (
  file: MIDIFile, warnings: [MIDIWarning]
) {
  var warnings: [MIDIWarning] = []
  let file = try MIDIFile.read(
    bytes, warnings: &warnings, checkingNotes: checkingNotes, strict: strict)
  return (file, warnings)
}

extension MIDINote {
  /// All that is known of it but its track.
  var facts: [Int] { [start, duration, channel, pitch, velocity] }
}
