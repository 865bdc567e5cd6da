import Testing

@testable import Sequences

@Suite struct TimeSignatureTests {
  /// A file of quarter notes of 480 ticks, with time signatures at some ticks, a note of `length` ticks
  /// every `every` ticks, and an end.
  private func file(
    _ signatures: [(Int, Int, Int)], notes: Int = 32, every: Int = 480, length: Int = 240,
    end: Int = 0, tempo: Int = 500_000, channel: UInt8 = 0
  ) -> MIDIFile {
    var events = [
      MIDIEvent(
        tick: 0,
        .meta(type: 0x51, [UInt8(tempo >> 16), UInt8(tempo >> 8 & 255), UInt8(tempo & 255)]))
    ]
    for (tick, numerator, denominator) in signatures {
      let power = UInt8(denominator.trailingZeroBitCount)
      events.append(MIDIEvent(tick: tick, .meta(type: 0x58, [UInt8(numerator), power, 24, 8])))
    }
    for i in 0..<notes {
      let pitch = channel == 9 ? 36 : UInt8(60 + i % 12)
      events.append(MIDIEvent(tick: i * every, .channel(status: 0x90 | channel, pitch, 90)))
      events.append(
        MIDIEvent(tick: i * every + length, .channel(status: 0x80 | channel, pitch, 0)))
    }
    events = events.enumerated().sorted {
      ($0.element.tick, $0.offset) < ($1.element.tick, $1.offset)
    }
    .map(\.element)
    return MIDIFile(
      format: 0, division: .metrical(ticksPerQuarter: 480),
      tracks: [MIDIFile.Track(events: events, end: max(end, notes * every))])
  }

  /// The bars of a piece: the time signature of each, and its steps.
  private func bars(_ tokens: [Int32], _ encoding: any GridEncoding) -> [(String, Int)] {
    var bars: [(String, Int)] = []
    var timeSignature = ""
    var steps = 0
    for token in tokens {
      switch encoding.grid.meaning(token) {
      case .timeSignature(let index):
        if steps > 0 { bars.append((timeSignature, steps)) }
        (timeSignature, steps) = (encoding.grid.timeSignatures.all[index].name, 0)
      case .step(let next):
        steps += 1
        if next == 0 {
          bars.append((timeSignature, steps))
          steps = 0
        }
      case .end where steps > 0: bars.append((timeSignature, steps))
      default: break
      }
    }
    return bars
  }

  private func fitted(_ file: MIDIFile, _ encoding: any GridEncoding) throws
    -> (encoding: any GridEncoding, tokens: [Int32])
  {
    var survey = TimeSignatureSurvey()
    try survey.note(file)
    let extended = encoding.extended(by: survey)
    let tokens = try #require(try extended.encode(try file.withoutDoubtedTimeSignatures()))
    return (extended.fitted(to: tokens), tokens)
  }

  @Test func aChangeBeginsABar() throws {
    let four = try PolyphonyEncoding(stepsPerQuarter: 4)
    let (encoding, tokens) = try fitted(file([(0, 4, 4), (1200, 3, 4)], notes: 10), four)
    #expect(bars(tokens, encoding).map(\.1) == [10, 12, 12, 6])
    #expect(bars(tokens, encoding).map(\.0) == ["4/4", "3/4", "3/4", "3/4"])
    // It comes back, and the grammar of a model of this material allows it.
    #expect(try encoding.encode(encoding.decode(tokens)) == tokens)
    let grammar = try encoding.makeMusicGrammar()
    for token in tokens {
      var logits = [Float](repeating: 0, count: encoding.vocabularySize)
      logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
      #expect(logits[Int(token)] == 0, "\(encoding.name(of: token))")
      grammar.advance(token)
    }
    // Bars that are cut short count.
    let state = tokens.dropLast().reduce(into: GridState(encoding.grid)) { $0.advance($1) }
    #expect(state.bars == 3)
    // A model of other material draws no change within a bar.
    for (encoding, isAnywhere) in [(encoding, true), (four, false)] {
      var changes = 0
      for seed in 0..<20 {
        var walk = MusicWalk(encoding, seed: UInt64(seed))
        var state = GridState(encoding.grid)
        for token in walk.piece(longest: 400) {
          if case .timeSignature = encoding.grid.meaning(token), state.position != 0 {
            changes += 1
          }
          state.advance(token)
        }
      }
      #expect((changes > 0) == isAnywhere)
    }
  }

