import GRU
import Memory
import Sequences

/// Several series that a model of numbers reads at a time, and what it expects next of each.
final class SeriesBatch {
  let rows: Int
  let encoding: SeriesEncoding
  private let model: Model
  private let scratch: Network.Scratch
  private let readers = ObjectList<SeriesReader>()
  private let tokens: GrowableBuffer<Int32>
  /// `[rows][side inputs]`, and all side inputs of one row in the order of the encoding.
  private let sides, all: GrowableBuffer<Int32>
  private let places: GrowableBuffer<Int>
  private let state: FloatBuffer
  private let states: GrowableBuffer<UnsafeMutablePointer<Float>>
  /// `[rows][padded vocabulary]`.
  private let probabilities: FloatBuffer

  init(_ model: Model, rows: Int) throws(LibrettoError) {
    encoding = try model.seriesEncoding()
    self.model = model
    self.rows = rows
    let shape = model.shape
    // The memory of one row keeps what a step begins for the next one of the same stream; here others take their turns.
    scratch = try network { () throws(NetworkError) in
      try Network.Scratch(model.network, rows: max(rows, 2))
    }
    state = try FloatBuffer.make(rows * shape.stateCount)
    probabilities = try FloatBuffer.make(rows * shape.paddedVocabulary)
    do throws(OutOfMemory) {
      for _ in 0..<rows { try readers.append(try encoding.makeReader()) }
      tokens = try GrowableBuffer(repeating: 0, count: rows)
      sides = try GrowableBuffer(repeating: 0, count: rows * model.sides.inputs.count)
      all = try GrowableBuffer(
        repeating: 0, count: encoding.sideInputs(model.labels).count)
      places = try model.sides.places(in: encoding)
      states = try GrowableBuffer(capacity: rows)
    } catch { throw LibrettoError(error) }
    for row in 0..<rows {
      states.appendReserved(state.pointer + row * shape.stateCount)
    }
  }

  func reader(_ row: Int) -> SeriesReader { readers[row] }

  /// A row at the beginning of a series, from a zero state.
  func begin(_ row: Int, _ facts: SeriesFacts) {
    readers[row].begin(facts)
    let count = model.shape.stateCount
    (state.pointer + row * count).update(repeating: 0, count: count)
    read(encoding.startToken, row)
  }

  /// Takes the next token of a row, which the next step reads.
  func read(_ token: Int32, _ row: Int) {
    tokens[row] = token
    let told = places.count
    guard told > 0 else { return readers[row].advance(token) }
    let all = all.base.unsafelyUnwrapped
    readers[row].advance(token, into: all)
    for i in 0..<told { sides[row * told + i] = all[places[i]] }
  }

  /// Makes a row what another is: between `read` and `step`.
  func copy(_ from: Int, to row: Int) {
    guard from != row else { return }
    let count = model.shape.stateCount
    (state.pointer + row * count).update(from: state.pointer + from * count, count: count)
    readers[row].copy(readers[from])
    tokens[row] = tokens[from]
    for i in 0..<places.count {
      sides[row * places.count + i] = sides[from * places.count + i]
    }
  }

  /// Steps the first rows.
  ///
  /// - `wantsProbabilities`: whether those of the bins are wanted.
  func step(_ count: Int, wantsProbabilities: Bool) {
    model.network.step(
      rows: count, tokens: tokens.base.unsafelyUnwrapped,
      sides: sides.base.map { UnsafePointer($0) }, states: states.base.unsafelyUnwrapped,
      wantLogits: wantsProbabilities, scratch)
    guard wantsProbabilities else { return }
    let padded = model.shape.paddedVocabulary
    for row in 0..<count {
      let logits = scratch.logits.pointer + row * padded
      let values = encoding.valueTokens
      // Values alone: a start or a gap is none.
      for token in 0..<padded where !values.contains(token) { logits[token] = -.infinity }
      _ = model.network.kernels.expNormalized(
        padded, 1, logits, probabilities.pointer + row * padded)
      let result = probabilities(row)
      var sum: Float = 0
      for bin in 0..<SeriesScale.count { sum += result[bin] }
      for bin in 0..<SeriesScale.count { result[bin] /= sum }
    }
  }

  /// The probability of each bin to come next in a row.
  func probabilities(_ row: Int) -> UnsafeMutablePointer<Float> {
    probabilities.pointer + row * model.shape.paddedVocabulary + encoding.valueTokens.lowerBound
  }

  /// The bin below which a share of the probability lies.
  func bin(_ row: Int, at share: Float) -> Int {
    let probabilities = probabilities(row)
    var sum: Float = 0
    for bin in 0..<SeriesScale.count {
      sum += probabilities[bin]
      if share < sum { return bin }
    }
    // What rounding left: the last bin that has any probability.
    return (0..<SeriesScale.count).last { probabilities[$0] > 0 } ?? 0
  }
}

extension Model {
  /// The encoding, of a model of numbers.
  public func seriesEncoding() throws(LibrettoError) -> SeriesEncoding {
    guard let encoding = encoding.series else {
      throw LibrettoError(.unsupported, "this is a model of \(encoding.name), not of numbers")
    }
    return encoding
  }
}

extension SeriesEncoding {
  /// The number of the column of this name.
  public func number(of name: String) throws(LibrettoError) -> Int32 {
    guard let number = column(named: name) else {
      throw LibrettoError(
        .argument,
        "the model has no column \"\(printable(name))\"; it has \(shown(columns.map(\.name)))")
    }
    return number
  }
}
