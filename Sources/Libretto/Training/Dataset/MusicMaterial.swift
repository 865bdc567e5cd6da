import Memory
import Sequences

/// The MIDI files a host gave, before they become tokens: each is parsed once, and takes 16 bytes an event.
struct MusicMaterial {
  /// A file, which errors call `name`.
  private final class Source {
    let name: String
    let file: MIDIFile
    let label: Int32

    init(_ file: MIDIFile, name: String, label: Int32) {
      (self.file, self.name, self.label) = (file, name, label)
    }
  }

  private var training = ObjectList<Source>()
  private let validation = ObjectList<Source>()
  private(set) var files = FileList()
  private var timeSignatures = TimeSignatureSurvey()
  var isEmpty: Bool { training.isEmpty && validation.isEmpty }

  /// Throws if the file cannot be read or holds no notes; it is then not part of the material.
  mutating func add(path: String, label: Label, validation isValidation: Bool)
    throws(LibrettoError)
  {
    let file = try FileContents.read(path, most: MIDIFile.maximumSize) {
      (bytes) throws(LibrettoError) in try readMIDI(bytes, name: path)
    }
    try add(file, name: path, label: label, validation: isValidation)
    try files.add(
      MaterialFile(path: path, validation: isValidation, kind: nil, label: label.name))
  }

  mutating func add(_ file: MIDIFile, name: String, label: Label, validation isValidation: Bool)
    throws(LibrettoError)
  {
    guard file.noteCount > 0 else {
      throw LibrettoError(.empty, "\(name) contains no notes; leave it out")
    }
    try allocating { () throws(OutOfMemory) in
      try timeSignatures.note(file)
      try (isValidation ? validation : training).append(
        Source(file, name: name, label: label.number))
    }
  }

  /// Makes tokens of everything; nil if it was stopped before its end.
  ///
  /// - `encoding`: nil to take the one called `name`, or to choose one if that is nil too.
  /// - `fraction`: how many of the files are for validation, spread evenly, if no others are.
  /// - `augment`: whether pieces get variants, performances at other tempi; nil to choose.
  /// - `forms`: whether pieces on a grid get variants of other forms, for networks that are told the bars to go.
  mutating func tokenize(
    _ encoding: (any MusicEncoding)?, name: String?, stepsPerQuarter: Int, fraction: Double,
    augment: Bool?, forms: Bool, until stop: StopFlag?
  ) throws(LibrettoError) -> Corpus? {
    if validation.isEmpty {
      try allocating { () throws(OutOfMemory) in try holdOut(fraction) }
    }
    let choice = encoding == nil && name == nil ? try choose(until: stop) : nil
    var encoding = try given(encoding, name ?? choice?.name ?? "", stepsPerQuarter, until: stop)
    let remarks = ObjectList<MaterialRemark>()
    guard
      let train = try part(
        training, encoding, augment: augment ?? Self.gains(training.count), forms: forms, remarks,
        until: stop)
    else { return nil }
    guard train.tokens.count >= 2 else {
      throw LibrettoError(
        .corpus,
        "the encoding \(encoding.name) finds nothing to learn from in these files; try another one")
    }
    guard
      let validation = try part(
        validation, encoding, augment: false, forms: false, remarks, until: stop)
    else { return nil }
    let tokens = train.tokens
    encoding = encoding.fitted(to: (0..<tokens.count).lazy.map { tokens[$0] })
    return Corpus(
      encoding: encoding, training: train, validation: validation, tokensPerCharacter: 0,
      choice: choice, remarks: remarks)
  }

  /// Whether so many pieces are so few that other keys and tempi help more than they blur.
  static func gains(_ pieces: Int) -> Bool { pieces < 400 }

  private mutating func holdOut(_ fraction: Double) throws(OutOfMemory) {
    let count = Int(Double(training.count) * fraction)
    guard count > 0 else { return }
    let kept = ObjectList<Source>()
    for (i, source) in training.enumerated() {
      // One of each `training.count / count` files.
      let isHeld = (i + 1) * count / training.count > i * count / training.count
      try (isHeld ? validation : kept).append(source)
    }
    training = kept
  }

  /// The encoding that was given, else the one called `name`, as these files ask for it.
  private func given(
    _ encoding: (any MusicEncoding)?, _ name: String, _ stepsPerQuarter: Int,
    until stop: StopFlag?
  ) throws(LibrettoError) -> any MusicEncoding {
    if let encoding { return encoding }
    do throws(EncodingError) {
      return try Encodings.music(name, stepsPerQuarter: stepsPerQuarter)
        .fitted(to: timeSignatures) { (each) throws(EncodingError) in
          for source in training.prefix(100) where stop?.isRaised != true {
            try each(source.file)
          }
        }
    } catch { throw LibrettoError(error) }
  }

