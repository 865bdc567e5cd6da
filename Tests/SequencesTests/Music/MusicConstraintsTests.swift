import Foundation
import TestSupport
import Testing

@testable import Sequences

@Suite struct MusicConstraintsTests {
  /// The events of a piece, with the tick each comes at.
  private func events(_ encoding: any MusicEncoding, _ tokens: [Int32]) -> [(Int, MusicEvent)] {
    let reader = try! encoding.makeReader()
    var now = 0
    var result: [(Int, MusicEvent)] = []
    for token in tokens {
      reader.take(token, .drawn)
      while let event = reader.decoder.next() {
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
      walk.grammar.constraints.lowest = 50
      walk.grammar.constraints.highest = 73
      walk.grammar.constraints.scale = try #require(MusicScale(named: "D minor")?.pitchClasses)
      walk.grammar.constraints.voices = 2
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
      walk.grammar.constraints.bars = bars
      walk.grammar.constraints.numerator = numerator
      walk.grammar.constraints.denominator = denominator
      var tokens: [Int32] = []
      repeat { tokens.append(walk.next()) } while tokens.last != Grid.end
      let length = bars * numerator * 4 * 480 / denominator
      let last = try #require(events(encoding, tokens).last)
      #expect(last.1.kind == .end && last.0 == length)
      let signature = try #require(encoding.decode(tokens).timeSignatures.first)
      #expect(signature.numerator == numerator && signature.denominator == denominator)
    }
  }

  /// A model that would end the piece within its last bar fills that bar with silence, after a restore too, and goes on
  /// if a note is fed; what would end the piece makes a step likelier where it is not the likeliest.
  @Test func whatEndsWithinTheLastBarIsSilent() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 4)
    let grammar = try #require(try encoding.makeMusicGrammar() as? GridGrammar)
    grammar.constraints.bars = 2
    func logits(end: Float) -> [Float] {
      var logits = [Float](repeating: 0, count: encoding.vocabularySize)
      logits[Int(Grid.end)] = end
      logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
      return logits
    }
    let grid = encoding.grid
    func step(_ position: Int) -> Int { Int(grid.firstStep) + position % 16 }
    func allowed(_ logits: [Float]) -> [Int] { logits.indices.filter { logits[$0] > -.infinity } }
    grammar.advance(Grid.start)
    let signature = try #require(grid.timeSignature(TimeSignature(4, 4)))
    grammar.advance(Grid.firstTimeSignature + Int32(signature))
    grammar.advance(grid.firstNew + 12)
    // Not in a bar before the last one, and not at its bar line.
    for position in 1...16 {
      grammar.advance(Int32(step(position)))
      #expect(allowed(logits(end: 5)).count > 2, "\(position)")
    }
    grammar.advance(grid.firstNew + 12)
    grammar.advance(Int32(step(1)))
    let likelier = logits(end: -1)
    #expect(abs(Double(likelier[step(2)]) - log(1 + exp(-1))) < 1e-6)
    #expect(likelier[Int(grid.firstNew) + 20] == 0 && likelier[Int(Grid.end)] == -.infinity)
    #expect(allowed(logits(end: 5)) == [step(2)])
    var bytes = [UInt8](repeating: 0, count: GridGrammar.stateSize)
    bytes.withUnsafeMutableBytes { grammar.save(to: $0.baseAddress!) }
    grammar.advance(Int32(step(2)))
    #expect(allowed(logits(end: -5)) == [step(3)])
    grammar.advance(grid.firstNew + 14)
    grammar.advance(Int32(step(3)))
    #expect(allowed(logits(end: -5)).count > 2)
    #expect(bytes.withUnsafeBytes { grammar.restore(from: $0.baseAddress!) })
    for position in 2...16 {
      #expect(allowed(logits(end: -5)) == [step(position)])
      grammar.advance(Int32(step(position)))
    }
    #expect(allowed(logits(end: -5)) == [Int(Grid.end)])
  }

  /// What an encoding cannot keep to is refused, and what it takes it keeps to.
  @Test(arguments: 0..<musicEncodings().count)
  func constraintsAreRefusedOrKept(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    let grid = (encoding as? any GridEncoding)?.grid
    let grammar = try encoding.makeMusicGrammar()
    func isTaken(_ change: (inout MusicConstraints) -> Void) -> Bool {
      var constraints = MusicConstraints()
      change(&constraints)
      return grammar.unsupported(constraints) == nil
    }
    let lasts = grid?.lasts ?? true
    #expect(isTaken { _ in })
    #expect(isTaken { $0.lowest = 60 } == lasts && isTaken { $0.highest = 60 } == lasts)
    #expect(isTaken { $0.scale = 1 } == lasts)
    #expect(isTaken { $0.voices = 1 } && isTaken { $0.density = 5 })
    #expect(isTaken { $0.ending = .never } && isTaken { $0.ending = .anywhere })
    #expect(isTaken { $0.ending = .barLine } == (grid != nil))
    #expect(isTaken { $0.bars = 3 } == (grid != nil))
    #expect(grammar.canForceNotes == (grid != nil))
    for (numerator, denominator) in [(4, 4), (7, 8), (11, 8), (13, 8), (2, 16), (1, 1), (200, 64)] {
      let known = grid.flatMap { grid in
        grid.timeSignatures.all.first {
          $0 == TimeSignature(numerator, denominator)
            && $0.steps(perQuarter: grid.stepsPerQuarter) != nil
        }
      }
      #expect(
        isTaken { ($0.numerator, $0.denominator) = (numerator, denominator) } == (known != nil))
      guard known != nil else { continue }
      var walk = MusicWalk(encoding, seed: 5)
      (walk.grammar.constraints.numerator, walk.grammar.constraints.denominator) = (
        numerator, denominator
      )
      for _ in 0..<3 {
        let names = walk.piece(longest: 100).map(encoding.name).filter {
          $0.hasPrefix("TIME_SIGNATURE")
        }
        #expect(names == ["TIME_SIGNATURE \(numerator)/\(denominator)"])
      }
    }
  }

  /// Constraints that change in the middle of a piece hold from the next token on.
  @Test(arguments: 0..<musicEncodings().count)
  func constraintsMayChangeAtAnyTime(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    let grid = (encoding as? any GridEncoding)?.grid
    var random = SplitMix(8)
    for seed in 0..<4 {
      var walk = MusicWalk(encoding, seed: UInt64(seed))
      for _ in 0..<400 {
        if Int.random(in: 0..<10, using: &random) == 0 {
          var constraints = MusicConstraints()
          if grid?.lasts ?? true {
            constraints.lowest = Int.random(in: 30...60, using: &random)
            constraints.highest = constraints.lowest + Int.random(in: 0...30, using: &random)
            constraints.scale = UInt32.random(in: 1...0xFFF, using: &random)
          }
          constraints.voices = Int.random(in: 1...4, using: &random)
          constraints.ending = [.never, .anywhere].randomElement(using: &random)!
          if grid != nil { constraints.bars = Int.random(in: 0...12, using: &random) }
          walk.grammar.constraints = constraints
        }
        let constraints = walk.grammar.constraints
        let bars = walk.grammar.bars
        let token = walk.next()
        let name = encoding.name(of: token)
        if name.hasPrefix("N") && !name.hasPrefix("NOTE_OFF"), grid?.lasts ?? true {
          let pitch = try #require(encoding.pitch(of: token))
          #expect((constraints.lowest...constraints.highest).contains(pitch))
          #expect(constraints.scale >> UInt32(pitch % 12) & 1 == 1)
        }
        if name == "END" {
          #expect(constraints.ending != .never || constraints.bars > 0)
          if constraints.bars > 0 { #expect(bars >= constraints.bars) }
        }
        if name.hasPrefix("STEP"), constraints.bars > 0 {
          #expect(walk.grammar.bars <= max(constraints.bars, bars + 1))
        }
      }
    }
  }

  /// However little a model knows, a piece has a note in its first bar, unless none may begin.
  @Test(arguments: 0..<musicEncodings().count)
  func noPieceIsSilent(_ number: Int) throws {
    let encoding = musicEncodings()[number]
    guard let grid = (encoding as? any GridEncoding)?.grid else { return }
    for silent in [false, true] {
      let grammar = try encoding.makeMusicGrammar()
      if silent { (grammar.constraints.lowest, grammar.constraints.scale) = (0, 0) }
      if silent { grammar.constraints.voices = 0 }
      var state = GridState(grid)
      var bars = 0
      while bars < 3 {
        // What ends a step is far likelier than anything else.
        var logits = [Float](repeating: 0, count: encoding.vocabularySize)
        logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
        let open = logits.indices.filter { logits[$0] > -.infinity }.map(Int32.init)
        let token = try #require(
          open.first { $0 >= grid.firstStep && $0 < grid.firstNew } ?? open.last)
        grammar.advance(token)
        state.advance(token)
        bars = state.bars
        if bars > 0 { #expect(state.played == !silent) }
      }
    }
  }

  @Test func endings() throws {
    let encoding = try MelodyEncoding(stepsPerQuarter: 4)
    var walk = MusicWalk(encoding, seed: 1)
    walk.grammar.constraints.ending = .never
    for _ in 0..<1000 { #expect(walk.next() != Grid.end) }
    walk = MusicWalk(encoding, seed: 2)
    walk.grammar.constraints.ending = .barLine
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
      walk.grammar.constraints.scale = 1
      walk.grammar.constraints.voices = 1
      walk.grammar.constraints.bars = 4
      walk.grammar.constraints.numerator = 4
      walk.grammar.constraints.denominator = 4
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
    grammar.clearForcedNotes()
    #expect(grammar.force(start: 0, duration: 120, pitch: 60))
    // A piece does not end before a forced note.
    var walk = MusicWalk(encoding, seed: 1)
    #expect(walk.grammar.force(start: 48_000, duration: 120, pitch: 60))
    let notes = encoding.decode(walk.piece(longest: 100_000)).notes()
    #expect(notes.contains { $0.start == 48_000 && $0.duration == 120 && $0.pitch == 60 })
  }

  @Test func statesAreKeptInSnapshots() throws {
    for encoding in musicEncodings() {
      var walk = MusicWalk(encoding, seed: 4)
      let other = try encoding.makeMusicGrammar()
      MusicWalk.want(of: other)
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
