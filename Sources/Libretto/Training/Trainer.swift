import GRU
import Sequences

/// Trains a model: takes material, then steps, one at a time or all in a run.
///
/// One thread or task at a time may use a trainer; it may be sent from one to another. Another may end its
/// run by `stopping`:
///
///     let trainer = try Trainer()
///     try trainer.add(file: "corpus.txt")
///     let stopping = trainer.stopping
///     Task { try await Task.sleep(for: .seconds(60)); stopping.raise() }
///     _ = try trainer.run { print($0.step, $0.loss); return true }
///     try trainer.model().save("my.safetensors")
///
/// The first step makes tokens of the material and allocates everything; later ones allocate nothing.
public final class Trainer {
  let options: TrainingOptions
  /// What a run begins from; once it has begun that does not matter any more.
  private(set) var start: TrainingStart
  private var material: Material
  /// Makes a run end after its current step when it is raised; can be handed to another task. If no run is
  /// going the next one ends at once.
  public let stopping = StopFlag()
  private(set) var run: TrainingRun?
  /// Why the checkpoint of the last run could not be saved; nil if it was, or there is none to save.
  private var checkpointFailure: LibrettoError?

  /// A trainer that begins with new weights, or with those of a model, whose encoding and sizes it
  /// then keeps.
  public convenience init(_ options: TrainingOptions = TrainingOptions(), from model: Model? = nil)
    throws(LibrettoError)
  {
    try options.validate()
    try self.init(options, model.map { .model($0) } ?? .new)
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
    try self.init(options, .checkpoint(try Checkpoint(path)))
  }

  /// The same from a checkpoint in memory, which is not needed afterwards. `name` is what errors call it.
  public convenience init(
    resume bytes: UnsafeRawBufferPointer, name: String, _ options: TrainingOptions
  ) throws(LibrettoError) {
    try options.validate()
    try self.init(options, .checkpoint(try Checkpoint(MemorySource(bytes: bytes), name: name)))
  }

  private init(_ options: TrainingOptions, _ start: TrainingStart) throws(LibrettoError) {
    try start.check(options)
    self.options = options
    self.start = start
    material = Material(
      options, encoding: start.encoding, labels: start.sides?.labels ?? Labels())
  }

  // MARK: - Material

  /// Adds a text file to the training material, or to the validation part. It is read at the first step
  /// and must not change before that.
  ///
  /// - `kind`: what to convert its text from, which is done now; nil to learn its bytes as they are. Of
  ///   UTF-8 the byte order mark is left out, and bytes that are not well-formed are kept.
  /// - `pieces`: what documents it has, if it is not one document or a part of one long text.
  public func add(
    file path: String, kind: TextKind? = nil, pieces: TextPieces = .whole, validation: Bool = false
  ) throws(LibrettoError) {
    try requireUnstarted()
    try material.addText { (text, label) throws(LibrettoError) in
      try text.add(file: path, kind: kind, pieces: pieces, label: label, validation: validation)
    }
  }

  /// Sets the label of all material that is added from now on, such as a style or a speaker; nil for none. Texts
  /// with labels are documents. The first 1,000 names become the labels of the model, in the order they come.
  public func set(label name: String?) throws(LibrettoError) {
    try requireUnstarted()
    try material.setLabel(name)
  }

  /// Adds a pair: a document made of a source, a tab and a target, of which the target alone is predicted.
  ///
  /// - `source`: not empty, without tabs.
  public func add(
    pair source: UnsafeRawBufferPointer, _ target: UnsafeRawBufferPointer, validation: Bool = false
  ) throws(LibrettoError) {
    try requireUnstarted()
    try material.addText { (text, label) throws(LibrettoError) in
      try text.add(pair: source, target, label: label, validation: validation)
    }
  }

  /// Adds text, which is copied.
  ///
  /// - `pieces`: as for a file.
  public func add(
    text: UnsafeRawBufferPointer, pieces: TextPieces = .whole, validation: Bool = false
  ) throws(LibrettoError) {
    try requireUnstarted()
    try material.addText { (material, label) throws(LibrettoError) in
      try material.add(text: text, pieces: pieces, label: label, validation: validation)
    }
  }

