import Libretto
import Platform

/// Model files as commands read and write them.
enum ModelFiles {
  static let ending = ".safetensors"
  static let checkpointEnding = ".checkpoint.safetensors"

  /// Reads a model from a file, a pipe or, as `-`, standard input; or one that is found by its name, where no file
  /// has that name.
  static func read(_ path: String) throws -> Model {
    if path != "-", NamedModels.isName(path), !exists(path) {
      do throws(LibrettoError) { return try NamedModels.model(path) } catch {
        guard NamedModels.path(path) == nil else { throw Failure(error) }
        throw Failure(
          "there is no file and no model named \(path); to list the models: libretto models",
          code: 2)
      }
    }
    let file = try Streams.file(path)
    do throws(LibrettoError) { return try Model(path: file) } catch {
      guard error.kind == .format, let kind = FileKind.material(file) else {
        throw Failure(error)
      }
      throw Failure(
        "\(Streams.name(path)) is \(kind), not a model; to train one on it: libretto train \(path == "-" ? path : shellFile(path))",
        code: 2)
    }
  }

  /// Writes a model to a file or, as `-`, standard output.
  static func write(_ model: Model, to path: String) throws {
    guard path == "-" else {
      return try orFail { () throws(LibrettoError) in try model.save(path) }
    }
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    var template = Array("\(folder)/libretto.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(
        "cannot make a temporary folder in \(folder): \(String(cString: strerror(errno)))", code: 2)
    }
    let temporary = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let file = temporary + "/model"
    defer {
      unlink(file)
      rmdir(temporary)
    }
    let bytes = try orFail { () throws(LibrettoError) in
      try model.save(file)
      return try FileContents.read(file) { Array($0) }
    }
    try StandardOutput.write(bytes)
  }

  /// Where the checkpoint of a model is kept.
  static func checkpoint(beside model: String) -> String {
    let stem = model.hasSuffix(ending) ? String(model.dropLast(ending.count)) : model
    return stem + checkpointEnding
  }

  /// Refuses to write over what exists: training takes long, and a text that was named by mistake
  /// may exist only once.
  ///
  /// `advice`: what else there is to do with a model.
  static func refuseReplacing(_ path: String, advice: String = "") throws {
    guard path != "-", exists(path) else { return }
    var facts = stat()
    // What cannot be written over at all is refused with its reason; see `Outputs.checkReplaceable`.
    guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return }
    #if canImport(Darwin)
      let written = date(facts.st_mtimespec.tv_sec)
    #else
      let written = date(facts.st_mtim.tv_sec)
    #endif
    guard FileKind.isModel(path), let model = try? Model(path: path) else {
      throw Failure(
        "\(path) exists and is not a model (\(grouped(Int(facts.st_size))) bytes, written \(written)); name another file with -o, or write over it with --force",
        code: 64)
    }
    throw Failure(
      "\(path) exists: \(describe(model)), written \(written); \(advice)name another file with -o, or write over it with --force",
      code: 64)
  }

  /// What a model is, in a few words: "a model of characters, 2,250 steps, validation loss 1.479".
  private static func describe(_ model: Model) -> String {
    var words = ["a model of \(model.encoding.name)"]
    if model.precision != .float32 { words.append(model.precision.name) }
    if let steps = model.facts["training.steps"].flatMap({ Int($0) }) {
      words.append(steps == 1 ? "1 step" : "\(grouped(steps)) steps")
    }
    if let loss = model.facts["training.validation_nats_per_token"].flatMap({ Double($0) }) {
      words.append("validation loss \(fixed(loss, 3)) nats per token")
    }
    return words.joined(separator: ", ")
  }

  /// A time as the clock on the wall has it.
  private static func date(_ seconds: time_t) -> String {
    var seconds = seconds
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return "at an unknown time" }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      let count = strftime(text.baseAddress, text.count, "%Y-%m-%d %H:%M", &parts)
      return String(decoding: UnsafeRawBufferPointer(text)[..<count], as: UTF8.self)
    }
  }
}
