import Foundation
import Testing

@testable import Sequences

/// What the encodings promise, on files people made: the tunes of the examples, the fixtures, and
/// every folder that the environment variable `LIBRETTO_MIDI_FOLDERS` names (`:` between two), as
/// `Tests/music/encodings FOLDER...` sets it.
@Suite struct RealFilesTests {
  static let files: [(name: String, file: MIDIFile)] = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .deletingLastPathComponent()
    var folders = [
      tests.deletingLastPathComponent().appendingPathComponent("examples/tunes").path,
      tests.appendingPathComponent("midi/fixtures").path,
    ]
    let more = ProcessInfo.processInfo.environment["LIBRETTO_MIDI_FOLDERS"] ?? ""
    folders += more.split(separator: ":").map(String.init)
    var files: [(String, MIDIFile)] = []
    for folder in folders {
      let walk = FileManager.default.enumerator(atPath: folder)
      while let name = walk?.nextObject() as? String {
        guard name.lowercased().hasSuffix(".mid"),
          let data = FileManager.default.contents(atPath: folder + "/" + name)
        else { continue }
        var warnings: [MIDIWarning] = []
        if let file = try? data.withUnsafeBytes({
          try MIDIFile.read(UnsafeRawBufferPointer($0), warnings: &warnings)
        }) {
          files.append((name, file))
        }
      }
    }
    return files.sorted { $0.0 < $1.0 }
  }()

  private static let encodings: [any MusicEncoding] = [
    try! PolyphonyEncoding(stepsPerQuarter: 4), try! MelodyEncoding(stepsPerQuarter: 4),
    try! DrumsEncoding(stepsPerQuarter: 4), PerformanceEncoding(),
    try! PolyphonyEncoding(stepsPerQuarter: 12), try! MelodyEncoding(stepsPerQuarter: 3),
    try! EnsembleEncoding(stepsPerQuarter: 4), try! EnsembleEncoding(stepsPerQuarter: 12),
  ]

  @Test func thereAreFiles() { #expect(Self.files.count > 40) }

  /// Every piece is one the grammar could have written, and once quantised it stays as it is.
  @Test(arguments: 0..<encodings.count)
  func everyPieceIsGrammaticalAndComesBack(_ number: Int) throws {
    let encoding = Self.encodings[number]
    var pieces = 0
    for (name, file) in Self.files {
      guard let piece = try encoding.encode(file) else { continue }
      pieces += 1
      let tokens = encoding.withoutOpeningSilence(piece)
      let grammar = try
        ((encoding as? any GridEncoding)?.extended(by: TimeSignatureSurvey()).fitted(to: tokens)
        ?? encoding)
        .makeMusicGrammar()
      var logits = [Float](repeating: 0, count: encoding.vocabularySize)
      for (place, token) in tokens.enumerated() {
        logits.withUnsafeMutableBufferPointer {
          $0.update(repeating: 0)
          grammar.forbid($0.baseAddress!)
        }
        guard logits[Int(token)] == 0 else {
          Issue.record("\(name), token \(place): \(encoding.name(of: token)) is not allowed")
          break
        }
        grammar.advance(token)
      }
      #expect(grammar.isComplete, "\(name)")
      let again = try #require(try encoding.encode(encoding.decode(tokens)), "\(name)")
      let place = zip(again, tokens).enumerated().first { $0.element.0 != $0.element.1 }?.offset
      #expect(
        again == tokens,
        "\(encoding.name) of \(name) differs from token \(place ?? min(again.count, tokens.count))")
    }
    #expect(pieces > 0 || encoding.name == "drums")
  }

  /// Each note begins at the nearest step, and no note comes from nowhere. Left out are files with
  /// silences the grid shortens.
  @Test func polyphonyKeepsEveryBeginning() throws {
    let encoding = try PolyphonyEncoding(stepsPerQuarter: 4)
    var compared = 0
    for (name, file) in Self.files {
      guard let tokens = try encoding.encode(file) else { continue }
      let ticks = file.ticksPerQuarter
      func begins(_ file: MIDIFile, _ quarter: Int) -> Set<[Int]> {
        Set(
          file.notes().filter { $0.channel != 9 && encoding.place($0.pitch) != nil }
            .map { [($0.start * 4 + quarter / 2) / quarter, $0.pitch] })
      }
      let before = begins(file, ticks)
      let notes = before.map { $0[0] }.sorted()
      let long = zip(notes, notes.dropFirst()).contains { $1 - $0 > encoding.grid.longestSilence }
      guard !long else { continue }
      compared += 1
      let after = begins(encoding.decode(tokens), encoding.ticksPerQuarter)
      #expect(before == after, "\(name)")
    }
    #expect(compared > 30)
  }

  /// Each note of a performance begins within 5 ms of where it began, with its velocity to two.
  @Test func performanceKeepsTimeAndVelocity() throws {
    let encoding = PerformanceEncoding()
    for (name, file) in Self.files {
      guard let tokens = try encoding.encode(file) else { continue }
      func played(_ file: MIDIFile) -> [(seconds: Double, pitch: Int, velocity: Int)] {
        let clock = file.tempoMap
        return file.notes(sustain: true).filter { $0.channel != 9 }
          .map { (clock.seconds(at: $0.start), $0.pitch, $0.velocity) }
      }
      let before = played(file)
      let after = played(encoding.decode(tokens))
      guard before.allSatisfy({ $0.seconds < 3000 }) else { continue }
      // Two notes of one pitch at one moment are one afterwards, so the nearest counts.
      for pitch in 0..<128 {
        let then = before.filter { $0.pitch == pitch }
        for note in after.filter({ $0.pitch == pitch }) {
          #expect(
            then.contains {
              abs($0.seconds - note.seconds) < 0.0051 && abs($0.velocity - note.velocity) <= 2
            }, "\(name): \(note)")
        }
        #expect(after.filter { $0.pitch == pitch }.count <= then.count, "\(name)")
      }
    }
  }
}
