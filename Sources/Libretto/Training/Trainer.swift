import GRU
import Sequences

/// Trains a model: takes material, then steps, one at a time or all in a run.
///
/// One thread at a time may use a trainer, except for `stop()`, which any may call. The first step
/// makes tokens of the material and allocates everything; later ones allocate nothing.
public final class Trainer {
  private let options: TrainingOptions
  private let base: Model?
  private var resumed: Checkpoint?
  private var material = Material.none
  private let stopping = StopFlag()
  private(set) var run: TrainingRun?
  /// Why the checkpoint of the last run could not be saved; nil if it was, or there is none to save.
  private var checkpointFailure: LibrettoError?

  /// A trainer that begins with new weights, or with those of a model, whose encoding and sizes it
  /// then keeps.
  public init(_ options: TrainingOptions = TrainingOptions(), from model: Model? = nil)
    throws(LibrettoError)
  {
    try options.validate()
    if let name = options.encoding, !Encodings.names.contains(name) {
      throw LibrettoError(EncodingError.unknown(name))
    }
    if let model {
      let shape = model.shape
      for (what, asked, has) in [
        ("embedding", options.embedding, shape.embedding), ("hidden", options.hidden, shape.hidden),
        ("layers", options.layers, shape.layers),
        ("steps per quarter note", options.stepsPerQuarter, model.stepsPerQuarter),
      ] where asked != 0 && asked != has {
        throw LibrettoError(
          .argument, "\(what) is \(asked), but the model to start from has \(has); leave it out")
      }
      if let name = options.encoding, name != model.encoding.name {
        throw LibrettoError(
          .argument,
          "the encoding is \(name), but the model to start from has \(model.encoding.name); leave it out"
        )
      }
    }
    if let model, let documents = options.documents, documents != model.hasDocuments {
      throw LibrettoError(
        .argument,
        documents
          ? "the model to start from has no end of documents; train from new weights, or on one long text"
          : "the model to start from is one of documents; leave the choice out")
    }
    self.options = options
    base = model
  }

  /// A trainer that goes on where a checkpoint was saved. It needs the same material again, added
  /// in the same way; then it goes on bit for bit as the run that was saved would have, if the
  /// options leave everything as it was. Of the options `epochs`, `steps`, `minutes` and `patience`,
  /// if given, move the end of the run, `threads` changes their number, and the checkpoint path and
  /// interval apply; others, if given, must be as they were. The file is not needed afterwards.
  public convenience init(resume path: String, _ options: TrainingOptions = TrainingOptions())
    throws(LibrettoError)
  {
    try options.validate()
    try self.init(try Checkpoint(path), options)
  }

  /// The same from a checkpoint in memory, which is not needed afterwards. `name` is what errors call it.
  public convenience init(
    resume bytes: UnsafeRawBufferPointer, name: String, _ options: TrainingOptions
  ) throws(LibrettoError) {
    try options.validate()
    try self.init(try Checkpoint(MemorySource(bytes: bytes), name: name), options)
  }

  private init(_ checkpoint: Checkpoint, _ options: TrainingOptions) throws(LibrettoError) {
    try checkpoint.check(options)
    self.options = options
    base = nil
    resumed = checkpoint
  }

  /// The files a resumed run was given, to be added again; empty for a new one.
  public var expectedFiles: [MaterialFile] { resumed?.state.files.files ?? [] }

  // MARK: - Material

  /// Adds a text file to the training material, or to the held-out part. It is read at the first step
  /// and must not change before that.
  ///
  /// - `kind`: what to convert its text from, which is done now; nil to learn its bytes as they are. Of
  ///   UTF-8 the byte order mark is left out, and bytes that are not well-formed are kept.
  public func add(file path: String, kind: TextKind? = nil, validation: Bool = false)
    throws(LibrettoError)
  {
    try addText { (text) throws(LibrettoError) in
      try text.add(file: path, kind: kind, validation: validation)
    }
  }

  /// Adds text, which is copied.
  public func add(text: UnsafeRawBufferPointer, validation: Bool = false) throws(LibrettoError) {
    try addText { (material) throws(LibrettoError) in
      try material.add(text: text, validation: validation)
    }
  }

