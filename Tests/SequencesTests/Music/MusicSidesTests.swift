import Testing

@testable import Sequences

/// What music tells beside its tokens: the key, and where in the piece a token is.
@Suite struct MusicSidesTests {
  @Test func keysAreFoundInEveryTransposition() {
    // A phrase of a song in C major, one in A minor with its leading note, and one in D minor.
    for (pitches, key) in [
      ([60, 60, 67, 67, 69, 69, 67, 65, 65, 64, 64, 62, 62, 60], Int32(1)),
      ([69, 71, 72, 74, 76, 74, 72, 71, 69, 68, 69, 76, 69], 22),
      ([62, 64, 65, 67, 69, 70, 69, 67, 65, 64, 62, 61, 62], 15),
    ] {
      for semitones in -12...12 {
        var times = PitchClassTimes()
        for pitch in pitches { times.add(pitch: pitch + semitones) }
        #expect(times.key() == MusicKey.transposed(key, by: semitones))
      }
    }
  }

  @Test func whatHasNoKeyHasNone() {
    var times = PitchClassTimes()
    #expect(times.key() == 0)
    times.add(pitch: 60)
    times.add(pitch: 67)
    #expect(times.key() == 0)
    for pitch in 0..<12 { times = times.adding(pitch: pitch, to: 5) }
    #expect(times.key() == 0)
    #expect(MusicKey.transposed(0, by: 5) == 0)
    #expect(MusicKey.transposed(12, by: 1) == 1)
    #expect(MusicKey.transposed(13, by: -1) == 24)
  }

  private func sides(_ encoding: any Encoding, _ tokens: [Int32], _ facts: SideFacts) -> [[Int32]] {
    let cursor = try! encoding.makeSideCursor()!
    cursor.begin(facts)
    return tokens.map { token in
      var values = [Int32](repeating: -1, count: encoding.ownSideInputs.count)
      values.withUnsafeMutableBufferPointer { cursor.advance(token, into: $0.baseAddress!) }
      for (value, side) in zip(values, encoding.ownSideInputs) {
        #expect(value >= 0 && value < Int32(side.count))
      }
      return values
    }
  }

  /// One bar of 2/4 on a grid of two steps per quarter note, again and again.
  private func piece(_ encoding: MelodyEncoding, bars: Int) -> [Int32] {
    let grid = encoding.grid
    let twoFour = Grid.firstTimeSignature + Int32(grid.timeSignature(TimeSignature(2, 4))!)
    var tokens = [Grid.start, twoFour]
    for _ in 0..<bars {
      for step in 0..<4 {
        if step % 2 == 0 { tokens.append(grid.firstNew + Int32(60 + step - grid.lowest)) }
        tokens.append(grid.firstStep + Int32((step + 1) % 4))
      }
    }
    return tokens + [Grid.end]
  }

