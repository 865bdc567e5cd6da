import CLibretto
import GRU
import Libretto
import Platform

extension Precision {
  init(_ precision: retto_precision) throws(LibrettoError) {
    guard let known = Precision(rawValue: Int(precision.rawValue)) else {
      throw LibrettoError(
        .argument,
        "the precision is \(precision.rawValue); it must be RETTO_FLOAT32, RETTO_BFLOAT16 or RETTO_INT8"
      )
    }
    self = known
  }
}

/// What a `retto_model` points to.
final class ModelHandle {
  let model: Model
  /// For `retto_model_info`.
  let encodingName: UnsafeMutablePointer<CChar>?
  /// The names of the labels, the first being that of label 1.
  let labelNames: [UnsafeMutablePointer<CChar>?]
  /// Those of the columns of numbers, the first being that of column 1.
  let columnNames: [UnsafeMutablePointer<CChar>?]

  init(_ model: Model) {
    self.model = model
    encodingName = strdup(model.encoding.name)
    labelNames = model.labels.names.map { strdup($0) }
    columnNames = model.encoding.series?.columns.map { strdup($0.name) } ?? []
  }

  deinit {
    free(encodingName)
    for name in labelNames + columnNames { free(name) }
  }
}

/// Runs a body with the model of a handle, which stays the host's.
@inline(__always)
func withModel(_ handle: OpaquePointer?, _ body: (ModelHandle) throws(LibrettoError) -> Void)
  throws(LibrettoError)
{
  let pointer = UnsafeRawPointer(try require(handle, "the model"))
  try body(Unmanaged<ModelHandle>.fromOpaque(pointer).takeUnretainedValue())
}

/// Gives a new object to the host, or NULL if the body throws.
@inline(__always)
func create<Object: AnyObject>(
  _ result: UnsafeMutablePointer<OpaquePointer?>?, _ what: StaticString,
  _ body: () throws(LibrettoError) -> Object
) -> retto_status {
  call { () throws(LibrettoError) in
    let result = try require(result, what)
    result.pointee = nil
    result.pointee = OpaquePointer(Unmanaged.passRetained(try body()).toOpaque())
  }
}

@c @implementation public func retto_model_load(
  _ path: UnsafePointer<CChar>!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(model, "the pointer for the model") { () throws(LibrettoError) in
    ModelHandle(try Model(path: try string(path, "the path")))
  }
}

@c @implementation public func retto_model_load_named(
  _ name: UnsafePointer<CChar>!, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(model, "the pointer for the model") { () throws(LibrettoError) in
    ModelHandle(try NamedModels.model(try string(name, "the name")))
  }
}

@c @implementation public func retto_model_names(
  _ names: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ length: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    let text = NamedModels.all().map { $0.name + "\n" }.joined()
    let names: UnsafeMutablePointer<CChar>? = names
    guard try hasRoom(for: text.utf8.count, names, capacity, length, "the buffer for names"),
      let names
    else { return }
    for (i, byte) in text.utf8.enumerated() { names[i] = CChar(bitPattern: byte) }
  }
}

@c @implementation public func retto_model_load_memory(
  _ data: UnsafeRawPointer!, _ length: Int, _ model: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(model, "the pointer for the model") { () throws(LibrettoError) in
    ModelHandle(
      try Model(
        bytes: try bytes(try require(data, "the data"), length, "the data"), name: "the data")
    )
  }
}

@c @implementation public func retto_model_quantize(
  _ model: OpaquePointer!, _ precision: retto_precision,
  _ quantized: UnsafeMutablePointer<OpaquePointer?>!
) -> retto_status {
  create(quantized, "the pointer for the quantized model") { () throws(LibrettoError) in
    let precision = try Precision(precision)
    var result: ModelHandle?
    try withModel(model) { (handle) throws(LibrettoError) in
      result = ModelHandle(try handle.model.quantized(to: precision))
    }
    return result!
  }
}

@c @implementation public func retto_model_save(
  _ model: OpaquePointer!, _ path: UnsafePointer<CChar>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      try handle.model.save(try string(path, "the path"))
    }
  }
}

