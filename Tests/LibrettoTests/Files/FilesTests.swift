import Foundation
import Testing

@testable import Libretto

@Suite struct FilesTests {
  @Test func aFileIsReplacedWhole() throws {
    let folder = try Folder()
    let path = folder("file")
    for text in ["first", "second, longer", "3rd", ""] {
      try replaceFile(path) { (out) throws(LibrettoError) in
        let bytes = Array(text.utf8)
        try out.write(Array(bytes.prefix(3)))
        try out.write(Array(bytes.dropFirst(3)))
      }
      #expect(try read(path) == Array(text.utf8))
      #expect(try folder.names == ["file"])
    }
  }

  @Test func theOldFileIsThereWhileTheNewOneIsWritten() throws {
    let folder = try Folder()
    let path = try folder.file("file", Array("old".utf8))
    try replaceFile(path) { (out) throws(LibrettoError) in
      #expect((try? read(path)) == Array("old".utf8))
      try out.write([])
      #expect((try? read(path)) == Array("old".utf8))
    }
    #expect(try read(path) == [])
  }

  @Test func aFailureInTheMiddleLeavesTheOldFileAndNothingElse() throws {
    let folder = try Folder()
    let path = try folder.file("file", Array("old".utf8))
    refusal(.corpus, "enough") {
      try replaceFile(path) { (out) throws(LibrettoError) in
        try out.write([4, 2])
        throw LibrettoError(.corpus, "enough")
      }
    }
    #expect(try read(path) == Array("old".utf8))
    #expect(try folder.names == ["file"])
  }

  @Test func aFullDiskLeavesTheOldFileAndNothingElse() throws {
    // A limit on the size of files stands in for a full disk. It is the whole process's, so it is
    // far above what any other test writes.
    let limit = 32 << 20
    var before = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before)
    signal(SIGXFSZ, SIG_IGN)
    var lower = before
    lower.rlim_cur = rlim_t(limit)
    setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &lower)
    defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &before) }

    let folder = try Folder()
    let path = try folder.file("file", Array("old".utf8))
    let block = [UInt8](repeating: 7, count: limit + 1)
    refusal(.file, "cannot write \(path)", "large") {
      try replaceFile(path) { (out) throws(LibrettoError) in
        try out.write(block)
      }
    }
    #expect(try read(path) == Array("old".utf8))
    #expect(try folder.names == ["file"])
  }

  @Test func whereNothingCanBeWrittenTheErrorSaysWhy() throws {
    let folder = try Folder()
    let model = try makeModel(hidden: 2, layers: 1)
    refusal(.file, "cannot write", "/nowhere/model", "No such file") {
      try model.save(folder("nowhere/model"))
    }
    _ = try folder.file("plain", [1])
    refusal(.file, "Not a directory") { try model.save(folder("plain/model")) }
    // A folder with something in it cannot be replaced: here it fails at the very last call.
    try FileManager.default.createDirectory(
      atPath: folder("full/inner"), withIntermediateDirectories: true)
    refusal(.file, "cannot write", "full") { try model.save(folder("full")) }
    #expect(try folder.names == ["full", "plain"])
    #expect(try read(folder("plain")) == [1])
    refusal(.file, "cannot write") { try model.save("") }
  }

  @Test func whatIsNoRegularFileIsLeftAlone() throws {
    let folder = try Folder()
    mkfifo(folder("pipe"), 0o600)
    symlink("pipe", folder("to the pipe"))
    symlink("nothing", folder("astray"))
    mkdir(folder("folder"), 0o700)
    for name in ["pipe", "to the pipe", "folder"] {
      refusal(.file, "cannot write", name, "not a regular file") {
        try replaceFile(folder(name), with: [1])
      }
      refusal(.file, "not a regular file") { try checkReplaceable(folder(name)) }
    }
    refusal(.file, "leads to no file") { try replaceFile(folder("astray"), with: [1]) }
    refusal(.file, "empty") { try checkReplaceable("") }
    #expect(try folder.names == ["astray", "folder", "pipe", "to the pipe"])
    var facts = stat()
    #expect(lstat(folder("pipe"), &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func aReplacedFileKeepsItsLinksAndPermissions() throws {
    let folder = try Folder()
    mkdir(folder("elsewhere"), 0o700)
    let path = try folder.file("elsewhere/file", [1])
    symlink("elsewhere/file", folder("link"))
    for permissions: mode_t in [0o600, 0o666, 0o640] {
      chmod(path, permissions)
      try replaceFile(folder("link"), with: [UInt8(permissions & 0xFF)])
      #expect(try read(path) == [UInt8(permissions & 0xFF)])
      var facts = stat()
      #expect(lstat(path, &facts) == 0 && facts.st_mode & 0o777 == permissions)
      #expect(lstat(folder("link"), &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK)
    }
    try checkReplaceable(folder("link"))
    #expect(try folder.names == ["elsewhere", "link"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder("elsewhere")) == ["file"])
  }

  @Test(.enabled(if: geteuid() != 0, "a superuser may write anywhere"))
  func aFolderThatMayNotBeWrittenTo() throws {
    let folder = try Folder()
    let path = try folder.file("file", [1, 2, 3])
    chmod(folder.path, 0o500)
    defer { chmod(folder.path, 0o700) }
    refusal(.file, "Permission denied") { try makeModel(hidden: 2, layers: 1).save(path) }
    #expect(try read(path) == [1, 2, 3])
  }

  @Test func readingSaysWhatIsWrong() throws {
    let folder = try Folder()
    refusal(.file, "cannot open", "nothing here", "No such file") {
      _ = try FileContents(folder("nothing here"))
    }
    refusal(.file, folder.path, "not a regular file") { _ = try FileContents(folder.path) }
    refusal(.file, "/dev/null", "not a regular file") { _ = try FileContents("/dev/null") }
    mkfifo(folder("pipe"), 0o600)
    refusal(.file, "not a regular file") { _ = try FileContents(folder("pipe")) }
    let empty = try FileContents(try folder.file("empty", []))
    #expect(empty.bytes.count == 0)
    let three = try FileContents(try folder.file("three", [1, 2, 3]))
    withExtendedLifetime(three) { #expect(Array(three.bytes) == [1, 2, 3]) }
  }

  @Test func oneWriterMayComeBetweenAnothersWords() throws {
    let folder = try Folder()
    try replaceFile(folder("file")) { (out) throws(LibrettoError) in
      try out.write([1, 2])
      try replaceFile(folder("file")) { (out) throws(LibrettoError) in try out.write([9]) }
      #expect((try? read(folder("file"))) == [9])
      try out.write([3])
    }
    #expect(try read(folder("file")) == [1, 2, 3])
    #expect(try folder.names == ["file"])
  }

  @Test func twoThreadsMayWriteTheSameFile() async throws {
    let folder = try Folder()
    let path = folder("file")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in UInt8(0)..<4 {
        group.addTask {
          let block = [UInt8](repeating: writer, count: 1000)
          for _ in 0..<20 {
            try replaceFile(path) { (out) throws(LibrettoError) in
              for _ in 0..<50 { try out.write(block) }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let found = try read(path)
    #expect(found.count == 50_000 && Set(found).count == 1)
    #expect(try folder.names == ["file"])
  }
}
