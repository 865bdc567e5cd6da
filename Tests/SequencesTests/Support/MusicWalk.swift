import TestSupport

@testable import Sequences

/// Sequences of tokens that a grammar allows, drawn at random: what a model that has learned nothing
/// would write.
struct MusicWalk {
  let encoding: any MusicEncoding
  let grammar: any MusicGrammar
  var random: SplitMix

  init(_ encoding: any MusicEncoding, seed: UInt64) {
    self.encoding = encoding
    grammar = try! encoding.makeMusicGrammar()
    random = SplitMix(seed)
    Self.want(of: grammar)
  }

  /// Asks for a few parts, so that each comes to sound.
  static func want(of grammar: any MusicGrammar) {
    let programs: [Int32] = [0, 33, Int32(Instrument.drums)]
    programs.withUnsafeBufferPointer { grammar.parts?.want($0) }
  }

  /// The logits of all tokens after the grammar: 0 where one may come, plus what it adds.
  func allowed() -> [Float] {
    var logits = [Float](repeating: 0, count: encoding.vocabularySize)
    logits.withUnsafeMutableBufferPointer { grammar.forbid($0.baseAddress!) }
    return logits
  }

  /// The next token; ends of steps and of pieces come often enough for a piece to be readable.
  mutating func next() -> Int32 {
    let logits = allowed()
    let open = logits.indices.filter { logits[$0] > -.infinity }
    precondition(!open.isEmpty)
    let few = open.filter { !isNote(Int32($0)) }
    let token =
      !few.isEmpty && Double.random(in: 0..<1, using: &random) < 0.5
      ? few.randomElement(using: &random)! : open.randomElement(using: &random)!
    grammar.advance(Int32(token))
    return Int32(token)
  }

  private func isNote(_ token: Int32) -> Bool {
    let name = encoding.name(of: token)
    return name.hasPrefix("N") || name.hasPrefix("HELD")
  }

  /// One piece, cut short by an end if it is long.
  mutating func piece(longest: Int = 3000) -> [Int32] {
    var tokens: [Int32] = []
    let voices = grammar.constraints.voices
    repeat {
      tokens.append(next())
      // Not between a velocity or a part and the note it is for.
      let name = encoding.name(of: tokens.last!)
      if tokens.count > longest && !name.hasPrefix("VELOCITY") && !name.hasPrefix("PART") {
        grammar.constraints.bars = grammar.bars + 1
        grammar.constraints.voices = 0
      }
    } while tokens.last != 1 && tokens.count < 10 * longest
    grammar.constraints.bars = 0
    grammar.constraints.voices = voices
    return tokens
  }
}

/// The encodings of music, on several grids.
func musicEncodings() -> [any MusicEncoding] {
  let short = PerformanceEncoding(properties: ["longest_note": "130", "longest_silence": "100"])
  var all: [any MusicEncoding] = [PerformanceEncoding(), short]
  for steps in [1, 3, 4, 7, 12, 24] {
    all.append(try! PolyphonyEncoding(stepsPerQuarter: steps))
    all.append(try! MelodyEncoding(stepsPerQuarter: steps))
    all.append(try! DrumsEncoding(stepsPerQuarter: steps))
    all.append(try! EnsembleEncoding(stepsPerQuarter: steps))
  }
  // With time signatures that are not standard, and bars that are cut short.
  for steps in [4, 12] {
    let timeSignatures = TimeSignatureTable(extra: [TimeSignature(11, 8), TimeSignature(2, 16)])
      .adding(found: 0b11_0000_0000_0000_0101, changesWithinBars: true)
    all.append(try! PolyphonyEncoding(stepsPerQuarter: steps).with(timeSignatures))
  }
  return all
}