  @Test(arguments: [(11, 8), (4, 2), (8, 4), (10, 8), (5, 16), (15, 8), (31, 16), (4, 4), (7, 8)])
  func whatTheMaterialHasIsRepresented(_ numerator: Int, _ denominator: Int) throws {
    for name in ["polyphony", "melody", "drums"] {
      let plain = try #require(
        try Encodings.music(name, stepsPerQuarter: 4) as? any GridEncoding)
      let file = file([(0, numerator, denominator)], notes: 64, channel: name == "drums" ? 9 : 0)
      let (encoding, tokens) = try fitted(file, plain)
      #expect(try encoding.timeSignatureFaults(file).unknown.isEmpty)
      for (timeSignature, steps) in bars(tokens, encoding).dropLast() {
        #expect(
          timeSignature == "\(numerator)/\(denominator)" && steps == 16 * numerator / denominator)
      }
      // Standard time signatures leave the vocabulary as it is.
      let isStandard = TimeSignature.standard.contains(TimeSignature(numerator, denominator))
      #expect((encoding.vocabularySize == plain.vocabularySize) == isStandard)
      // A model draws this one alone, also after it was saved.
      let saved = try #require(
        try Encodings.make(name: name, properties: encoding.properties) as? any GridEncoding)
      #expect(saved.properties == encoding.properties)
      #expect(saved.vocabularySize == encoding.vocabularySize)
      for seed in 0..<10 {
        var walk = MusicWalk(saved, seed: UInt64(seed))
        for (timeSignature, _) in bars(walk.piece(longest: 300), encoding) {
          #expect(timeSignature == "\(numerator)/\(denominator)")
        }
      }
    }
  }

  @Test func whatCannotBeRepresentedIsSaid() throws {
    let four = try PolyphonyEncoding(stepsPerQuarter: 4)
    for (numerator, denominator) in [(9, 4), (17, 8), (9, 32), (255, 128), (5, 2)] {
      let file = file([(0, 3, 4), (2880, numerator, denominator)])
      let (encoding, tokens) = try fitted(file, four)
      #expect(try encoding.timeSignatureFaults(file).unknown == ["\(numerator)/\(denominator)"])
      #expect(Set(bars(tokens, encoding).map(\.0)) == ["3/4"])
    }
    // Half a step.
    let one = try PolyphonyEncoding(stepsPerQuarter: 1)
    #expect(try one.timeSignatureFaults(file([(0, 7, 8)])).unknown == ["7/8"])
    // A model keeps the tokens it has: what other material needs is said.
    let (known, _) = try fitted(file([(0, 11, 8)]), four)
    #expect(try known.timeSignatureFaults(file([(0, 10, 8)])).unknown == ["10/8"])
    #expect(try known.timeSignatureFaults(file([(0, 11, 8), (2640, 4, 4)])).unknown.isEmpty)
  }

  @Test func veryManyTimeSignatures() throws {
    let signatures = (1...120).map { ($0 * 1920, $0, 64) }
    let many = file(signatures, notes: 500)
    let (encoding, tokens) = try fitted(many, try PolyphonyEncoding(stepsPerQuarter: 16))
    #expect(encoding.grid.timeSignatures.all.count == TimeSignatureTable.most)
    #expect(try encoding.timeSignatureFaults(many).unknown.count > 20)
    let saved = try #require(
      try Encodings.make(name: encoding.name, properties: encoding.properties)
        as? any GridEncoding)
    #expect(saved.vocabularySize == encoding.vocabularySize)
    #expect(try saved.encode(many) == tokens)
  }

  @Test func propertiesThatCannotBe() throws {
    for wrong in [
      "", "4", "4/4 4/4", "4/3", "0/4", "4/0", "-4/4", "300/4", "9/4", "x", "4/4 3/4 /", "1/64",
      (1...64).map { "\($0)/16" }.joined(separator: " "),
    ] {
      #expect(throws: EncodingError.self, "\(wrong)") {
        try Encodings.make(
          name: "melody", properties: ["steps_per_quarter": "4", "time_signatures": .short(wrong)])
      }
    }
    // Files from before this was recorded draw any of the standard ones.
    let old = try #require(
      try Encodings.make(name: "melody", properties: ["steps_per_quarter": "4"])
        as? any GridEncoding)
    #expect(TimeSignature.standard.indices.allSatisfy { old.grid.timeSignatures.isFound($0) })
    #expect(old.fitted(to: [0, 2, 1]).properties == old.properties)
  }

  @Test func notesContradictATimeSignature() throws {
    func doubted(_ file: MIDIFile) throws -> [String] {
      try TimeSignatures(file).doubted.map { TimeSignature($0).name }
    }
    // A bar for each beat: half notes in bars of a quarter, at 120 a minute.
    #expect(try doubted(file([(0, 1, 4)], every: 960, length: 900)) == ["1/4"])
    #expect(try doubted(file([(0, 1, 8)], every: 480, length: 400)) == ["1/8"])
    // Repeated in each bar, or after another.
    #expect(
      try doubted(file((0..<20).map { ($0 * 480, 1, 4) }, every: 960, length: 900)) == ["1/4"])
    let after = file([(0, 3, 4), (2880, 1, 4)], every: 960, length: 900)
    #expect(try doubted(after) == ["1/4"])
    #expect(try after.withoutDoubtedTimeSignatures().timeSignatures.map(\.numerator) == [3])
    let four = try PolyphonyEncoding(stepsPerQuarter: 4)
    let (encoding, tokens) = try fitted(after, four)
    #expect(Set(bars(tokens, encoding).map(\.0)) == ["3/4"])
    // Believed: no notes are that long, bars are slow, a bar is inserted, bars are longer.
    #expect(try doubted(file([(0, 1, 4)], every: 480, length: 400)).isEmpty)
    #expect(try doubted(file([(0, 1, 4)], every: 960, length: 900, tempo: 2_000_000)).isEmpty)
    #expect(try doubted(file([(0, 1, 4), (480, 4, 4)], every: 960, length: 900)).isEmpty)
    #expect(try doubted(file([(0, 2, 4)], every: 1920, length: 1900)).isEmpty)
    #expect(try doubted(file([(0, 3, 8)], every: 1920, length: 1900)).isEmpty)
    #expect(try doubted(file([])).isEmpty)
    #expect(try doubted(file([(0, 1, 4)], notes: 0)).isEmpty)
  }

  @Test func piecesEndWithTheBarOfTheirLastNote() throws {
    for (signature, steps) in [((4, 4), 16), ((3, 4), 12), ((6, 8), 12), ((5, 4), 20)] {
      for notes in [1, 3, 4, 5, 16] {
        for silence in [0, 480, 1920, 960_000] {
          for name in ["polyphony", "melody", "drums"] {
            let encoding = try #require(
              try Encodings.music(name, stepsPerQuarter: 4) as? any GridEncoding)
            let file = file(
              [(0, signature.0, signature.1)], notes: notes, end: notes * 480 + silence,
              channel: name == "drums" ? 9 : 0)
            let tokens = try #require(try encoding.encode(file))
            let sounding = notes * 4
            let bar = (sounding + steps - 1) / steps * steps
            let count = tokens.withUnsafeBufferPointer { encoding.steps(of: $0) }
            #expect(count == min(bar, sounding + silence / 120), "\(name) \(notes) \(silence)")
          }
        }
      }
    }
    let performance = PerformanceEncoding()
    #expect(try performance.encode(file([], end: 1 << 20)) == performance.encode(file([])))
  }

  @Test func piecesBeginWithTheBarOfTheirFirstNote() throws {
    let four = try PolyphonyEncoding(stepsPerQuarter: 4)
    var late = file([(0, 4, 4), (1920, 3, 4), (3360, 4, 4)], notes: 0)
    let events =
      Array(late.tracks[0].events) + [
        MIDIEvent(tick: 5760, .channel(status: 0x90, 60, 90)),
        MIDIEvent(tick: 6000, .channel(status: 0x80, 60, 0)),
      ]
    late.tracks = [MIDIFile.Track(events: events)]
    let tokens = four.withoutOpeningSilence(try #require(try four.encode(late)))
    #expect(
      tokens.map(four.name).prefix(5) == [
        "START", "TIME_SIGNATURE 4/4", "STEP 1", "STEP 2", "STEP 3",
      ])
    #expect(tokens.firstIndex { four.name(of: $0) == "NEW 60" } == 6)
  }
}