  /// Adds a MIDI file: a piece. It is read now, to see that it can be, and again at the first step;
  /// it must not change before that. Throws, and adds nothing, if it cannot be read or has no notes.
  public func add(midi path: String, validation: Bool = false) throws(LibrettoError) {
    try addMusic { (music) throws(LibrettoError) in
      try music.add(file: path, validation: validation)
    }
  }

  /// Adds a MIDI file that is in memory, which is copied.
  public func add(midi bytes: UnsafeRawBufferPointer, validation: Bool = false)
    throws(LibrettoError)
  {
    try addMusic { (music) throws(LibrettoError) in
      try music.add(bytes: bytes, validation: validation)
    }
  }

  /// The name of the encoding that was asked for, or that the weights to start from have.
  private var encodingName: String? {
    options.encoding ?? base?.encoding.name ?? resumed?.encoding.name
  }

  /// The name of the encoding that the run to resume or the model to start from has.
  package var givenEncoding: String? { base?.encoding.name ?? resumed?.encoding.name }

  private func addText(_ body: (TextMaterial) throws(LibrettoError) -> Void) throws(LibrettoError) {
    try requireUnstarted()
    if let name = encodingName, Encodings.isMusic(name) {
      throw LibrettoError(.corpus, "the encoding \(name) learns from MIDI files, not from text")
    }
    let text: TextMaterial
    switch material {
    case .none: text = TextMaterial()
    case .text(let already): text = already
    case .music:
      throw LibrettoError(
        .corpus, "this trainer learns from MIDI files; text cannot be added to it")
    }
    try body(text)
    material = .text(text)
  }

  private func addMusic(_ body: (inout MusicMaterial) throws(LibrettoError) -> Void)
    throws(LibrettoError)
  {
    try requireUnstarted()
    if let name = encodingName, !Encodings.isMusic(name) {
      throw LibrettoError(.corpus, "the encoding \(name) learns from text, not from MIDI files")
    }
    var music: MusicMaterial
    switch material {
    case .none: music = MusicMaterial()
    case .music(let already): music = already
    case .text:
      throw LibrettoError(.corpus, "this trainer learns from text; MIDI cannot be added to it")
    }
    // What it holds then has one owner, and is not copied for each piece that is added.
    material = .none
    defer { material = music.isEmpty ? .none : .music(music) }
    try body(&music)
  }

  private func requireUnstarted() throws(LibrettoError) {
    guard run == nil else {
      throw LibrettoError(.state, "material must be added before the first step of training")
    }
  }

  // MARK: - Training

  /// Makes tokens of the material and sets everything up; the first step does this if it was not
  /// done before. A stop ends it: then it throws, and can be called again.
  public func prepare() throws(LibrettoError) {
    guard try prepare(until: stopping) else {
      _ = stopping.take()
      throw LibrettoError(.state, "the preparation was stopped; call it again to start over")
    }
  }

  /// False if it was stopped before its end; it then has changed nothing.
  private func prepare(until stop: StopFlag?) throws(LibrettoError) -> Bool {
    guard run == nil else { return true }
    let fraction =
      resumed?.state.validationFraction
      ?? (options.validationFraction < 0 ? 0.1 : options.validationFraction)
    let augment: Bool? = resumed?.plan.augment ?? options.augment
    guard let corpus = try tokenize(fraction: fraction, augment: augment, until: stop),
      let fingerprint = corpus.fingerprint(until: stop)
    else { return false }
    if let resumed, resumed.fingerprint != fingerprint {
      throw LibrettoError(
        .corpus,
        "the material is not what the checkpoint was trained on; add the same files, in the same order, unchanged"
      )
    }
    let plan = try makePlan(for: corpus, augment: augment)
    let learner = try network { () throws(NetworkError) in
      try Learner(
        plan.shape, streams: plan.batch, window: plan.sequence, threads: plan.threads,
        dropout: Float(plan.dropout), seed: plan.seed, precision: plan.precision)
    }
    if let base {
      learner.parameters.copy(from: try base.parameters())
    } else if resumed == nil {
      initialize(learner.parameters, plan.shape, seed: plan.seed)
    }
    var state = resumed?.state ?? TrainingState()
    state.files = material.files
    state.validationFraction = fraction
    run = try TrainingRun(
      plan, corpus, sides(corpus), learner, state, fingerprint: fingerprint, resumed: resumed)
    resumed = nil
    material = .none
    return true
  }

