import Memory
import Sequences

/// What a trainer was given to learn from: texts, pieces of music or sequences of tokens, never two of these.
struct Material {
  private enum Kind {
    case none
    case text(TextMaterial)
    case music(MusicMaterial)
    case tokens(TokenMaterial)
    case series(SeriesMaterial)
  }

  private var kind = Kind.none
  private let options: TrainingOptions
  /// That of the weights to start from, if there are any.
  private let fixed: (any Encoding)?
  private var labels: Labels
  /// That of what is added from now on.
  private var label = Label()

  /// - `labels`: those of the weights to start from.
  init(_ options: TrainingOptions, encoding fixed: (any Encoding)?, labels: Labels = Labels()) {
    self.options = options
    self.fixed = fixed
    self.labels = labels
  }

  /// The name of the encoding that was asked for, or that the weights to start from have.
  private var name: String? { options.encoding ?? fixed?.name }

  /// The files, in the order they came, for a checkpoint to name.
  var files: FileList {
    switch kind {
    case .text(let text): text.files
    case .music(let music): music.files
    case .series(let series): series.files
    case .none, .tokens: FileList()
    }
  }

  // MARK: - Adding

  /// Sets the label of what is added from now on; nil for none.
  mutating func setLabel(_ name: String?) throws(LibrettoError) {
    guard let name else {
      label = Label()
      return
    }
    guard fixed == nil || labels.number(of: name) != nil else {
      throw LibrettoError(
        .argument,
        labels.isEmpty
          ? "the model to start from has no labels, so its material cannot have \"\(printable(name))\""
          : "the model to start from has no label \"\(printable(name))\"; it has \(labels.shown)"
      )
    }
    do throws(EncodingError) {
      label = Label(number: try labels.add(name), name: name)
    } catch { throw LibrettoError(.argument, LibrettoError(error).sentence) }
  }

  mutating func addText(_ body: (TextMaterial, Label) throws(LibrettoError) -> Void)
    throws(LibrettoError)
  {
    try require(.text)
    let text: TextMaterial
    switch kind {
    case .none: text = TextMaterial()
    case .text(let already): text = already
    case .music, .tokens, .series: throw mixed
    }
    try body(text, label)
    kind = .text(text)
  }

  mutating func addMusic(_ body: (inout MusicMaterial, Label) throws(LibrettoError) -> Void)
    throws(LibrettoError)
  {
    try require(.music)
    var music: MusicMaterial
    switch kind {
    case .none: music = MusicMaterial()
    case .music(let already): music = already
    case .text, .tokens, .series: throw mixed
    }
    // What it holds then has one owner, and is not copied for each piece that is added.
    kind = .none
    defer { kind = music.isEmpty ? .none : .music(music) }
    try body(&music, label)
  }

  mutating func add(
    tokens: UnsafeBufferPointer<Int32>, targets: UnsafeBufferPointer<Int32>?, validation: Bool
  ) throws(LibrettoError) {
    try require(.tokens)
    if let targets, targets.count != tokens.count {
      throw LibrettoError(
        .argument, "there are \(targets.count) targets for \(tokens.count) tokens; expected as many"
      )
    }
    let all: TokenMaterial
    switch kind {
    case .tokens(let already): all = already
    case .none: all = try TokenMaterial(try encodingOfTokens())
    case .text, .music, .series: throw mixed
    }
    try all.add(tokens, targets: targets, label: label.number, validation: validation)
    kind = .tokens(all)
  }

  mutating func addSeries(_ body: (SeriesMaterial) throws(LibrettoError) -> Void)
    throws(LibrettoError)
  {
    try require(.series)
    let series: SeriesMaterial
    switch kind {
    case .none: series = SeriesMaterial(fixed?.series)
    case .series(let already): series = already
    case .text, .music, .tokens: throw mixed
    }
    guard label.number == 0 else {
      throw LibrettoError(
        .argument, "numbers have no labels, and the label is \"\(printable(label.name ?? ""))\"")
    }
    try body(series)
    kind = .series(series)
  }

  private func encodingOfTokens() throws(LibrettoError) -> any Encoding {
    if let fixed { return fixed }
    guard let vocabulary = options.vocabulary else {
      throw LibrettoError(
        .argument,
        "no vocabulary is named; expected 1 to \(TrainingOptions.Limit.vocabulary): tokens are numbers from 0 to one below it"
      )
    }
    var settings = EncodingSettings()
    settings.vocabulary = vocabulary
    do throws(EncodingError) { return try Encodings.make(name ?? "", settings) } catch {
      throw LibrettoError(error)
    }
  }

  /// Throws if the encoding learns from material of another kind. Tokens want one to be named.
  private func require(_ given: EncodingKind) throws(LibrettoError) {
    let wanted = name.flatMap { Encodings.kind(of: $0) }
    guard wanted != given, wanted != nil || given == .tokens else { return }
    func material(_ kind: EncodingKind?) -> String {
      switch kind {
      case .text, nil: "text"
      case .music: "MIDI files"
      case .tokens: "a host's tokens"
      case .series: "numbers"
      }
    }
    throw LibrettoError(
      .corpus,
      name.map {
        "the encoding \($0) learns from \(material(wanted)), not from \(material(given))"
      } ?? "no encoding is named; tokens want one that is, such as tokens")
  }

  private var mixed: LibrettoError {
    switch kind {
    case .none, .text:
      LibrettoError(.corpus, "this trainer learns from text; MIDI cannot be added to it")
    case .music:
      LibrettoError(.corpus, "this trainer learns from MIDI files; text cannot be added to it")
    case .tokens:
      LibrettoError(.corpus, "this trainer learns from a host's tokens; nothing else can be added")
    case .series:
      LibrettoError(.corpus, "this trainer learns from numbers; nothing else can be added")
    }
  }

  // MARK: - Tokens

  /// Makes tokens of everything; nil if it was stopped before its end.
  ///
  /// - `fraction`: how much to keep for validation if nothing was given for it.
  /// - `augment`: whether pieces get variants; nil to choose.
  /// - `sides`: whether the network has side inputs.
  func tokenize(fraction: Double, augment: Bool?, sides: Bool, until stop: StopFlag?)
    throws(LibrettoError) -> Corpus?
  {
    var corpus = try tokens(fraction, augment, sides, until: stop)
    corpus?.labels = labels
    return corpus
  }

  private func tokens(_ fraction: Double, _ augment: Bool?, _ sides: Bool, until stop: StopFlag?)
    throws(LibrettoError) -> Corpus?
  {
    switch kind {
    case .none:
      throw LibrettoError(.corpus, "there is nothing to learn from; add a file or text first")
    case .text(let text):
      let hasDocuments = text.hasDocuments || !labels.isEmpty && fixed == nil
      if hasDocuments && (options.documents == false || fixed?.endToken == nil && fixed != nil) {
        throw LibrettoError(
          .argument,
          "lines, pairs and texts with a label are documents, and the material is to be one long text; leave that out"
        )
      }
      return try text.tokenize(
        fixed?.text,
        name: options.encoding
          ?? (labels.isEmpty ? Encodings.usualText : Encodings.usualLabelledText),
        documents: options.documents ?? hasDocuments, fraction: fraction, until: stop)
    case .tokens(let tokens): return try tokens.corpus(fraction: fraction)
    case .series(let series):
      return try series.corpus(options, fraction: fraction)
    case .music(var music):
      return try music.tokenize(
        fixed?.music, name: options.encoding,
        stepsPerQuarter: options.stepsPerQuarter ?? 4,
        fraction: fraction, augment: augment, forms: sides, until: stop)
    }
  }
}
