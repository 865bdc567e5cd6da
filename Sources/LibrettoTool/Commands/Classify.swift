import ArgumentParser
import Libretto
import Memory
import Sequences

struct Classify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell which label of its material a model finds in files.",
    discussion: """
      The model, trained with --label-from, reads each file once with each label; the label with which the file is most \
      probable is the most probable label (Bayes). The probabilities were calibrated on the validation material when the \
      model was made. Where the true labels are known (--label-from) it also counts the errors.
      """)

  @Argument(help: "A model file, a checkpoint, or the name of a model (libretto models).")
  var model: String

  @Argument(help: "Files and folders; - for standard input.")
  var files: [String]

  @Flag(help: "Classify each line of text files.")
  var lines = false

  @Option(
    help: ArgumentHelp(
      "Where the true labels come from, as for train.", valueName: "folder|name|file.csv"),
    transform: { try LabelSource($0) })
  var labelFrom: LabelSource?

  @Option(
    help: ArgumentHelp("Draw the confusion matrix into an SVG file.", valueName: "matrix.svg"))
  var matrix: String?

  @Option(help: ArgumentHelp("Convert text from this encoding, as for train.", valueName: "name"))
  var textEncoding: String?

  @Flag(help: "Print the results alone, without what each file or line is.")
  var quiet = false

  @Flag(help: "Print JSON, an object for each file or line.")
  var json = false

  /// What is classified.
  private struct Item {
    let name: String
    let tokens: GrowableBuffer<Int32>
    /// The number of its true label, from 0 on; nil if it is not known.
    let truth: Int?
  }

  func run() throws {
    if let matrix {
      guard labelFrom != nil else {
        throw Failure("--matrix compares with the true labels: give --label-from", code: 64)
      }
      try FileName.check(matrix, "--matrix", FileName.picture)
    }
    try Outputs([], text: [matrix].compactMap { $0 }).spare([model] + files)
    let loaded = try ModelFiles.read(model)
    let classifier = try orFail { () throws(LibrettoError) in try Classifier(loaded) }
    if lines && !loaded.isText { throw Failure("--lines is for models of text", code: 64) }
    var confusion = Confusion(loaded.labels.names)
    var material = try Material(files, for: loaded, textEncoding)
    var strangers: Set<String> = []
    // Some files at a time: their labels are read together.
    var waiting: [Item] = []
    func flush() throws(LibrettoError) {
      try show(waiting, classifier, &confusion)
      waiting = []
    }
    try material.use { (file) throws(LibrettoError) in
      let label = labelFrom?.label(of: file.path)
      let truth = label.flatMap { loaded.labels.number(of: $0) }.map { Int($0) - 1 }
      if let label, truth == nil { strangers.insert(label) }
      for (name, tokens) in try items(file, loaded) {
        waiting.append(Item(name: name, tokens: tokens, truth: truth))
        if waiting.count >= 64 { try flush() }
      }
    }
    try orFail { () throws(LibrettoError) in try flush() }
    for label in strangers.sorted() {
      printError("libretto: the model has no label \(label); its files are not counted")
    }
    guard confusion.total > 0 else { return }
    if !json { confusion.show() }
    if let matrix { try confusion.write(matrix) }
  }

  /// The tokens of a file, or of each of its lines.
  private func items(_ file: Material.File, _ model: Model) throws(LibrettoError)
    -> [(name: String, tokens: GrowableBuffer<Int32>)]
  {
    let name = Streams.name(file.path)
    return try file.read { (bytes) throws(LibrettoError) in
      guard lines else { return [(name, try model.passage(bytes, name: name).tokens)] }
      var items: [(name: String, tokens: GrowableBuffer<Int32>)] = []
      func add(_ line: TextLines.Line) throws(LibrettoError) {
        guard line.count > 0 else { return }
        let text = UnsafeRawBufferPointer(rebasing: bytes[line.start..<line.start + line.count])
        items.append(("\(name):\(line.number)", try model.passage(text, name: name).tokens))
      }
      var lines = TextLines()
      try lines.read(bytes, add)
      try lines.finish(add)
      return items
    }
  }

  private func show(_ items: [Item], _ classifier: Classifier, _ confusion: inout Confusion)
    throws(LibrettoError)
  {
    let names = classifier.model.labels.names
    let probabilities = try classifier.probabilities(passages: items.count) {
      UnsafeBufferPointer(items[$0].tokens.elements)
    }
    for (i, item) in items.enumerated() {
      let row = (0..<names.count).map { probabilities[i * names.count + $0] }
      let order = names.indices.sorted { row[$0] > row[$1] }
      if let truth = item.truth { confusion.note(truth, order[0], row[truth]) }
      if json {
        print(
          JSON.object([
            ("name", .string(item.name)), ("label", .string(names[order[0]])),
            ("true_label", item.truth.map { .string(names[$0]) } ?? .null),
            ("probabilities", .object(names.indices.map { (names[$0], .number(row[$0])) })),
          ]).text)
      } else if !quiet {
        let shown = order.prefix(3).map { "\(names[$0]) \(fixed(row[$0], 3))" }
        let error = item.truth.map { $0 == order[0] ? "" : "   (\(names[$0]))" } ?? ""
        print("\(item.name)  \(shown.joined(separator: ", "))\(error)")
      }
    }
  }
}