  /// New weights have all side inputs of the encoding; others those they have.
  private func sides(_ corpus: Corpus) -> Sides {
    resumed?.sides ?? base?.sides ?? Sides(corpus.encoding.sideInputs)
  }

  private func makePlan(for corpus: Corpus, augment: Bool?) throws(LibrettoError) -> TrainingPlan {
    var plan: TrainingPlan
    if let resumed {
      plan = resumed.plan.extended(by: options, corpus)
    } else {
      plan = try TrainingPlan(
        options, tokens: corpus.training.tokens.count, held: corpus.validation.tokens.count,
        vocabulary: corpus.encoding.vocabularySize, sides: sides(corpus).sizes,
        window: corpus.usualWindow,
        perEpoch: corpus.windowsPerEpoch, fixed: base?.shape, processors: processorCount())
      plan.augment = augment ?? corpus.gainsFromVariants
    }
    guard plan.memory < physicalMemory() else {
      throw LibrettoError(
        .memory,
        "this run needs about \(Int(plan.memory / 1e9)) GB, more than this machine has; choose smaller sizes or a smaller batch"
      )
    }
    return plan
  }

  /// nil if it was stopped before its end.
  private func tokenize(fraction: Double, augment: Bool?, until stop: StopFlag?)
    throws(LibrettoError) -> Corpus?
  {
    let fixed = resumed?.encoding ?? base?.encoding
    switch material {
    case .none:
      throw LibrettoError(.corpus, "there is nothing to learn from; add a file or text first")
    case .text(let text):
      return try text.tokenize(
        fixed as? any TextEncoding, name: options.encoding ?? CharactersEncoding.name,
        documents: options.documents ?? false, fraction: fraction, until: stop)
    case .music(var music):
      return try music.tokenize(
        fixed as? any MusicEncoding, name: options.encoding,
        stepsPerQuarter: options.stepsPerQuarter == 0 ? 4 : options.stepsPerQuarter,
        fraction: fraction, augment: augment,
        forms: !((resumed?.sides ?? base?.sides)?.inputs.isEmpty ?? false), until: stop)
    }
  }

  /// The run, prepared; throws where it cannot make a step.
  private func prepared(until stop: StopFlag?) throws(LibrettoError) -> TrainingRun? {
    if let resumed, resumed.state.run == .diverged { throw resumed.state.divergence }
    guard try prepare(until: stop), let run else { return nil }
    if run.state.run == .diverged { throw run.state.divergence }
    guard !run.learner.isOfAnotherProcess else {
      throw LibrettoError(
        .state,
        "this trainer took its first step before fork(), and its threads are those of the parent; save a checkpoint and resume it here"
      )
    }
    run.goOn()
    return run
  }

  /// One step: a window of each stream forward and back, and one update. After the end it does
  /// nothing but tell that it is the end.
  ///
  /// Throws `.diverged` if the loss or the gradient is no longer a number, or the loss has grown far
  /// above what it was at first. The best weights are kept, or if nothing is held out some from before.
  public func step() throws(LibrettoError) -> Progress {
    let start = monotonicSeconds()
    guard let run = try prepared(until: nil) else { return progress }
    return try run.step(from: start, until: nil)
  }

  /// Steps until the end, calling `progress` after each step, which says whether to go on.
  ///
  /// If the options name a checkpoint path, a checkpoint is saved there from time to time and at the
  /// end, also when the run was stopped. One that cannot be saved does not end the run: the progress
  /// says so, it is tried again after the usual time, and is the first thing the next run does. A run
  /// that diverges leaves the last one as it is.
  ///
  /// - `savesAtEnd`: false for a host that saves the last checkpoint itself.
  public func run(savesAtEnd: Bool = true, _ progress: (Progress) -> Bool = { _ in true })
    throws(LibrettoError) -> Progress
  {
    var clock = monotonicSeconds()
    let every = options.checkpointSeconds > 0 ? options.checkpointSeconds : 60
    var lastSaved = clock
    guard let run = try prepared(until: stopping) else {
      _ = stopping.take()
      var stopped = self.progress
      stopped.end = .stopped
      return stopped
    }
    if checkpointFailure != nil { saveCheckpoint() }
    var current = self.progress
    while current.end.goesOn {
      if stopping.take() {
        run.end(as: .stopped)
      } else {
        current = try run.step(from: clock, until: stopping)
        current.checkpointFailure = checkpointFailure
        clock = monotonicSeconds()
        if !progress(current), current.end.goesOn { run.end(as: .stopped) }
      }
      current.end = run.state.run
      if current.end.goesOn ? clock - lastSaved >= every : savesAtEnd {
        saveCheckpoint()
        lastSaved = monotonicSeconds()
      }
    }
    current.checkpointFailure = checkpointFailure
    return current
  }

