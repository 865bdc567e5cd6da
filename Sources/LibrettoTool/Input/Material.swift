import Libretto
import Memory
import Sequences

/// The files a command learns from or measures: those that were named and those of folders. One file
/// that was named must be good; of several the bad ones are left out and listed.
struct Material {
  enum Kind {
    case text, music

    /// Of what has this encoding; nil if it is still to be chosen. Throws for what no file holds.
    init?(encoding name: String?) throws {
      guard let name else { return nil }
      guard Encodings.kind(of: name) != .tokens else {
        throw Failure(
          "models of \(name) are of a program's own numbers, which no file holds: train and measure them through the library, by retto_trainer_add_tokens and retto_model_score; `libretto sample` lets them write",
          code: 64)
      }
      guard Encodings.kind(of: name) != .series else {
        throw Failure(
          "models of \(name) are of numbers: use `libretto forecast`, `evaluate` or `score` with a CSV file",
          code: 64)
      }
      self = Encodings.isMusic(name) ? .music : .text
    }
  }

  struct File {
    /// As it was named.
    let path: String
    /// What opens it: for a stream its copy.
    let source: String
    /// What its text is converted from; nil for none, and for MIDI.
    let kind: TextKind?
  }

  let kind: Kind
  /// Whether there are several files, or a folder.
  let isSeveral: Bool
  private(set) var files: [File] = []
  private(set) var leftOut = LeftOut()

  /// - `wanted`: the kind the command can use, nil for either; `because` says why.
  init(_ paths: [String], only wanted: Kind?, because: String, _ reading: TextReading) throws {
    var named: [(path: String, kind: Kind)] = []
    var folders: [(path: String, walk: FolderWalk)] = []
    for path in paths {
      if FolderWalk.isFolder(path) {
        folders.append((path, FolderWalk(path)))
      } else {
        named.append((path, try Self.kind(of: path)))
      }
    }
    isSeveral = named.count > 1 || !folders.isEmpty
    kind = try wanted ?? Self.kind(named, folders)
    for (path, walk) in folders {
      // Among music there are texts about it.
      if kind == .text && walk.music.count > walk.text.count {
        throw Failure(
          "\(path) is a folder of MIDI files, and \(because); name its text files one by one",
          code: 2)
      }
      let (own, foreign) = kind == .music ? (walk.music, walk.text) : (walk.text, walk.music)
      leftOut.note(foreign + walk.others, of: path)
      for problem in walk.problems { leftOut.note(problem.reason) }
      if own.isEmpty && walk.problems.isEmpty && paths.count > 1 {
        leftOut.note("\(path) is a folder without \(kind == .music ? "MIDI" : "text") files")
      }
      for file in own { try add(file, reading) }
    }
    for (path, kind) in named {
      guard kind != self.kind else {
        try add(path, reading)
        continue
      }
      let what = "\(Streams.name(path)) is \(kind == .music ? "a" : "not a") MIDI file"
      guard isSeveral else { throw Failure("\(what), and \(because)", code: 2) }
      leftOut.note(what)
    }
    try requireFiles()
  }

  private static func kind(of path: String) throws -> Kind {
    // What the shell found is there; the name of what is not was mistyped.
    if path != "-", !path.isEmpty, let reason = FileIdentity.whyMissing(path) {
      throw Failure("cannot open \(path): \(reason)", code: 2)
    }
    let source = try Streams.file(path)
    if FileKind.isModel(source) {
      throw Failure(
        "\(Streams.name(path)) is a model; expected text or MIDI files to learn from or to measure",
        code: 2)
    }
    return FileKind.isMIDI(source) || FileKind.isMIDI(path) ? .music : .text
  }

  /// The kind of the files that were named; else that of more of the files in the folders.
  private static func kind(
    _ named: [(path: String, kind: Kind)], _ folders: [(path: String, walk: FolderWalk)]
  ) throws -> Kind {
    guard let first = named.first else {
      let music = folders.reduce(0) { $0 + $1.walk.music.count }
      let text = folders.reduce(0) { $0 + $1.walk.text.count }
      return text > music ? .text : .music
    }
    if let other = named.first(where: { $0.kind != first.kind }) {
      let (music, text) = first.kind == .music ? (first, other) : (other, first)
      throw Failure(
        "\(Streams.name(music.path)) is a MIDI file and \(Streams.name(text.path)) is not; a model learns from MIDI files or from text: choose with --encoding",
        code: 2)
    }
    return first.kind
  }