  @Test func barsAreCountedDownAndPhrasesUp() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 2)
    #expect(encoding.ownSideInputs.map(\.name) == ["bars_to_go", "phrase", "key", "close"])
    let tokens = piece(encoding, bars: 10)
    let facts = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
    #expect(facts.bars == 10)
    let values = sides(encoding, tokens, facts)
    #expect(values[0][0] == 11 && values[0][1] == 1)
    // A bar has six tokens; the last of them, its bar line, belongs to the next.
    for bar in 0..<10 {
      let first = 2 + 6 * bar
      #expect(values[first][0] == Int32(11 - bar))
      #expect(values[first][1] == Int32(bar % 8 + 1))
      #expect(values[first + 5][0] == Int32(10 - bar))
    }
    #expect(values[tokens.count - 2][0] == 1)
  }

  @Test func whatIsNotToldIsZero() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 2)
    let tokens = piece(encoding, bars: 3)
    var facts = SideFacts()
    #expect(sides(encoding, tokens, facts).allSatisfy { $0[0] == 0 && $0[1] > 0 && $0[2] == 0 })
    (facts.bars, facts.key, facts.hidden) = (3, 5, 0b010)
    #expect(sides(encoding, tokens, facts).allSatisfy { $0[0] > 0 && $0[1] == 0 && $0[2] == 5 })
    facts.hidden = 0b111
    #expect(sides(encoding, tokens, facts).allSatisfy { $0 == [0, 0, 0, 0] })
  }

  /// In the last bar a piece that ends on its tonic tells it; one that does not tells nothing.
  @Test func theCloseIsTold() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 2)
    let tokens = piece(encoding, bars: 3)
    var facts = SideFacts()
    (facts.bars, facts.key) = (3, MusicKey.number(tonic: 7, isMinor: true))
    let values = sides(encoding, tokens, facts).map { $0[3] }
    #expect(values[2] == 1 && values[tokens.count - 4] == 9 && values[tokens.count - 2] == 9)
    facts.endsOnTonic = false
    #expect(sides(encoding, tokens, facts).allSatisfy { $0[3] == 0 })
    for hidden: UInt32 in [0b001, 0b100, 0b1000] {
      (facts.endsOnTonic, facts.hidden) = (true, hidden)
      #expect(sides(encoding, tokens, facts).allSatisfy { $0[3] == 0 })
    }
    // The pieces of this test go up from C to D, over and over.
    let own = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
    #expect(!own.endsOnTonic)
  }

  /// What scales are called and what they are the keys of go together.
  @Test func scalesTellTheirKeys() throws {
    for (tonic, name) in ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
      .enumerated()
    {
      for kind in ["major", "minor", "harmonic minor", "melodic minor"] {
        let scale = try #require(MusicScale(named: "\(name) \(kind)"))
        #expect(MusicKey.ofScale(scale.pitchClasses, heard: 0) == scale.key, "\(name) \(kind)")
      }
      let natural = try #require(MusicScale(named: "\(name) natural minor"))
      let minor = MusicKey.number(tonic: tonic, isMinor: true)
      let major = MusicKey.number(tonic: tonic + 3, isMinor: false)
      #expect(MusicKey.ofScale(natural.pitchClasses, heard: minor) == minor)
      #expect(MusicKey.ofScale(natural.pitchClasses, heard: 0) == major)
      #expect(MusicKey.ofScale(natural.pitchClasses, heard: major) == major)
    }
    for scale: UInt32 in [0xFFF, 0x001, 0b0010_1001_0101] {
      #expect(MusicKey.ofScale(scale, heard: 5) == 0)
    }
  }

  /// A key that was found stays while another fits hardly better.
  @Test func aKeyThatWasFoundStays() throws {
    var times = PitchClassTimes()
    for pitch in [0, 2, 4, 5, 7, 9, 11, 0, 4, 7, 0] { times.add(pitch: pitch) }
    let key = times.key()
    #expect(key == MusicKey.number(tonic: 0, isMinor: false))
    let dominant = MusicKey.number(tonic: 7, isMinor: false)
    #expect(times.key(before: key) == key)
    while times.key() == key { for pitch in [7, 2, 6, 11] { times.add(pitch: pitch) } }
    #expect(times.key() == dominant && times.key(before: key) == key)
    for _ in 0..<5 { for pitch in [7, 9, 11, 0, 2, 6, 7, 11, 2] { times.add(pitch: pitch) } }
    #expect(times.key(before: key) == dominant)
    #expect(PitchClassTimes().key(before: key) == key)
  }

  /// Transposing tokens and transposing facts come to the same.
  @Test func theKeyMovesAlong() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    var keys = 0
    for (name, file) in RealFilesTests.files {
      guard let tokens = try encoding.encode(file), encoding.transpositions(of: tokens).contains(3)
      else { continue }
      let facts = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
      let moved = tokens.map { encoding.transposed($0, by: 3) }
      let expected = moved.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
      #expect(encoding.transposed(facts, by: 3) == expected, "\(name)")
      #expect(facts.bars > 0, "\(name)")
      if facts.key > 0 { keys += 1 }
    }
    #expect(keys >= 40)
  }

  @Test func performancesTellTheirKeyAndDrumsTheirBars() throws {
    #expect(PerformanceEncoding().ownSideInputs.map(\.name) == ["key"])
    #expect(
      try DrumsEncoding(stepsPerQuarter: 4).ownSideInputs.map(\.name) == ["bars_to_go", "phrase"])
    let encoding = PerformanceEncoding()
    for name in ["amazing_grace.mid", "greensleeves.mid", "kesh_jig.mid", "korobeiniki.mid"] {
      let file = try #require(RealFilesTests.files.first { $0.name == name }).file
      let tokens = try #require(try encoding.encode(file))
      let grid = try #require(try PolyphonyEncoding(stepsPerQuarter: 4).encode(file))
      let a = tokens.withUnsafeBufferPointer { encoding.sideFacts(of: $0) }
      let b = try grid.withUnsafeBufferPointer {
        try PolyphonyEncoding(stepsPerQuarter: 4).sideFacts(of: $0)
      }
      #expect(a.key == b.key, "\(name)")
      #expect(a.bars == 0)
    }
  }
}

extension PitchClassTimes {
  /// With one pitch class brought up to a time.
  fileprivate func adding(pitch: Int, to time: Int) -> PitchClassTimes {
    var result = self
    result.add(pitch: pitch, time - Int(times[pitch]))
    return result
  }
}