@c @implementation public func retto_model_save_memory(
  _ model: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      try write(
        try handle.model.image(), to: buffer, capacity, size, "the buffer for the model")
    }
  }
}

/// Writes a file to a host's buffer, or tells its size.
func write(
  _ image: SafeTensorsImage, to buffer: UnsafeMutableRawPointer?, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>?, _ what: StaticString
) throws(LibrettoError) {
  guard try hasRoom(for: image.size, buffer, capacity, size, what) else { return }
  try image.write(to: UnsafeMutableRawBufferPointer(start: buffer, count: image.size))
}

@c @implementation public func retto_model_free(_ model: OpaquePointer!) {
  guard let model else { return }
  Unmanaged<ModelHandle>.fromOpaque(UnsafeRawPointer(model)).release()
}

@c @implementation public func retto_model_get_info(
  _ model: OpaquePointer!, _ info: UnsafeMutablePointer<retto_model_info>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let shape = handle.model.shape
      let value = retto_model_info(
        size: 0, vocabulary: Int32(shape.vocabulary), embedding: Int32(shape.embedding),
        hidden: Int32(shape.hidden), layers: Int32(shape.layers),
        parameters: UInt64(handle.model.network.layout.parameters),
        encoding: UnsafePointer(handle.encodingName), is_text: handle.model.isText ? 1 : 0,
        ticks_per_quarter: Int32(handle.model.ticksPerQuarter),
        precision: retto_precision(rawValue: UInt32(handle.model.precision.rawValue)),
        steps_per_quarter: Int32(handle.model.stepsPerQuarter),
        end_token: handle.model.endToken,
        kind: retto_kind(rawValue: UInt32(handle.model.kind.rawValue)),
        memory: handle.model.hasMemory ? 1 : 0, labels: Int32(handle.model.labels.count),
        columns: Int32(handle.columnNames.count),
        season: Int32(handle.model.encoding.series?.season ?? 0),
        context: Int32(handle.model.encoding.series?.context ?? 0), reserved: 0)
      try write(value, to: try require(info, "the info"), "the info")
    }
  }
}

@c @implementation public func retto_model_encode(
  _ model: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int,
  _ tokens: UnsafeMutablePointer<Int32>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let encoding = try handle.model.textEncoding()
      let text = try bytes(text, length, "the text")
      var needed = 0
      encoding.encode(text) { _ in needed += 1 }
      let tokens: UnsafeMutablePointer<Int32>? = tokens
      guard try hasRoom(for: needed, tokens, capacity, count, "the buffer for tokens"),
        let tokens
      else { return }
      var i = 0
      encoding.encode(text) { token in
        tokens[i] = token
        i += 1
      }
    }
  }
}

@c @implementation public func retto_model_decode(
  _ model: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ count: Int,
  _ text: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ length: UnsafeMutablePointer<Int>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let encoding = try handle.model.textEncoding()
      let tokens = try array(tokens, count, "the tokens")
      try handle.model.check(tokens)
      let needed = tokens.reduce(0) { $0 + encoding.byteCount(of: $1) }
      let text: UnsafeMutablePointer<CChar>? = text
      guard try hasRoom(for: needed, text, capacity, length, "the buffer for text"), let text
      else { return }
      var at = 0
      for token in tokens {
        encoding.forEachByte(of: token) {
          text[at] = CChar(bitPattern: $0)
          at += 1
        }
      }
    }
  }
}

@c @implementation public func retto_model_score(
  _ model: OpaquePointer!, _ tokens: UnsafePointer<Int32>!, _ count: Int,
  _ log_probabilities: UnsafeMutablePointer<Float>!
) -> retto_status {
  call { () throws(LibrettoError) in
    try withModel(model) { (handle) throws(LibrettoError) in
      let tokens = try array(tokens, count, "the tokens")
      guard count > 0 else { return }
      let result = try require(log_probabilities, "the buffer for log-probabilities")
      try handle.model.check(tokens)
      var i = 1
      try handle.model.score(tokens) { _, _, logProbability in
        result[i] = Float(logProbability)
        i += 1
      }
      result[0] = 0
    }
  }
}
