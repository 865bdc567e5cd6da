import Testing

@testable import Sequences

@Suite struct MusicControlsTests {
  /// The events of a piece, with the tick each comes at.
  private func events(_ encoding: any MusicEncoding, _ tokens: [Int32]) -> [(Int, MusicEvent)] {
    let player = encoding.makePlayer()
    var now = 0
    var result: [(Int, MusicEvent)] = []
    for token in tokens {
      player.take(token, heard: false)
      while let event = player.next() {
        now += event.delta
        result.append((now, event))
      }
    }
    return result
  }

  @Test(arguments: ["polyphony", "melody", "performance"])
  func pitchesScaleAndVoices(_ name: String) throws {
    let encoding = try Encodings.music(name, stepsPerQuarter: 4)
    for seed in 0..<5 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      walk.grammar.controls.lowest = 50
      walk.grammar.controls.highest = 73
      walk.grammar.controls.scale = try #require(MusicScale(named: "D minor")?.pitchClasses)
      walk.grammar.controls.voices = 2
      let scale: Set = [2, 4, 5, 7, 9, 10, 0, 1]
      var sounding = 0
      for (_, event) in events(encoding, walk.piece(longest: 500)) {
        switch event.kind {
        case .noteOn:
          #expect((50...73).contains(event.pitch) && scale.contains(event.pitch % 12))
          sounding += 1
          #expect(sounding <= 2)
        case .noteOff: sounding -= 1
        default: break
        }
      }
    }
  }

  @Test(arguments: [(4, 4), (3, 4), (6, 8), (5, 4), (7, 8)])
  func barsAreFilledExactly(numerator: Int, denominator: Int) throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    for bars in [1, 2, 16] {
      var walk = MusicWalk(encoding, seed: UInt64(bars))
      walk.grammar.controls.bars = bars
      walk.grammar.controls.numerator = numerator
      walk.grammar.controls.denominator = denominator
      var tokens: [Int32] = []
      repeat { tokens.append(walk.next()) } while tokens.last != Grid.end
      let length = bars * numerator * 4 * 480 / denominator
      let last = try #require(events(encoding, tokens).last)
      #expect(last.1.kind == .end && last.0 == length)
      let signature = try #require(encoding.decode(tokens).timeSignatures.first)
      #expect(signature.numerator == numerator && signature.denominator == denominator)
    }
  }

  @Test func endings() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 4)
    var walk = MusicWalk(encoding, seed: 1)
    walk.grammar.controls.ending = .never
    for _ in 0..<1000 { #expect(walk.next() != Grid.end) }
    walk = MusicWalk(encoding, seed: 2)
    walk.grammar.controls.ending = .barLine
    for _ in 0..<4 {
      let tokens = walk.piece(longest: 5000)
      let state = tokens.dropLast().reduce(into: GridState(encoding.grid)) { $0.advance($1) }
      #expect(state.position == 0 && state.bars > 0)
    }
  }

  @Test func dictatedNotesComeAsDictated() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    for seed in 0..<6 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      // A scale they are not in, and fewer voices than they need: what is dictated goes before.
      walk.grammar.controls.scale = 1
      walk.grammar.controls.voices = 1
      walk.grammar.controls.bars = 4
      walk.grammar.controls.numerator = 4
      walk.grammar.controls.denominator = 4
      var wanted: [MIDINote] = []
      for (start, duration, pitch) in [
        (0, 480, 61), (480, 240, 63), (480, 960, 66), (1920, 120, 61), (2040, 120, 61),
      ] {
        #expect(walk.grammar.force(start: start, duration: duration, pitch: pitch))
        wanted.append(
          MIDINote(start: start, duration: duration, channel: 0, pitch: pitch, velocity: 90))
      }
      var tokens: [Int32] = []
      repeat { tokens.append(walk.next()) } while tokens.last != Grid.end
      let notes = encoding.decode(tokens).notes().filter { $0.pitch % 12 != 0 }
      #expect(
        notes.map { [$0.start, $0.duration, $0.pitch] }
          == wanted.map { [$0.start, $0.duration, $0.pitch] })
    }
    let grammar = try encoding.makeMusicGrammar()
    #expect(!grammar.force(start: 0, duration: 10, pitch: 20))
    #expect(!grammar.force(start: -1, duration: 10, pitch: 60))
    #expect(!grammar.force(start: 0, duration: 0, pitch: 60))
    for i in 0..<1024 { #expect(grammar.force(start: i * 120, duration: 120, pitch: 60)) }
    #expect(!grammar.force(start: 0, duration: 120, pitch: 60))
    grammar.forceNothing()
    #expect(grammar.force(start: 0, duration: 120, pitch: 60))
  }

  @Test func statesAreKeptInSnapshots() throws {
    for encoding in musicEncodings() {
      var walk = MusicWalk(encoding, seed: 4)
      let other = try encoding.makeMusicGrammar()
      let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: type(of: walk.grammar).stateSize, alignment: 8)
      defer { bytes.deallocate() }
      for _ in 0..<300 {
        _ = walk.next()
        walk.grammar.save(to: bytes)
        #expect(other.restore(from: bytes))
        var logits = [Float](repeating: 0, count: encoding.vocabularySize)
        logits.withUnsafeMutableBufferPointer { other.forbid($0.baseAddress!) }
        #expect(logits == walk.allowed())
      }
      memsetAll(bytes, 0xFF, type(of: walk.grammar).stateSize)
      #expect(!other.restore(from: bytes))
    }
  }

  private func memsetAll(_ bytes: UnsafeMutableRawPointer, _ value: UInt8, _ count: Int) {
    for i in 0..<count { bytes.storeBytes(of: value, toByteOffset: i, as: UInt8.self) }
  }
}
