import Sequences
import TestSupport
import Testing

/// Thousands of files, damaged in all ways that bits and chunks allow: each is read or refused.
@Suite struct MIDIRandomDamageTests {
  private func damage(_ bytes: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.next() % 4 where bytes.count > 20 {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let count = Int(random.next() % 9)
      switch random.next() % 7 {
      case 0: bytes[place] ^= 1 << UInt8(random.next() % 8)
      case 1: bytes.removeLast(bytes.count - place)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + count))
      case 3: bytes.insert(contentsOf: Material.noise(count, &random), at: place)
      case 4: bytes.append(contentsOf: bytes[place...])
      case 5:
        // The length of the first chunk after the place.
        let next = bytes.indices.dropLast(8).first {
          $0 >= place && bytes[$0] == 0x4D && bytes[$0 + 1] == 0x54
        }
        for i in 4..<8 {
          if let next { bytes[next + i] = UInt8(truncatingIfNeeded: random.next()) }
        }
      default: bytes.replaceSubrange(place..., with: bytes[(place / 2)...])
      }
    }
    return bytes
  }

  @Test func eachIsReadOrRefused() throws {
    var random = SplitMix(11)
    var (refused, damaged, kept) = (0, 0, 0)
    for round in 0..<4000 {
      let file = MIDIMaterial.any(&random)
      let bytes = damage(file.write(), &random)
      do {
        let (found, warnings) = try read(bytes, strict: round % 2 == 0)
        check(found, bytes, warnings)
        kept += found.notes().count
        damaged += warnings.isEmpty ? 0 : 1
        let again = try read(found.write())
        #expect(again.file.notes() == found.notes(), "round \(round)")
      } catch {
        #expect(error is MIDIError)
        refused += 1
      }
    }
    // That the damage is damage, and that most of it is survived.
    #expect(refused > 20 && refused < 800 && damaged > 1500 && kept > 20_000)
  }

  private func check(_ file: MIDIFile, _ bytes: [UInt8], _ warnings: [MIDIWarning]) {
    #expect(warnings.count <= MIDIWarning.limit + 1)
    #expect(warnings.allSatisfy { (0...bytes.count).contains($0.offset) })
    let events = file.tracks.reduce(0) { $0 + $1.events.count }
    #expect(events <= bytes.count / 2)
    for track in file.tracks {
      let ticks = track.events.map(\.tick) + [track.end]
      #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 <= $1 } && ticks[0] >= 0)
    }
    let notes = file.notes(sustain: true)
    #expect(notes.allSatisfy { $0.start >= 0 && $0.duration >= 0 && $0.end <= file.end })
    let map = file.tempoMap
    #expect(map.seconds(at: file.end).isFinite && map.changes[0].tick == 0)
  }

  /// What is read in a time linear in its size takes a moment; anything else takes hours.
  @Test(.timeLimit(.minutes(10))) func timeIsLinear() throws {
    // What a reader could look through again and again, or reserve memory for again and again.
    typealias Make = MIDIMaterial
    let shapes: [(name: String, make: (Int) -> [UInt8])] = [
      (
        "nested",
        { n in
          Make.header()
            + (0..<n).reversed().flatMap { Make.chunk("MTrk", Make.end, length: 12 * $0 + 4) }
        }
      ),
      (
        "beyond",
        { n in
          Make.header()
            + (0..<n).flatMap { _ in Make.chunk("MTrk", [0, 0x90, 60, 1], length: 1 << 30) }
        }
      ),
      ("ahead", { n in Make.header() + (0..<n).flatMap { _ in Array("MTrk".utf8) } }),
      (
        "chord",
        { n in
          Make.file((0..<n).flatMap { i in [0, 0x90, UInt8(127 - i % 128), 1] } + Make.end)
        }
      ),
      (
        "held",
        { n in
          Make.file(
            [0, 0xB0, 64, 127]
              + (0..<n).flatMap { _ in [0, 0x90, 60, 1, 0, 0x80, 60, 0] as [UInt8] })
        }
      ),
    ]
    for (_, make) in shapes {
      let (file, _) = try read(make(200_000))
      _ = file.notes(sustain: true)
      _ = try read(file.write())
    }
  }
}
