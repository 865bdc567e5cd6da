import Foundation
import Sequences
import Testing

@testable import Libretto

/// Text files are read when they become tokens, in blocks.
@Suite struct TextFilesTests {
  private func tokens(_ material: TextMaterial) throws -> [Int32] {
    let corpus = try #require(
      try material.tokenize(nil, name: "characters", fraction: 0, until: nil))
    return (0..<corpus.training.tokens.count).map { corpus.training.tokens[$0] }
  }

  /// Characters lie across the borders of blocks.
  @Test(arguments: ["é", "日", "🎵"])
  func blocksAreOneText(character: String) throws {
    let folder = try Folder()
    let length = TextFiles.blockSize / character.utf8.count + 2
    for shift in 0..<character.utf8.count {
      let text = String(repeating: "a", count: shift) + String(repeating: character, count: length)
      let files = TextMaterial()
      try files.add(file: try folder.file("text", Array(text.utf8)), validation: false)
      let memory = TextMaterial()
      try Array(text.utf8).withUnsafeBytes { try memory.add(text: $0, validation: false) }
      let found = try tokens(files)
      #expect(found.count == shift + length && found.last == 256)
      #expect(try tokens(memory) == found)
    }
  }

  @Test func aFileThatChangedIsAnError() throws {
    let folder = try Folder()
    let before = Array(ditties(50).utf8)
    for change in [
      { _ = truncate($0, 10) }, { _ = truncate($0, 0) }, { _ = unlink($0) },
      { try! Data(before + before).write(to: URL(fileURLWithPath: $0)) },
      { path in
        try! Data(before).write(to: URL(fileURLWithPath: path + "2"))
        rename(path + "2", path)
      },
    ] as [(String) -> Void] {
      let path = try folder.file("text", before)
      let trainer = try Trainer(smallOptions())
      try trainer.add(file: path)
      change(path)
      refusal(.file, path) { _ = try trainer.step() }
      refusal(.file, path) { _ = try trainer.run() }
    }
  }

  @Test func aFileThatShrinksWhileItIsReadIsAnError() throws {
    let folder = try Folder()
    let path = try folder.file("text", [UInt8](repeating: 0x61, count: 3 * TextFiles.blockSize))
    let files = TextFiles()
    let (number, count) = try files.add(path)
    var blocks = 0
    refusal(.file, path, "truncated to 1048576 bytes", "expected 3145728") {
      try files.eachBlock(of: number, 0..<count) { _ in
        blocks += 1
        truncate(path, off_t(TextFiles.blockSize))
        return true
      }
    }
    #expect(blocks == 1)
  }

  @Test func aModelThatShrinksWhileItIsReadIsAnError() throws {
    let folder = try Folder()
    try makeModel().save(folder("m"))
    let file = try InputFile(folder("m"))
    truncate(folder("m"), 100)
    refusal(.file, "truncated to 100 bytes", "expected \(file.count)") {
      _ = try SafeTensors(file, name: file.path)
    }
  }
}
