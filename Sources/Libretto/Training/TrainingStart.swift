import GRU
import Sequences

/// What training begins from.
enum TrainingStart {
  /// New weights.
  case new
  /// The weights of a model, whose encoding and sizes are kept.
  case model(Model)
  /// A run that was saved, to go on with.
  case checkpoint(Checkpoint)

  var encoding: (any Encoding)? {
    switch self {
    case .new: nil
    case .model(let model): model.encoding
    case .checkpoint(let checkpoint): checkpoint.encoding
    }
  }

  /// The side inputs of the weights there are; nil for new ones, which have all those of their encoding.
  var sides: Sides? {
    switch self {
    case .new: nil
    case .model(let model): model.sides
    case .checkpoint(let checkpoint): checkpoint.sides
    }
  }

  var model: Model? { if case .model(let model) = self { model } else { nil } }
  var checkpoint: Checkpoint? { if case .checkpoint(let saved) = self { saved } else { nil } }

  /// Throws if the options ask for anything else than the weights have.
  func check(_ options: TrainingOptions) throws(LibrettoError) {
    if let name = options.encoding, Encodings.kind(of: name) == nil {
      throw LibrettoError(EncodingError.unknown(name))
    }
    switch self {
    case .new: break
    case .model(let model): try check(options, model)
    case .checkpoint(let checkpoint): try checkpoint.check(options)
    }
  }

  private func check(_ options: TrainingOptions, _ model: Model) throws(LibrettoError) {
    let shape = model.shape
    for (what, asked, has) in [
      ("embedding", options.embedding, shape.embedding), ("hidden", options.hidden, shape.hidden),
      ("layers", options.layers, shape.layers),
      ("steps per quarter note", options.stepsPerQuarter, model.stepsPerQuarter),
      ("vocabulary", options.vocabulary, model.encoding.hostVocabulary),
      ("season", options.season, model.encoding.series?.season ?? 0),
      ("context", options.context, model.encoding.series?.context ?? 0),
    ] {
      guard let asked, asked != has else { continue }
      throw LibrettoError(
        .argument, "\(what) is \(asked), but the model to start from has \(has); leave it out")
    }
    if let name = options.encoding, name != model.encoding.name {
      throw LibrettoError(
        .argument,
        "the encoding is \(name), but the model to start from has \(model.encoding.name); leave it out"
      )
    }
    if let documents = options.documents, documents != model.hasDocuments {
      throw LibrettoError(
        .argument,
        documents
          ? "the model to start from has no end of documents; train from new weights, or on one long text"
          : "the model to start from is one of documents; leave the choice out")
    }
  }
}
