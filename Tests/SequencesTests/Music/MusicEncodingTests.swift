import Testing

@testable import Sequences

@Suite struct MusicEncodingTests {
  @Test(arguments: 0..<musicEncodings().count)
  func whateverTheGrammarAllowsComesBackFromAFile(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    for seed in 0..<4 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      let walked = walk.piece(longest: 400)
      guard walked.contains(where: { encoding.name(of: $0).hasPrefix("N") }) else { continue }
      let tokens = encoding.withoutClosingSilence(walked)
      #expect(encoding.withoutClosingSilence(tokens) == tokens)
      let file = encoding.decode(tokens)
      // A part that never sounds is none.
      let sounding = Set(file.notes().map(\.track))
      guard !encoding.hasOrders || sounding.count + 1 == file.tracks.count else { continue }
      let again = try #require(try encoding.encode(file))
      let place = zip(again, tokens).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      #expect(
        place == nil && again.count == tokens.count,
        "\(encoding.name), seed \(seed), token \(place ?? min(again.count, tokens.count))")
      // By way of the bytes of a file too.
      let bytes = file.write()
      var warnings: [MIDIWarning] = []
      let read = try bytes.withUnsafeBytes { try MIDIFile.read($0, warnings: &warnings) }
      #expect(warnings.isEmpty)
      #expect(try encoding.encode(read) == again)
    }
  }

  @Test(arguments: 0..<musicEncodings().count)
  func everyNoteThatBeginsEnds(_ number: Int) {
    let encoding = musicEncodings()[number]
    var walk = MusicWalk(encoding, seed: 9)
    let reader = try! encoding.makeReader()
    for _ in 0..<5 {
      var sounding = Set<Int>()
      var ended = false
      for token in walk.piece(longest: 300) {
        reader.take(token, .drawn)
        while let event = reader.decoder.next() {
          #expect(event.delta >= 0)
          switch event.kind {
          case .noteOn: #expect(sounding.insert(event.channel << 7 | event.pitch).inserted)
          case .noteOff: #expect(sounding.remove(event.channel << 7 | event.pitch) != nil)
          case .end: ended = true
          default: break
          }
        }
      }
      #expect(ended && sounding.isEmpty)
    }
  }

  /// Notes at whole steps come back as they are.
  @Test func notesOnTheGridAreKept() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    let notes = [
      (0, 240, 60), (0, 480, 64), (240, 120, 60), (480, 960, 67), (480, 120, 55), (1440, 480, 60),
    ]
    var events: [MIDIEvent] = []
    for (start, duration, pitch) in notes {
      events.append(MIDIEvent(tick: start, .channel(status: 0x90, UInt8(pitch), 90)))
      events.append(MIDIEvent(tick: start + duration, .channel(status: 0x80, UInt8(pitch), 0)))
    }
    events.sort {
      guard case .channel(let a, _, _) = $0.message, case .channel(let b, _, _) = $1.message else {
        return false
      }
      return ($0.tick, a) < ($1.tick, b)
    }
    let file = MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: 480),
      tracks: [MIDIFile.Track(events: events, end: 1920)])
    let tokens = try #require(try encoding.encode(file))
    #expect(encoding.decode(tokens).notes() == file.notes())
    tokens.withUnsafeBufferPointer { #expect(encoding.steps(of: $0) == 16) }
  }

  @Test func aNoteFarAwayCostsNothing() throws {
    for encoding in musicEncodings() {
      let channel: UInt8 = encoding.name == "drums" ? 9 : 0
      let tick = 1 << 31
      let file = MIDIFile(
        format: 0, division: .metrical(ticksPerQuarter: 96),
        tracks: [
          MIDIFile.Track(
            events: [
              MIDIEvent(tick: 0, .channel(status: 0x90 | channel, 38, 90)),
              MIDIEvent(tick: 96, .channel(status: 0x80 | channel, 38, 0)),
              MIDIEvent(tick: tick, .channel(status: 0x90 | channel, 38, 90)),
              MIDIEvent(tick: tick + 1 << 31, .channel(status: 0x80 | channel, 38, 0)),
            ], end: 1 << 36)
        ])
      let tokens = try #require(try encoding.encode(file))
      #expect(tokens.count < 20_000, "\(encoding.name)")
      #expect(encoding.decode(tokens).notes().count == 2)
    }
  }

  @Test func transposition() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    var walk = MusicWalk(encoding, seed: 3)
    walk.grammar.constraints.lowest = 40
    walk.grammar.constraints.highest = 80
    let tokens = walk.piece(longest: 500)
    let range = encoding.transpositions(of: tokens)
    #expect(range.lowerBound <= -19 && range.upperBound >= 28)
    let up = tokens.map { encoding.transposed($0, by: 5) }
    let before = encoding.decode(tokens).notes()
    let after = encoding.decode(up).notes()
    #expect(after.map(\.pitch) == before.map { $0.pitch + 5 })
    #expect(after.map(\.start) == before.map(\.start))
  }

  @Test func propertiesBuildTheSameEncoding() throws {
    for encoding in musicEncodings() {
      let again = try Encodings.make(name: encoding.name, properties: encoding.properties)
      #expect(again.vocabularySize == encoding.vocabularySize)
      #expect(again.properties == encoding.properties)
    }
    #expect(throws: EncodingError.self) {
      try Encodings.make(name: "melody", properties: ["steps_per_quarter": "25"])
    }
    #expect(throws: EncodingError.self) { try Encodings.make(name: "melody", properties: [:]) }
  }
}
