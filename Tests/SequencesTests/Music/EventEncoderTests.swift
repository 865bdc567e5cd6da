import TestSupport
import Testing

@testable import Sequences

@Suite struct EventEncoderTests {
  /// What a player plays, a listener writes down as the same tokens.
  @Test(arguments: 0..<musicEncodings().count)
  func whatIsPlayedIsHeard(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    for seed in 0..<3 {
      var walk = MusicWalk(encoding, seed: UInt64(100 + seed))
      // One time signature throughout: a listener is told it at the beginning alone.
      if encoding.name != "performance" {
        walk.grammar.constraints.numerator = 3
        walk.grammar.constraints.denominator = 4
      }
      let tokens = walk.piece(longest: 300)
      guard tokens.contains(where: { encoding.name(of: $0).hasPrefix("N") }) else { continue }
      let player = try encoding.makeReader()
      let listener = try encoding.makeReader()
      var heard: [Int32] = []
      for token in tokens {
        player.take(token, .drawn)
        while let event = player.decoder.next() {
          listener.take(event) { heard.append($0) }
        }
      }
      #expect(tokens == heard, "\(encoding.name), seed \(seed)")
    }
  }

  /// A long pause loses whole bars, and a time signature counts until the first note.
  @Test func longPausesKeepThePlaceInTheBar() throws {
    for (timeSignature, bar) in [((3, 4), 3), ((4, 4), 4)] {
      let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
      let listener = try encoding.makeReader()
      let grammar = listener.grammar
      func take(_ kind: MusicEvent.Kind, _ delta: Int, _ pitch: Int = 60, _ velocity: Int = 90) {
        listener.take(MusicEvent(delta: delta, kind, pitch: pitch, velocity: velocity)) { _ in }
      }
      listener.take(0, .fed)
      take(.timeSignature, 0, timeSignature.0, timeSignature.1)
      take(.noteOn, 0)
      take(.noteOff, 480)
      // 72 quarters in all are whole bars of both; 64 steps are 16 quarters.
      take(.noteOn, 71 * 480)
      #expect(grammar.bars * bar <= 17 && grammar.bars * bar >= 13)
      let before = grammar.bars
      take(.noteOff, bar * 480 - 120)
      #expect(grammar.bars == before)
      take(.time, 120)
      #expect(grammar.bars == before + 1)
      take(.end, 0)
      #expect(grammar.isComplete && grammar.bars == before + 1)
    }
  }

  /// However long a pause is, and however often one is told, an event becomes few tokens: at most one
  /// for each of 64 steps, or of a bar, and for each note held in them. The place in the bar stays.
  @Test(arguments: 0..<musicEncodings().count)
  func aLongPauseIsFewTokens(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    let grid = (encoding as? any GridEncoding)?.grid
    var random = SplitMix(3)
    for held in [0, 1, 5] {
      let listener = try encoding.makeReader()
      let grammar = listener.grammar
      var ticks = 0
      for i in 0..<60 {
        let bars = Int.random(in: 0...1000, using: &random)
        let delta = min(bars * 4 * encoding.ticksPerQuarter + 7 * i, Int(Int32.max))
        var tokens = 0
        let kind: MusicEvent.Kind = i < 2 ? .timeSignature : i < 2 + held ? .noteOn : .time
        let isTimeSignature = kind == .timeSignature
        listener.take(
          MusicEvent(
            delta: delta, kind, pitch: isTimeSignature ? 4 : 36 + 2 * i,
            velocity: isTimeSignature ? 4 : 90)
        ) { _ in tokens += 1 }
        ticks += delta
        let most = grid.map { max(Grid.longestPause, 4 * $0.stepsPerQuarter) + 1 } ?? 31
        // One more to say whose notes they are.
        let ofStep = 1 + held + (encoding.hasOrders && held > 0 ? 1 : 0)
        #expect(tokens <= (most + 1) * ofStep + 2, "\(encoding.name), event \(i): \(tokens)")
        // Parts that nobody named are not there before a note.
        let hasBegun = grammar.parts == nil || held > 0
        guard let grid, i >= 2, hasBegun else { continue }
        let place = (ticks + grid.ticksPerStep / 2) / grid.ticksPerStep
        var state = [UInt64](repeating: 0, count: 200)
        state.withUnsafeMutableBytes { grammar.save(to: $0.baseAddress!) }
        #expect(Int(state[2]) == place % (4 * grid.stepsPerQuarter), "\(encoding.name), event \(i)")
      }
    }
  }

  @Test func eventsOfAnyKindAreTaken() throws {
    for encoding in musicEncodings() {
      let listener = try encoding.makeReader()
      let grammar = listener.grammar
      var random = SplitMix(7)
      var opened = false
      for _ in 0..<300 {
        let kind = MusicEvent.Kind(rawValue: Int32.random(in: 0...5, using: &random))!
        let event = MusicEvent(
          delta: Int.random(in: 0...300, using: &random), kind,
          channel: Int.random(in: 0...15, using: &random),
          pitch: Int.random(in: 0...127, using: &random),
          velocity: Int.random(in: 0...127, using: &random))
        listener.encoder.take(event) { token in
          #expect(token >= 0 && token < Int32(encoding.vocabularySize))
          var logits = [Float](repeating: 0, count: encoding.vocabularySize)
          logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
          // What others play may begin with silence, unlike what is drawn.
          let name = encoding.name(of: token)
          if name == "START" { opened = false }
          if name.hasPrefix("N") { opened = true }
          #expect(
            logits[Int(token)] > -.infinity || !opened,
            "\(encoding.name): \(encoding.name(of: token)) is not allowed here")
          listener.take(token, .encoded)
        }
      }
    }
  }
}
