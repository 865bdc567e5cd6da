import TestSupport
import Testing

@testable import Sequences

@Suite struct EnsembleTests {
  private let encoding = try! EnsembleEncoding(stepsPerQuarter: 4)

  private typealias Note = (start: Int, duration: Int, pitch: Int)

  /// A file of tracks, each a channel, a program and notes in quarters of a quarter note.
  private func file(_ tracks: [(channel: Int, program: Int, notes: [Note])]) -> MIDIFile {
    MIDIMaterial.file(
      tracks.map { channel, program, notes in
        let events = notes.flatMap { note in
          [
            (120 * note.start, UInt8(0x90 | channel), UInt8(note.pitch), UInt8(64)),
            (
              120 * (note.start + note.duration), UInt8(0x80 | channel), UInt8(note.pitch), UInt8(0)
            ),
          ]
        }
        let program = [(0, UInt8(0xC0 | channel), UInt8(program), UInt8(0))]
        return program + events.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      })
  }

  private func names(_ tokens: [Int32]) -> [String] { tokens.map(encoding.name) }

  @Test func partsAreTracksChannelsAndPrograms() throws {
    let tokens = try #require(
      try encoding.encode(
        file([
          (0, 53, [(0, 4, 72), (4, 4, 74)]), (1, 33, [(0, 8, 40)]),
          (9, 0, [(0, 1, 36), (4, 1, 38)]),
        ])))
    #expect(
      names(tokens) == [
        "START", "INSTRUMENT ensemble", "INSTRUMENT bass", "INSTRUMENT drums", "TIME_SIGNATURE 4/4",
        "PART 0", "VELOCITY 72", "NEW 72", "PART 1", "VELOCITY 72", "NEW 40", "PART 2",
        "VELOCITY 72", "DRUM 36", "STEP 1",
        "HOLD 0", "HOLD 1", "STEP 2", "HOLD 0", "HOLD 1", "STEP 3", "HOLD 0", "HOLD 1", "STEP 4",
        "PART 0", "NEW 74", "HOLD 1", "PART 2", "DRUM 38", "STEP 5",
        "HOLD 0", "HOLD 1", "STEP 6", "HOLD 0", "HOLD 1", "STEP 7", "HOLD 0", "HOLD 1", "STEP 8",
        "END",
      ])
  }

  /// A track for each part with its channel, program and name; drums on channel 10.
  @Test func filesHaveTracks() throws {
    let tokens = try #require(
      try encoding.encode(
        file([(3, 0, [(0, 4, 60)]), (9, 0, [(0, 1, 42)]), (0, 60, [(0, 4, 64)])])))
    let file = encoding.decode(tokens)
    #expect(file.format == 1 && file.tracks.map(\.name) == [nil, "Piano", "Drums", "Brass"])
    #expect(
      file.notes().map { [$0.track, $0.channel, $0.pitch, $0.velocity] } == [
        [1, 0, 60, 72], [3, 1, 64, 72], [2, 9, 42, 72],
      ])
    #expect(file.tracks[3].events.contains { $0.message == .channel(status: 0xC1, 56, 0) })
    #expect(try encoding.encode(file) == tokens)
  }

  @Test func whatIsDoubledOrEmptyIsLeftOut() throws {
    let line: [Note] = [(0, 4, 72), (4, 4, 74)]
    let doubled = file([
      (0, 0, line), (1, 40, line), (2, 32, [(0, 8, 40)]), (3, 0, []), (9, 0, [(0, 1, 20)]),
    ])
    let left = try encoding.partsLeftOut(doubled)
    #expect((left.doubled, left.emptyTracks, left.unwritten, left.tooMany) == (1, 1, 1, 0))
    let tokens = try #require(try encoding.encode(doubled))
    #expect(
      names(tokens).filter { $0.hasPrefix("INSTRUMENT") } == [
        "INSTRUMENT piano", "INSTRUMENT bass",
      ])
    #expect(try encoding.encode(encoding.decode(tokens)) == tokens)
    let many = file((0..<20).map { (0, 0, [($0, 4, 60 + $0)]) } + [(9, 0, [(0, 1, 36)])])
    #expect(try encoding.partsLeftOut(many).tooMany == 5)
    let all = try #require(try encoding.encode(many))
    #expect(names(all).filter { $0.hasPrefix("INSTRUMENT") }.count == 16)
    #expect(try encoding.encode(encoding.decode(all)) == all)
  }

  /// Whatever may be said of the parts is said, and no piece has more than there are channels.
  @Test func headersAreWellFormed() throws {
    for seed in 0..<50 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      walk.grammar.parts?.want(UnsafeBufferPointer(start: nil, count: 0))
      while walk.grammar.bars == 0 { _ = walk.next() }
      let parts = try #require(walk.grammar.parts)
      let all = (0..<parts.partCount).map { parts.part($0) }
      #expect((1...16).contains(all.count) && Set(all.map(\.channel)).count == all.count)
      #expect(all.allSatisfy { ($0.program == Instrument.drums) == ($0.channel == 9) })
    }
  }

  /// Every order of the parts is the same music, and what may be drawn.
  @Test func ordersAreTheSameMusic() throws {
    for seed in 0..<40 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      var tokens = walk.piece(longest: 200)
      let before = encoding.decode(tokens)
      let facts = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
      var random = SplitMix(UInt64(seed))
      var room = [Int32](repeating: 0, count: tokens.count)
      tokens.withUnsafeMutableBufferPointer {
        encoding.reorder($0, chance: random.next(), room: &room)
      }
      let grammar = try encoding.makeMusicGrammar()
      for token in tokens {
        var logits = [Float](repeating: 0, count: encoding.vocabularySize)
        logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
        #expect(logits[Int(token)] == 0)
        grammar.advance(token)
      }
      #expect(grammar.isComplete)
      func sounds(_ file: MIDIFile) -> Set<[Int]> {
        var names: [Int: Int] = [:]
        for (i, track) in file.tracks.enumerated() { names[i] = (track.name ?? "").hashValue }
        return Set(
          file.notes().map { [$0.start, $0.duration, $0.pitch, $0.velocity, names[$0.track] ?? 0] })
      }
      #expect(sounds(encoding.decode(tokens)) == sounds(before))
      #expect(tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) } == facts)
    }
  }

  /// A session's side values, which come of its grammar, are those a reader of the tokens works out.
  @Test func sidesOfGrammarAndCursorAgree() throws {
    var walk = MusicWalk(encoding, seed: 4)
    let tokens = walk.piece(longest: 300)
    let facts = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
    let grammar = try encoding.makeMusicGrammar()
    let cursor = try #require(encoding.makeSideCursor())
    cursor.begin(facts)
    let count = encoding.ownSideInputs.count
    for token in tokens {
      grammar.advance(token)
      var (read, drawn) = ([Int32](repeating: 0, count: count), [Int32](repeating: 0, count: count))
      cursor.advance(token, into: &read)
      encoding.writeSides(bars: grammar.bars, facts, into: &drawn)
      grammar.writeSides(into: &drawn)
      #expect(read == drawn)
      #expect(zip(read, encoding.ownSideInputs).allSatisfy { $0 >= 0 && $0 < $1.count })
    }
  }

  @Test func constraintsOfParts() throws {
    for seed in 0..<5 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      let parts = try #require(walk.grammar.parts)
      var piano = PartConstraints()
      (piano.lowest, piano.highest, piano.voices) = (60, 72, 2)
      parts.set(piano, of: 0)
      var drums = PartConstraints()
      drums.isMuted = true
      parts.set(drums, of: 2)
      var notes = encoding.decode(walk.piece(longest: 400)).notes()
      #expect(!notes.isEmpty && notes.allSatisfy { $0.channel != 9 })
      let line = notes.filter { $0.channel == 0 }
      #expect(line.allSatisfy { (60...72).contains($0.pitch) })
      for note in line {
        #expect(line.filter { $0.start <= note.start && note.start < $0.end }.count <= 2)
      }
      drums = PartConstraints()
      drums.isSolo = true
      parts.set(drums, of: 2)
      notes = encoding.decode(walk.piece(longest: 100)).notes()
      #expect(!notes.isEmpty && notes.allSatisfy { $0.channel == 9 })
    }
  }

  /// A given part has the notes that were given, and no others.
  @Test func givenPartsAreKept() throws {
    var random = SplitMix(11)
    for seed in 0..<20 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      let parts = try #require(walk.grammar.parts)
      let part = seed % 3
      var constraints = PartConstraints()
      constraints.isGiven = true
      parts.set(constraints, of: part)
      walk.grammar.constraints.bars = 4
      walk.grammar.constraints.voices = seed % 2 == 0 ? 128 : 3
      (walk.grammar.constraints.numerator, walk.grammar.constraints.denominator) = (4, 4)
      var wanted = Set<[Int]>()
      var step = 0
      while step < 60 {
        let duration = part == 2 ? 1 : Int.random(in: 1...3, using: &random)
        let pitch = part == 2 ? 36 : Int.random(in: 40...80, using: &random)
        let velocity = 16 * Int.random(in: 1...7, using: &random)
        #expect(
          parts.give(
            part: part, start: 120 * step, duration: 120 * duration, pitch: pitch,
            velocity: velocity))
        wanted.insert([step, duration, pitch, velocity / 16])
        step += duration + Int.random(in: 0...2, using: &random)
      }
      var tokens: [Int32] = []
      repeat { tokens.append(walk.next()) } while tokens.last != Grid.end
      let file = encoding.decode(tokens)
      let channel = part == 2 ? 9 : part
      let got = file.notes().filter { $0.channel == channel }
        .map { [$0.start / 120, $0.duration / 120, $0.pitch, $0.velocity / 16] }
      #expect(Set(got) == wanted && got.count == wanted.count)
      #expect(Set(file.notes().map(\.channel)).count > 1)
    }
  }

  /// What a player plays in a given part is heard there, and goes on until it is released.
  @Test func aGivenPartMayBePlayed() throws {
    var walk = MusicWalk(encoding, seed: 3)
    let reader = try encoding.makeReader()
    let programs: [Int32] = [80, 0]
    programs.withUnsafeBufferPointer { reader.grammar.parts?.want($0) }
    var given = PartConstraints()
    given.isGiven = true
    reader.grammar.parts?.set(given, of: 0)
    var tokens: [Int32] = []
    func take(_ kind: MusicEvent.Kind, _ pitch: Int) {
      reader.take(MusicEvent(delta: 0, kind, pitch: pitch, velocity: 100)) { tokens.append($0) }
      reader.encoder.finish {
        reader.take($0, .encoded)
        tokens.append($0)
      }
    }
    /// Draws the rest of a step.
    func draw() {
      var step = false
      while !step {
        var logits = [Float](repeating: 0, count: encoding.vocabularySize)
        logits.withUnsafeMutableBufferPointer { reader.grammar.forbid($0.baseAddress!) }
        let open = logits.indices.filter { logits[$0] > -.infinity }
        let token = Int32(open.randomElement(using: &walk.random)!)
        reader.take(token, .drawn)
        tokens.append(token)
        step = encoding.name(of: token).hasPrefix("STEP")
      }
    }
    reader.grammar.constraints.ending = .never
    take(.noteOn, 72)
    for _ in 0..<3 { draw() }
    take(.noteOff, 72)
    for _ in 0..<2 { draw() }
    take(.noteOn, 76)
    draw()
    let notes = encoding.decode(tokens + [Grid.end]).notes().filter { $0.channel == 0 }
    #expect(
      notes.map { [$0.start / 120, $0.duration / 120, $0.pitch] } == [[0, 3, 72], [5, 1, 76]])
  }
}