  /// Chooses an encoding by the first files.
  private func choose(until stop: StopFlag?) throws(LibrettoError) -> EncodingChoice {
    var choice = EncodingChoice()
    for source in training.prefix(100) where stop?.isRaised != true {
      try allocating { () throws(OutOfMemory) in try choice.note(source.file) }
    }
    return choice
  }

  /// nil if it was stopped before its end.
  private func part(
    _ sources: ObjectList<Source>, _ encoding: any MusicEncoding, augment: Bool,
    forms: Bool, _ remarks: ObjectList<MaterialRemark>, until stop: StopFlag?
  ) throws(LibrettoError) -> Corpus.Part? {
    let store = try TokenStore(capacity: 0)
    let pieces = PieceList()
    func note(_ remark: MaterialRemark) throws(LibrettoError) {
      try allocating { () throws(OutOfMemory) in try remarks.append(remark) }
    }
    for source in sources {
      if stop?.isRaised == true { return nil }
      let file = source.file
      var variants: [Range<Int>] = []
      func add(_ tokens: GrowableBuffer<Int32>?) throws(LibrettoError) {
        guard let tokens else { return }
        encoding.removeOpeningSilence(from: tokens)
        variants.append(store.count..<store.count + tokens.count)
        try store.append(tokens)
      }
      try add(encoding.tokens(of: file, name: source.name))
      for stretch in augment ? encoding.stretches : [] {
        let variant: GrowableBuffer<Int32>?
        do throws(EncodingError) {
          variant = try encoding.tokens(of: file, stretch: stretch)
        } catch { throw LibrettoError(error) }
        try add(variant)
      }
      for remark in try encoding.remarks(on: file, name: source.name) { try note(remark) }
      guard !variants.isEmpty else {
        try note(MaterialRemark(kind: .nothingToLearn, file: source.name))
        continue
      }
      try pieces.append(variants, label: source.label)
    }
    if augment && forms {
      guard let varied = try Self.varied(pieces, encoding, store, until: stop) else { return nil }
      return Corpus.Part(tokens: store, pieces: varied)
    }
    return Corpus.Part(tokens: store, pieces: pieces)
  }
}

extension MusicMaterial {
  /// Variants of other forms beside the piece itself.
  private static let forms = 32

  /// The pieces with variants of their forms; nil if it was stopped before its end.
  private static func varied(
    _ pieces: PieceList, _ encoding: any MusicEncoding, _ store: TokenStore, until stop: StopFlag?
  ) throws(LibrettoError) -> PieceList? {
    let forms = ObjectList<PieceForm>()
    let places = GrowableBuffer<Int>()
    try allocating { () throws(OutOfMemory) in
      for number in 0..<pieces.count {
        let piece = GrowableBuffer<Int32>()
        for at in pieces.tokens(of: number) { try piece.append(store[at]) }
        let form = try encoding.form(of: piece)
        try places.append(form == nil ? -1 : forms.count)
        if let form { try forms.append(form) }
      }
    }
    var random = RandomSource(seed: 0)
    let result = PieceList()
    for number in 0..<pieces.count {
      if stop?.isRaised == true { return nil }
      var variants = (0..<pieces.variants(of: number)).map {
        pieces.tokens(of: number, variant: $0)
      }
      if places[number] >= 0 {
        for _ in 1..<Self.forms / 4 { variants.append(variants[0]) }
      }
      for _ in 0..<(places[number] < 0 ? 0 : Self.forms) {
        let variant = try allocating { () throws(OutOfMemory) in
          try forms[places[number]].variant(among: forms) {
            Int(random.next() % UInt64($0))
          }
        }
        variants.append(store.count..<store.count + variant.count)
        try store.append(variant)
      }
      try result.append(variants, label: pieces.label(of: number))
    }
    return result
  }
}

extension MusicEncoding {
  /// The tokens of a piece, which errors call `name`.
  func tokens(of file: MIDIFile, name: String) throws(LibrettoError) -> GrowableBuffer<Int32>? {
    let file = try allocating { () throws(OutOfMemory) in
      try file.withoutDoubtedTimeSignatures()
    }
    do throws(EncodingError) { return try tokens(of: file) } catch {
      let error = LibrettoError(error)
      throw LibrettoError(error.kind, "\(name): \(error.message)")
    }
  }
}
