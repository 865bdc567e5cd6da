import GRU
import Memory
import Sequences

/// The side inputs of a model: some of those of its encoding, in the order of the network.
struct Sides: Sendable {
  let inputs: [SideInput]
  let labels: Labels
  /// How targets go along with sources; nil if it learned from no pairs.
  let alignment: PairAlignment?

  /// - `inputs`: at most `SideSizes.most`.
  init(_ inputs: [SideInput] = [], labels: Labels = Labels(), alignment: PairAlignment? = nil) {
    self.inputs = inputs
    self.labels = labels
    self.alignment = alignment
  }

  /// Those of a new model.
  ///
  /// - `alignment`: that of its pairs, if it learns from pairs.
  init(
    new encoding: any Encoding, memory: Bool, labels: Labels = Labels(),
    alignment: PairAlignment? = nil
  ) {
    self.init(
      encoding.ownSideInputs + labels.sideInputs
        + (alignment == nil ? [] : encoding.pairSideInputs(isAligned: true))
        + (memory ? encoding.memorySideInputs : []), labels: labels, alignment: alignment)
  }

  /// All that a model with this encoding, these labels and this alignment can have.
  func all(_ encoding: any Encoding) -> [SideInput] {
    encoding.sideInputs(labels, isAligned: alignment != nil)
  }

  var sizes: SideSizes { SideSizes(inputs.map(\.count)) }

  /// What a tensor is called in a file.
  func name(of tensor: ParameterLayout.Tensor) -> String {
    if case .side(let number) = tensor.role { return "side.\(inputs[number].name).weight" }
    return tensor.name
  }

  /// As the metadata has it: `bars_to_go=34,key=25`.
  var text: String { inputs.map { "\($0.name)=\($0.count)" }.joined(separator: ",") }

  /// From metadata; throws if the encoding has no such side inputs.
  ///
  /// - `labels`, `calibration`: their names and that of their probabilities, as `Labels` writes them; nil for none.
  /// - `alignment`: as `PairAlignment` writes it; nil for none.
  init(
    _ text: String, labels names: String?, calibration: String?,
    alignment: GrowableBuffer<UInt8>?, _ encoding: any Encoding, _ name: String
  ) throws(LibrettoError) {
    labels =
      try names.map { (names) throws(LibrettoError) in
        guard let labels = Labels(text: names, calibration: calibration) else {
          throw LibrettoError(
            .format, "\(name): the metadata labels or label_calibration are damaged")
        }
        return labels
      } ?? Labels()
    self.alignment =
      try alignment.map { (text) throws(LibrettoError) in
        let made = try allocating { () throws(OutOfMemory) in
          try PairAlignment(text: text, vocabulary: encoding.vocabularySize)
        }
        guard let made else {
          throw LibrettoError(.format, "\(name): the metadata pair_alignment is damaged")
        }
        return made
      }
    let known = encoding.sideInputs(labels, isAligned: alignment != nil)
    var inputs: [SideInput] = []
    for part in text.split(separator: ",") {
      let words = part.split(separator: "=")
      guard words.count == 2, let count = Int(words[1]),
        let input = known.first(where: { $0.name == words[0] && $0.count == count }),
        !inputs.contains(input)
      else {
        throw LibrettoError(
          .unsupported,
          "\(name) has the side input \"\(printable(String(part)))\"; this version knows \(Sides(known).text) for \(encoding.name)"
        )
      }
      inputs.append(input)
    }
    self.inputs = inputs
  }

  /// Whether the network is told what the memory expects.
  func haveMemory(_ encoding: any Encoding) -> Bool {
    let memory = encoding.memorySideInputs
    return inputs.contains { memory.contains($0) }
  }

  /// Whether the network is told the source of a pair: see `SourceWindow`.
  func haveSource(_ encoding: any Encoding) -> Bool {
    let source = source(encoding)
    return inputs.contains { source.contains($0) }
  }

  /// The side inputs that tell it.
  private func source(_ encoding: any Encoding) -> [SideInput] {
    encoding.pairSideInputs(isAligned: alignment != nil)
  }

  /// Where among all values those of the label, of a pair and of the memory begin. (Where there are no labels, that of the
  /// label is the place of a pair too.)
  func starts(_ encoding: any Encoding) -> (label: Int, window: Int, memory: Int) {
    let label = encoding.ownSideInputs.count
    let window = label + labels.sideInputs.count
    return (label, window, window + source(encoding).count)
  }

  /// The place of each among the side inputs of the encoding.
  func places(in encoding: any Encoding) throws(OutOfMemory) -> GrowableBuffer<Int> {
    let all = all(encoding)
    let places = try GrowableBuffer<Int>(capacity: inputs.count)
    for input in inputs { places.appendReserved(all.firstIndex(of: input) ?? 0) }
    return places
  }
}

/// Works out the side values of a sequence that is read, in the order of a network's side inputs.
final class SideReader {
  private let encoding: any Encoding
  private let cursor: (any SideCursor)?
  private let memory: SequenceMemory?
  private let window: SourceWindow?
  /// See `Sides.starts`.
  private let starts: (label: Int, window: Int, memory: Int)
  private var label: Int32 = 0
  private let places: GrowableBuffer<Int>
  private let all: GrowableBuffer<Int32>
  /// Whether the memory tells nothing.
  var hidesMemory = false

  /// nil if there are no side inputs.
  ///
  /// - `longest`: no piece has more tokens.
  init?(_ sides: Sides, _ encoding: any Encoding, longest: Int = .max) throws(LibrettoError) {
    guard !sides.inputs.isEmpty else { return nil }
    self.encoding = encoding
    starts = sides.starts(encoding)
    let count = sides.all(encoding).count
    let hasMemory = sides.haveMemory(encoding)
    let hasSource = sides.haveSource(encoding)
    (cursor, places, all, memory, window) = try allocating { () throws(OutOfMemory) in
      (
        try encoding.makeSideCursor(),
        try sides.places(in: encoding),
        try GrowableBuffer(repeating: 0, count: count),
        hasMemory ? try SequenceMemory(encoding.memoryReach.limited(to: longest)) : nil,
        hasSource ? try SourceWindow(encoding, sides.alignment) : nil
      )
    }
  }

  func begin(_ facts: SideFacts) {
    cursor?.begin(facts)
    memory?.reset()
    window?.reset()
    hidesMemory = facts.hidesMemory(of: encoding)
    label = facts.label
  }

  func advance(_ token: Int32, into values: UnsafeMutablePointer<Int32>) {
    skip(token)
    let all = all.base.unsafelyUnwrapped
    let hides = hidesMemory || encoding.tellsEnding(all)
    if starts.label < starts.window { all[starts.label] = label }
    window?.write(into: all + starts.window)
    memory?.write(into: all + starts.memory, strength: hides ? 0 : 1)
    for i in 0..<places.count { values[i] = all[places[i]] }
  }

  /// Takes a token whose values nobody wants.
  func skip(_ token: Int32) {
    cursor?.advance(token, into: all.base.unsafelyUnwrapped)
    memory?.advance(token, beginsBar: encoding.beginsBar(token))
    window?.advance(token)
  }
}
