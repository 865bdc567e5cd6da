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
          if event.kind == .end { continue }
          listener.take(event) { heard.append($0) }
        }
      }
      // The end is not heard, and of a drum or a last silence not how long it lasts.
      #expect(!heard.isEmpty)
      #expect(Array(tokens.prefix(heard.count)) == heard, "\(encoding.name), seed \(seed)")
      #expect(encoding.name == "drums" || heard.count > tokens.count / 2)
    }
  }

  @Test func eventsOfAnyKindAreTaken() {
    for encoding in musicEncodings() {
      let listener = encoding.makeListener()
      var random = SystemRandomNumberGenerator.Seeded(7)
      let grammar = encoding.makeMusicGrammar()
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