  private func saveCheckpoint() {
    guard let path = options.checkpointPath else { return }
    do {
      try save(checkpoint: path)
      checkpointFailure = nil
    } catch { checkpointFailure = error }
  }

  /// Makes a run end after its current step, as if the progress callback had said so. May be called
  /// from any thread and from a signal handler. If none is running the next one ends at once.
  public func stop() { stopping.raise() }

  // MARK: - Results

  /// The best weights so far as a model: by the held-out part, or the latest if nothing is held out and
  /// training did not diverge.
  public func model() throws(LibrettoError) -> Model {
    _ = try prepare(until: nil)
    return try run!.model()
  }

  /// Saves all that a later process needs to go on: a model file with the best weights, and beside
  /// them the current ones, the optimiser's and the streams' state. Of a run that diverged it saves the
  /// weights that were kept, and that it did.
  public func save(checkpoint path: String) throws(LibrettoError) {
    try checkpointImage().write(path)
  }

  /// The file of that checkpoint, to be written.
  package func checkpointImage() throws(LibrettoError) -> SafeTensorsImage {
    _ = try prepare(until: nil)
    return try run!.checkpoint()
  }

  /// Where the run stands; before the first step of a new one most of it is not a number.
  public var progress: Progress {
    var progress = run?.report() ?? resumed.map(Progress.init) ?? Progress()
    progress.checkpointFailure = checkpointFailure
    return progress
  }

  /// The options in force: those that were given, and once training was prepared all that they left
  /// open, as it was chosen.
  public var chosenOptions: TrainingOptions { run?.chosen(options) ?? options }

  /// The sizes in use, known once training was prepared.
  public var shape: NetworkShape? { run?.plan.shape }
  /// The batch, the window and the threads in use, likewise.
  public var batch: (streams: Int, window: Int, threads: Int)? {
    run.map { ($0.plan.batch, $0.plan.sequence, $0.learner.threads) }
  }
  /// Tokens to train on and held out, likewise.
  public var tokens: (training: Int, validation: Int)? {
    run.map { ($0.corpus.training.tokens.count, $0.corpus.validation.tokens.count) }
  }

  /// What a person should know of the files of music, likewise.
  public var remarks: [MaterialRemark] { run.map { Array($0.corpus.remarks) } ?? [] }
  /// Pieces or documents to train on and held out, likewise; nil for one long text.
  public var pieces: (training: Int, validation: Int)? {
    guard let corpus = run?.corpus, let pieces = corpus.training.pieces else { return nil }
    return (pieces.count, corpus.validation.pieces?.count ?? 0)
  }
  /// The encoding in use, and how it was chosen if it was, likewise.
  package var encoding: (any Encoding)? { run?.corpus.encoding }
  package var encodingChoice: EncodingChoice? { run?.corpus.choice }
  /// The highest learning rate and the dropout in use, likewise.
  package var rates: (learning: Double, dropout: Double)? {
    run.map { ($0.plan.learningRate, $0.plan.dropout) }
  }
  /// Where the run ends, likewise: 0 for what does not end it.
  package var ends: (steps: Int, seconds: Double, patience: Int)? {
    run.map { ($0.plan.totalSteps, $0.plan.seconds, $0.plan.patience) }
  }
  /// The losses so far, of a resumed run from its beginning.
  package var history: LossHistory? { run?.history }

  /// Whether a file is the checkpoint of a run that is not at its end.
  package static func isUnfinished(checkpoint path: String) -> Bool {
    guard let checkpoint = try? Checkpoint(path) else { return false }
    let run = checkpoint.state.settled(checkpoint.plan)
    return run.goesOn || run == .stopped
  }

  /// Whether a file is a checkpoint, of whatever run.
  package static func isCheckpoint(_ path: String) -> Bool {
    (try? Checkpoint(path)) != nil
  }
}
