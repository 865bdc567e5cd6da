import GRU
import Sequences
import Testing

@testable import Libretto

/// Models with weights in fewer bits.
@Suite struct PrecisionTests {
  @Test(arguments: [Precision.bfloat16, .int8])
  func savedAndLoadedItIsTheSame(precision: Precision) throws {
    let folder = try Folder()
    let model = try makeModel(embedding: 6, hidden: 37, layers: 2)
    let quantized = try model.quantized(to: precision)
    #expect(quantized.precision == precision && quantized.fingerprint != model.fingerprint)
    var expected = try model.floats
    for tensor in model.network.layout.tensors where tensor.isMatrix {
      for row in 0..<tensor.rows {
        let places =
          tensor.offset + row * tensor.columns..<tensor.offset + (row + 1) * tensor.columns
        var bytes = [UInt8](repeating: 0, count: 4 * tensor.columns)
        expected[places].withUnsafeMutableBufferPointer { floats in
          let scale = precision.encode(floats.baseAddress!, count: floats.count, into: &bytes)
          precision.decode(bytes, count: floats.count, scale: scale, into: floats.baseAddress!)
        }
      }
    }
    #expect(try quantized.floats == expected)
    try quantized.save(folder("m"))
    let again = try Model(path: folder("m"))
    #expect(again.precision == precision)
    #expect(try again.floats == quantized.floats && again.fingerprint == quantized.fingerprint)
    try again.save(folder("n"))
    #expect(try read(folder("n")) == read(folder("m")))
    // Quantized once more it does not change.
    #expect(try again.quantized(to: precision).floats == quantized.floats)
    try model.save(folder("full"))
    let sizes = (try read(folder("m")).count, try read(folder("full")).count)
    #expect(sizes.0 * (precision == .int8 ? 3 : 2) < sizes.1 + 6000)
  }

  /// Far from the model's own probabilities it is not: with random weights, which are harder than
  /// learned ones, the log-probabilities of what is drawn are within a few hundredths.
  @Test(arguments: [(Precision.bfloat16, 0.02), (.int8, 0.08)])
  func probabilitiesStayClose(precision: Precision, most: Double) throws {
    let model = try makeModel(embedding: 16, hidden: 64, layers: 2)
    let quantized = try model.quantized(to: precision)
    let full = try Session(model, seed: 4)
    let short = try Session(quantized, seed: 4)
    full.usesGrammar = false
    short.usesGrammar = false
    var sum = 0.0
    for _ in 0..<300 {
      let (token, wanted) = try full.next()
      var all = [Float](repeating: 0, count: 256)
      short.logProbabilities(&all)
      sum += Double(abs(all[Int(token)] - wanted))
      try withUnsafePointer(to: token) {
        try short.feed(UnsafeBufferPointer(start: $0, count: 1))
      }
    }
    #expect(sum / 300 < most && sum > 0)
  }

  /// One by one, many at once and as a sequence to score, the same comes out. In bfloat16 what differs
  /// in the last bit of a sum may differ in the eighth of the next operand; sums of int8 are exact.
  @Test(arguments: [(Precision.bfloat16, 0.02), (.int8, 1e-4)])
  func everyWayOfReadingAgrees(precision: Precision, most: Double) throws {
    let model = try makeModel(embedding: 6, hidden: 45, layers: 2).quantized(to: precision)
    let alone = try (0..<9).map { try Session(model, seed: UInt64($0)) }
    let together = try (0..<9).map { try Session(model, seed: UInt64($0)) }
    try together[0].reserve(9)
    var text = [[Int32]](repeating: [10], count: 9)
    var drawn = [[Float]](repeating: [], count: 9)
    for _ in 0..<40 {
      var all = [Float](repeating: 0, count: 256)
      try Session.next(count: 9, session: { together[$0] }) { i, token, logProbability in
        text[i].append(token)
        drawn[i].append(logProbability)
      }
      for i in 0..<9 {
        alone[i].logProbabilities(&all)
        let token = text[i].last!
        #expect(abs(Double(all[Int(token)] - drawn[i].last!)) < most)
        try withUnsafePointer(to: token) {
          try alone[i].feed(UnsafeBufferPointer(start: $0, count: 1))
        }
      }
    }
    for i in 0..<9 {
      var scores: [Double] = []
      try text[i].withUnsafeBufferPointer { tokens in
        try model.score(tokens) { _, _, logProbability in scores.append(logProbability) }
      }
      #expect(zip(scores, drawn[i]).allSatisfy { abs($0 - Double($1)) < most })
    }
  }

