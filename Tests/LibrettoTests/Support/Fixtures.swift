import Foundation
import GRU
import Sequences
import Testing

@testable import Libretto

/// A model with weights as they are before training: every token of it can be drawn.
func makeModel(
  _ encoding: any Encoding = BytesEncoding(), embedding: Int = 6, hidden: Int = 20, layers: Int = 2,
  seed: UInt64 = 1, facts: [String: String] = [:]
) throws -> Model {
  let shape = NetworkShape(
    vocabulary: encoding.vocabularySize, embedding: embedding, hidden: hidden, layers: layers)
  let parameters = try FloatBuffer(ParameterLayout(shape).count)
  initialize(parameters, shape, seed: seed)
  // Larger than for training, so that what was read matters and the probabilities differ.
  for i in 0..<parameters.count { parameters.pointer[i] *= 3 }
  return Model(
    network: try Network(shape, parameters: parameters), encoding: encoding, facts: facts)
}

extension Model {
  var floats: [Float] {
    get throws {
      let parameters = try parameters()
      return withExtendedLifetime(parameters) {
        Array(UnsafeBufferPointer(start: parameters.pointer, count: parameters.count))
      }
    }
  }

  convenience init(_ bytes: [UInt8]) throws {
    // Not through a closure: a typed error would not come out of one.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try self.init(bytes: UnsafeRawBufferPointer(buffer), name: "it")
  }
}

/// A folder of its own for a test, which disappears with it.
final class Folder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/libretto-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    return self(name)
  }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

func read(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The error a body throws; its message must say something about each of the words.
@discardableResult
func refusal(
  _ kind: LibrettoError.Kind, _ words: String..., at location: SourceLocation = #_sourceLocation,
  of body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("nothing was refused", sourceLocation: location)
    return ""
  } catch let error as LibrettoError {
    #expect(error.kind == kind, "\(error)", sourceLocation: location)
    for word in words {
      #expect(error.message.contains(word), "\(error)", sourceLocation: location)
    }
    return error.message
  } catch {
    Issue.record("\(error)", sourceLocation: location)
    return ""
  }
}

/// A safetensors file, taken apart and put together.
struct ModelFile {
  var header: String
  var data: [UInt8]

  init(header: String, data: [UInt8]) {
    self.header = header
    self.data = data
  }

  init(_ bytes: [UInt8]) {
    let length = bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    data = Array(bytes[(8 + length)...])
  }

  init(_ model: Model) throws {
    let folder = try Folder()
    try model.save(folder("model"))
    self.init(try read(folder("model")))
  }

  var bytes: [UInt8] {
    let text = Array(header.utf8)
    return (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text + data
  }

  func replacing(_ old: String, _ new: String) -> ModelFile {
    var result = self
    result.header = header.replacingOccurrences(of: old, with: new)
    precondition(result.header != header, "the header has no \(old)")
    return result
  }
}

extension Output {
  func write(_ bytes: [UInt8]) throws(LibrettoError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try write(UnsafeRawBufferPointer(buffer))
  }
}

extension Trainer {
  func add(_ text: String, validation: Bool = false) throws {
    try add(Array(text.utf8), validation: validation)
  }

  func add(_ bytes: [UInt8], validation: Bool = false) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try add(text: UnsafeRawBufferPointer(buffer), validation: validation)
  }
}

extension Session {
  func feed(_ tokens: [Int32]) throws {
    let buffer = UnsafeMutableBufferPointer<Int32>.allocate(capacity: tokens.count)
    defer { buffer.deallocate() }
    _ = buffer.initialize(from: tokens)
    try feed(UnsafeBufferPointer(buffer))
  }

  func feed(_ text: String) throws {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: text.utf8)
    try feed(text: UnsafeRawBufferPointer(bytes))
  }

  var distribution: [Float] {
    var result = [Float](repeating: .nan, count: model.shape.vocabulary)
    result.withUnsafeMutableBufferPointer { logProbabilities($0.baseAddress!) }
    return result
  }

  var snapshot: [UInt8] {
    var result = [UInt8](repeating: 0xEE, count: snapshotSize)
    result.withUnsafeMutableBytes { snapshot($0.baseAddress!) }
    return result
  }

  func restore(_ bytes: [UInt8]) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { buffer.deallocate() }
    buffer.copyBytes(from: bytes)
    try restore(UnsafeRawBufferPointer(buffer))
  }

  func draw(_ count: Int) throws -> [Int32] { try (0..<count).map { _ in try next().token } }
}

/// Text that a small network learns in a moment, and that has characters of each length.
let ditty = "La la lü, la la li. 日本 🎵 "

func ditties(_ count: Int) -> String { String(repeating: ditty, count: count) }

/// Options that a debug build gets through in a moment.
func smallOptions(_ change: (inout TrainingOptions) -> Void = { _ in }) -> TrainingOptions {
  var options = TrainingOptions()
  options.embedding = 8
  options.hidden = 16
  options.layers = 1
  options.batch = 4
  options.sequence = 8
  options.steps = 40
  options.threads = 1
  options.dropout = 0
  change(&options)
  return options
}

/// A trainer with such options and some text.
func makeTrainer(
  _ text: String = ditties(60), _ change: (inout TrainingOptions) -> Void = { _ in }
) throws -> Trainer {
  let trainer = try Trainer(smallOptions(change))
  try trainer.add(text)
  return trainer
}