  /// Adds a MIDI file: a piece. It is read now, and not needed afterwards. Throws, and adds nothing, if it
  /// cannot be read or has no notes.
  public func add(midi path: String, validation: Bool = false) throws(LibrettoError) {
    try requireUnstarted()
    try material.addMusic { (music, label) throws(LibrettoError) in
      try music.add(path: path, label: label, validation: validation)
    }
  }

  /// Adds a MIDI file that is in memory, which is not needed afterwards.
  public func add(midi bytes: UnsafeRawBufferPointer, validation: Bool = false)
    throws(LibrettoError)
  {
    try add(piece: try readMIDI(bytes, name: "the data"), validation: validation)
  }

  /// Adds a MIDI file that was read or made. `name` is what errors call it.
  public func add(piece file: MIDIFile, name: String = "the data", validation: Bool = false)
    throws(LibrettoError)
  {
    try requireUnstarted()
    try material.addMusic { (music, label) throws(LibrettoError) in
      try music.add(file, name: name, label: label, validation: validation)
    }
  }

  /// Adds a sequence of the host's own numbers, a piece, for an encoding that gives them no meaning. They are
  /// copied.
  ///
  /// - `tokens`: each from 0 to below the vocabulary.
  /// - `targets`: what is to be predicted after each token is read, as many, -1 for what does not count;
  ///   nil for the next token each, and the end after the last.
  public func add(
    tokens: UnsafeBufferPointer<Int32>, targets: UnsafeBufferPointer<Int32>? = nil,
    validation: Bool = false
  ) throws(LibrettoError) {
    try requireUnstarted()
    try material.add(tokens: tokens, targets: targets, validation: validation)
  }

  /// Adds a CSV file of numbers. It is read now, and once more if its run is resumed.
  ///
  /// - `columns`: names of those to learn; nil for all. A trainer that starts from a model learns those of the model.
  public func add(series path: String, columns: [String]? = nil, validation: Bool = false)
    throws(LibrettoError)
  {
    try requireUnstarted()
    var table = try readSeries(path: path)
    if let columns { table = try table.choosing(columns, name: path) }
    try material.addSeries { (series) throws(LibrettoError) in
      try series.add(table, path: absolutePath(path), name: path, validation: validation)
    }
  }

  /// Adds a table of numbers, which must not change before the first step. `name` is what errors call it.
  public func add(series table: SeriesTable, name: String = "the table", validation: Bool = false)
    throws(LibrettoError)
  {
    try requireUnstarted()
    try material.addSeries { (series) throws(LibrettoError) in
      try series.add(table, path: nil, name: name, validation: validation)
    }
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
    run = try TrainingRun.make(options, start, material, until: stop)
    guard run != nil else { return false }
    start = .new
    material = Material(options, encoding: nil)
    return true
  }

  /// The run, prepared; throws where it cannot make a step.
  private func prepared(until stop: StopFlag?) throws(LibrettoError) -> TrainingRun? {
    if let state = start.checkpoint?.state, state.run == .diverged { throw state.divergence }
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

  /// One step: a batch forward and backward, and one update. After the end it does
  /// nothing but tell that it is the end.
  ///
  /// Throws `.diverged` if the loss or the gradient is no longer a number, or the loss has grown far
  /// above what it was at first. The best weights are kept, or if there is no validation part some from before.
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
    let every = options.checkpointSeconds ?? Self.usualCheckpointSeconds
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

  static let usualCheckpointSeconds = 60.0

  private func saveCheckpoint() {
    guard let path = options.checkpointPath else { return }
    do {
      try save(checkpoint: path)
      checkpointFailure = nil
    } catch { checkpointFailure = error }
  }

  /// Makes a run end after its current step, as if the progress callback had said so: raises `stopping`.
  /// May be called from any thread and from a signal handler.
  public func stop() { stopping.raise() }

  // MARK: - Results

  /// The best weights so far as a model: by the validation part, or the latest if there is none and
  /// training did not diverge.
  public func model() throws(LibrettoError) -> Model {
    _ = try prepare(until: nil)
    return try run!.model()
  }

  /// Saves all that a later process needs to go on: a model file with the best weights, and beside
  /// them the current ones, the optimiser's and the carried states. Of a run that diverged it saves the
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
    var progress = run?.report() ?? start.checkpoint.map(Progress.init) ?? Progress()
    progress.checkpointFailure = checkpointFailure
    return progress
  }
}