  /// Scales and numbers that this library would not have chosen are kept as they are, unless the kernels cannot
  /// take them: those rows are quantized anew.
  @Test func int8OfOtherLibraries() throws {
    let model = try makeModel(embedding: 6, hidden: 20, layers: 1).quantized(to: .int8)
    let file = try ModelFile(model)
    func place(_ name: String) throws -> Int {
      try #require(try JSON.parse(file.header).members?.first { $0.key == name })
        .value["data_offsets"]!.array![0].integer!
    }
    let (numbers, scales) = (try place("head.weight"), try place("head.weight.scale"))
    func with(_ number: UInt8, _ scale: Float) -> ModelFile {
      var changed = file
      for i in 0..<20 { changed.data[numbers + i] = number }
      withUnsafeBytes(of: scale) {
        changed.data.replaceSubrange(scales..<scales + 4, with: $0)
      }
      return changed
    }
    let layout = model.network.layout
    let head = layout.tensors[layout.tensors.count - 2]
    for (number, scale, kept) in [
      (UInt8(5), Float(0.3), true), (0x80, 0.25, false), (7, -0.5, false), (9, 0, false),
    ] {
      let changed = with(number, scale)
      let read = try Model(changed.bytes)
      let weight = Float(Int8(bitPattern: number)) * scale
      #expect(abs(try read.floats[head.offset] - weight) < 1e-4 * max(abs(weight), 1))
      #expect((try ModelFile(read).data == changed.data) == kept)
    }
  }

  /// Floats in a file of int8 are quantized as they are read.
  @Test func floatsInAFileOfInt8() throws {
    let model = try makeModel(embedding: 6, hidden: 20, layers: 1)
    let file = try ModelFile(model).replacing(
      "\"format_version\"", "\"precision\":\"int8\",\"format_version\"")
    let read = try Model(file.bytes)
    #expect(read.precision == .int8)
    #expect(try read.fingerprint == model.quantized(to: .int8).fingerprint)
  }

  @Test func damagedFilesAreRefused() throws {
    let model = try makeModel(embedding: 6, hidden: 20, layers: 1).quantized(to: .int8)
    for (old, new, words) in [
      ("\"precision\":\"int8\"", "\"precision\":\"int4\"", "int4"),
      ("head.weight.scale", "head.weight.scala", "has no F32 tensor \"head.weight.scale\""),
      ("\"I8\",\"shape\":[256,20]", "\"U8\",\"shape\":[256,20]", "U8; F32, BF16 or I8 is needed"),
    ] {
      var file = try ModelFile(model)
      #expect(file.header.contains(old))
      file.header = file.header.replacing(old, with: new)
      let error = #expect(throws: LibrettoError.self) { try Model(file.bytes) }
      #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }
  }

  @Test func trainingInThem() throws {
    var options = TrainingOptions()
    options.precision = .int8
    #expect(throws: LibrettoError.self) { try Trainer(options) }
    options.precision = .bfloat16
    options.steps = 2
    do throws(LibrettoError) {
      let trainer = try Trainer(options)
      let text = UnsafeMutableRawBufferPointer.allocate(byteCount: 4000, alignment: 1)
      defer { text.deallocate() }
      for i in 0..<4000 { text[i] = UInt8(97 + i % 7) }
      try trainer.add(text: UnsafeRawBufferPointer(text))
      let end = try trainer.run().end
      #expect(end == .finished)
    } catch {
      #expect(error.kind == .unsupported && error.message.contains("AVX512-BF16"))
    }
  }

  /// Rounding up would go beyond the largest float.
  @Test(arguments: [Precision.bfloat16, .int8])
  func weightsNearTheLargestFloat(precision: Precision) throws {
    let folder = try Folder()
    let largest = Float.greatestFiniteMagnitude
    let most = SafeTensors.largestWeight
    for value in [largest, -largest, largest.nextDown, largest * 0.999, most, -most, most.nextDown]
    {
      let parameters = try FloatBuffer(
        ParameterLayout(
          NetworkShape(vocabulary: 256, embedding: 2, hidden: 3, layers: 1)
        ).count)
      for i in 0..<parameters.count { parameters.pointer[i] = i % 5 == 0 ? value : 1 }
      let model = Model(
        network: try Network(
          NetworkShape(vocabulary: 256, embedding: 2, hidden: 3, layers: 1),
          parameters: parameters), encoding: BytesEncoding(), facts: [:])
      let quantized = try model.quantized(to: precision)
      #expect(try quantized.floats.allSatisfy { $0.isFinite })
      #expect(try quantized.quantized(to: precision).floats == quantized.floats)
      try quantized.save(folder("m"))
      // What could be loaded before can be loaded quantized.
      if abs(value) <= most { #expect(try Model(path: folder("m")).floats == quantized.floats) }
    }
  }
}
