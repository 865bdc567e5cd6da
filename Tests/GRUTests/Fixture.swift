import Foundation

@testable import GRU

/// Reference values by PyTorch: a file that Tests/fixtures/make_fixtures.py wrote.
struct Fixture {
  static let names = ["gru_1x7", "gru_2x32", "gru_3x20", "gru_2x24_sides"]

  let shape: NetworkShape
  let batch, sequence: Int
  let rate, clip, decay: Double
  private let header: [String: Any]
  private let data: Data

  init(_ name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../fixtures/\(name).safetensors")
    let bytes = try Data(contentsOf: file)
    let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
    let json = try JSONSerialization.jsonObject(with: bytes[8..<8 + length])
    header = json as! [String: Any]
    data = bytes[(8 + length)...]
    let metadata = header["__metadata__"] as! [String: String]
    let settings = metadata.compactMapValues(Double.init)
    let sides = (metadata["sides"] ?? "").split(separator: ",").map { Int($0)! }
    shape = NetworkShape(
      vocabulary: Int(settings["vocabulary"]!), embedding: Int(settings["embedding"]!),
      hidden: Int(settings["hidden"]!), layers: Int(settings["layers"]!),
      sides: SideSizes(sides))
    batch = Int(settings["streams"]!)
    sequence = Int(settings["window"]!)
    rate = settings["rate"]!
    clip = settings["clip"]!
    decay = settings["decay"]!
  }

  /// A tensor's numbers, four bytes each.
  private func numbers<T: BitwiseCopyable>(_ name: String) -> [T] {
    let offsets = (header[name] as! [String: Any])["data_offsets"] as! [Int]
    let bytes = data[(data.startIndex + offsets[0])..<(data.startIndex + offsets[1])]
    return bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: T.self)
      }
    }
  }

  func floats(_ name: String) -> [Float] { numbers(name) }
  func tokens(_ name: String) -> [Int32] { numbers(name) }
  /// The side values, `[sequence][batch][side inputs]`.
  var sides: [Int32] { shape.sides.isEmpty ? [] : numbers("sides") }

  /// A state `[layers][batch][hidden]`, each row padded as the network keeps it.
  func paddedState(_ name: String) -> [Float] {
    let values = floats(name)
    return stride(from: 0, to: values.count, by: shape.hidden).flatMap {
      values[$0..<$0 + shape.hidden]
        + [Float](repeating: 0, count: shape.paddedHidden - shape.hidden)
    }
  }

  /// The parameters, with a prefix to their names, in a buffer of the network's layout.
  func parameters() throws -> FloatBuffer {
    let layout = ParameterLayout(shape)
    let buffer = try FloatBuffer(layout.count)
    for tensor in layout.tensors { buffer.set(tensor, floats(tensor.name)) }
    return buffer
  }
}

extension FloatBuffer {
  var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  func values(of tensor: ParameterLayout.Tensor) -> [Float] {
    Array(UnsafeBufferPointer(start: pointer + tensor.offset, count: tensor.count))
  }

  func set(_ tensor: ParameterLayout.Tensor, _ values: [Float]) {
    precondition(values.count == tensor.count)
    (pointer + tensor.offset).update(from: values, count: values.count)
  }

  func set(_ values: [Float]) {
    precondition(values.count == count)
    pointer.update(from: values, count: values.count)
  }
}
