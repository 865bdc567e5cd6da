import Testing

@testable import Sequences

@Suite struct EventListenerTests {
  /// What a player plays, a listener writes down as the same tokens.
  @Test(arguments: 0..<musicEncodings().count)
  func whatIsPlayedIsHeard(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    for seed in 0..<3 {
      var walk = MusicWalk(encoding, seed: UInt64(100 + seed))
      // One metre throughout: a listener is told it at the beginning alone.
      if encoding.name != "performance" {
        walk.grammar.controls.numerator = 3
        walk.grammar.controls.denominator = 4
      }
      let tokens = walk.piece(longest: 300)
      guard tokens.contains(where: { encoding.name(of: $0).hasPrefix("N") }) else { continue }
      let player = encoding.makePlayer()
      let listener = encoding.makeListener()
      var heard: [Int32] = []
      for token in tokens {
        player.take(token, heard: false)
        while let event = player.next() {
          listener.take(event) { heard.append($0) }
        }
      }
      #expect(tokens == heard, "\(encoding.name), seed \(seed)")
    }
  }

  /// A long pause loses whole bars, and a metre counts until the first note.
  @Test func longPausesKeepThePlaceInTheBar() throws {
    for (metre, bar) in [((3, 4), 3), ((4, 4), 4)] {
      let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
      let listener = encoding.makeListener()
      let grammar = try encoding.makeMusicGrammar()
      func take(_ kind: MusicEvent.Kind, _ delta: Int, _ pitch: Int = 60, _ velocity: Int = 90) {
        listener.take(MusicEvent(delta: delta, kind, pitch: pitch, velocity: velocity)) {
          grammar.advance($0)
        }
      }
      listener.follow(0)
      grammar.advance(0)
      take(.metre, 0, metre.0, metre.1)
      take(.noteOn, 0)
      take(.noteOff, 480)
      // 72 quarters in all are whole bars of both.
      take(.noteOn, 71 * 480)
      #expect(grammar.bars * bar <= 65 && grammar.bars * bar >= 61)
      let before = grammar.bars
      take(.noteOff, bar * 480 - 120)
      #expect(grammar.bars == before)
      take(.time, 120)
      #expect(grammar.bars == before + 1)
      take(.end, 0)
      #expect(grammar.isComplete && grammar.bars == before + 1)
    }
  }

  @Test func eventsOfAnyKindAreTaken() throws {
    for encoding in musicEncodings() {
      let listener = encoding.makeListener()
      var random = SystemRandomNumberGenerator.Seeded(7)
      let grammar = try encoding.makeMusicGrammar()
      for _ in 0..<300 {
        let kind = MusicEvent.Kind(rawValue: Int32.random(in: 0...4, using: &random))!
        let event = MusicEvent(
          delta: Int.random(in: 0...300, using: &random), kind,
          channel: Int.random(in: 0...15, using: &random),
          pitch: Int.random(in: 0...127, using: &random),
          velocity: Int.random(in: 0...127, using: &random))
        listener.take(event) { token in
          #expect(token >= 0 && token < Int32(encoding.vocabularySize))
          var logits = [Float](repeating: 0, count: encoding.vocabularySize)
          logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
          #expect(
            logits[Int(token)] > -.infinity,
            "\(encoding.name): \(encoding.name(of: token)) is not allowed here")
          grammar.advance(token)
        }
      }
    }
  }
}