  private mutating func add(_ path: String, _ reading: TextReading) throws {
    let source = try Streams.file(path)
    do throws(LibrettoError) {
      let text = kind == .music ? nil : try reading.kind(of: path, source, isSeveral: isSeveral)
      files.append(File(path: path, source: source, kind: text))
    } catch { try leave(error) }
  }

  /// Leaves a file out if it is not the only one and what is wrong is its own fault.
  private mutating func leave(_ error: LibrettoError) throws {
    guard isSeveral, [.file, .format, .corpus, .empty].contains(error.kind) else {
      throw Failure(error)
    }
    leftOut.note(error.message)
  }

  private func requireFiles() throws {
    guard files.isEmpty else { return }
    leftOut.show(of: 0)
    let endings = kind == .music ? FileKind.musicEndings : FileKind.textEndings
    throw Failure(
      leftOut.isEmpty
        ? "there are no \(kind == .music ? "MIDI" : "text") files in the folder; files are taken whose names end in \(endings.prefix(7).joined(separator: ", "))\(endings.count > 7 ? " or as source code does" : ""); name others one by one"
        : "none of the files can be used", code: 2)
  }

  /// Hands each file to the body; those it throws for are left out too. Then all that are left out are
  /// listed.
  mutating func use(_ body: (File) throws(LibrettoError) -> Void) throws {
    var used: [File] = []
    for file in files {
      do throws(LibrettoError) {
        try body(file)
        used.append(file)
      } catch { try leave(error) }
    }
    files = used
    try requireFiles()
    leftOut.show(of: files.count)
  }
}

extension Material.File {
  /// Its bytes, or its text as UTF-8 if it is text of a known kind.
  func read<Value>(_ body: (UnsafeRawBufferPointer) throws(LibrettoError) -> Value)
    throws(LibrettoError) -> Value
  {
    try FileContents.read(source) { (bytes) throws(LibrettoError) in
      guard let kind else { return try body(bytes) }
      guard kind == .utf8 else {
        let text = GrowableBuffer<UInt8>()
        try kind.append(bytes, to: text, name: Streams.name(path))
        return try text.withElements { (text) throws(LibrettoError) in
          try body(UnsafeRawBufferPointer(text))
        }
      }
      return try body(UnsafeRawBufferPointer(rebasing: bytes[kind.markLength(bytes)...]))
    }
  }
}

/// Files that are not used, and why.
struct LeftOut {
  private var reasons: [String] = []
  /// By folder: names of files of other kinds.
  private var others: [(folder: String, names: [String])] = []

  var isEmpty: Bool { reasons.isEmpty }

  mutating func note(_ reason: String) { reasons.append(reason) }

  mutating func note(_ paths: [String], of folder: String) {
    let prefix = folder.hasSuffix("/") ? folder.count : folder.count + 1
    if !paths.isEmpty {
      others.append((folder, paths.map { String($0.dropFirst(prefix)) }.sorted()))
    }
  }

  /// Tells which files were left out beside so many that are used.
  func show(of used: Int) {
    for (folder, names) in others {
      let files = names.count == 1 ? "1 file" : "\(grouped(names.count)) files"
      let shown = names.prefix(names.count > 6 ? 5 : 6).joined(separator: ", ")
      let more = names.count > 6 ? " and \(grouped(names.count - 5)) more" : ""
      printError("libretto: left out of \(folder), \(files) of another kind: \(shown)\(more)")
    }
    guard !reasons.isEmpty else { return }
    let were = reasons.count == 1 ? "was" : "were"
    printError(
      "libretto: \(grouped(reasons.count)) of \(grouped(used + reasons.count)) files \(were) left out:"
    )
    for reason in reasons.prefix(5) { printError("  " + Streams.named(reason)) }
    if reasons.count > 5 { printError("  and \(grouped(reasons.count - 5)) more") }
  }
}
