import Libretto
import Sequences

/// What a run is going to do, and which of its numbers were chosen and why.
struct TrainingSummary {
  private let trainer: Trainer
  private let options: TrainingOptions
  private let isResumed: Bool
  /// Whether it starts from the weights of a model, whose encoding and sizes it has.
  private let hasBase: Bool

  init(_ trainer: Trainer, _ train: Train) {
    self.trainer = trainer
    options = train.options
    isResumed = train.resume
    hasBase = train.from != nil
  }

  var lines: [String] {
    [resumed, encoding, material, network, method, end].compactMap { $0 }
  }

  private var resumed: String? {
    guard isResumed else { return nil }
    let p = trainer.progress
    let done = p.step == 1 ? "1 step" : "\(grouped(p.step)) steps"
    let later = "give a later end, such as --steps \(2 * max(p.step, 1))"
    switch p.end {
    case .finished:
      return "Nothing to do: the run is finished, after \(done). To train longer, \(later)."
    case .early:
      return
        "Nothing to do: the run ended early, after \(done), for want of a better validation loss. To train longer, give --patience 0; if it was near its end, \(later) as well."
    default: return "Resumed after \(done)."
    }
  }

  private var encoding: String? {
    guard let encoding = trainer.encoding else { return nil }
    let why: String
    if let choice = trainer.encodingChoice {
      let votes = choice.counts.map { _, trait, files in
        "\(grouped(files)) \(files == 1 ? "file has" : "files have") \(trait)"
      }
      why = ", chosen: " + votes.joined(separator: ", ")
    } else if hasBase {
      why = ", that of the model to start from"
    } else if let series = encoding.series {
      let season = series.season == 1 ? "no season" : "a season of \(series.season) values"
      why = ", with \(season) and a context of \(series.context)"
    } else if options.encoding == nil && !isResumed {
      why =
        encoding.name == Encodings.usualText
        ? ", the default for text" : ", the default for text with labels"
    } else {
      why = ""
    }
    return
      "Encoding: \(encoding.name)\(why); a vocabulary of \(grouped(encoding.vocabularySize)) tokens."
  }

  private var material: String? {
    guard let tokens = trainer.tokens else { return nil }
    let pieces = trainer.pieces
    let noun =
      switch trainer.encoding?.kind {
      case .text: "document"
      case .series: "window"
      default: "piece"
      }
    func parts(_ pieces: Int?) -> String {
      guard let pieces else { return "" }
      return " in \(grouped(pieces)) \(noun)\(pieces == 1 ? "" : "s")"
    }
    let held =
      tokens.validation > 0
      ? "\(grouped(tokens.validation))\(parts(pieces?.validation)) for validation"
      : "none for validation"
    return
      "Learning from \(grouped(tokens.training)) \(trainer.encoding?.kind == .series ? "values" : "tokens")\(parts(pieces?.training)), \(held)."
  }

  private var network: String? {
    guard let shape = trainer.shape, let tokens = trainer.tokens else { return nil }
    let layers = shape.layers == 1 ? "1 layer" : "\(shape.layers) layers"
    let open = [
      ("layers", options.layers == nil), ("units", options.hidden == nil),
      ("embedding", options.embedding == nil),
    ].filter(\.1).map(\.0)
    var why = ""
    if !isResumed && !hasBase && !open.isEmpty {
      let time = options.minutes.map { " in \(duration($0 * 60))" } ?? ""
      why = "; \(open.joined(separator: ", ")) chosen for \(grouped(tokens.training)) tokens\(time)"
    }
    return "Network: \(layers) of \(shape.hidden) units, embedding \(shape.embedding)\(why)."
  }

  private var method: String? {
    guard let batch = trainer.batch, let rates = trainer.rates else { return nil }
    let threads = batch.threads == 1 ? "1 thread" : "\(batch.threads) threads"
    return
      "Training: batches of \(batch.batch) sequences of \(batch.sequence) steps, learning rate \(trimmed(rates.learning, 6)), dropout \(trimmed(rates.dropout, 3)), \(threads)."
  }

  private var end: String? {
    guard let ends = trainer.ends, trainer.progress.end.goesOn else { return nil }
    var when: [String] = []
    if ends.steps > 0 { when.append(ends.steps == 1 ? "1 step" : "\(grouped(ends.steps)) steps") }
    if ends.seconds > 0 { when.append(duration(ends.seconds)) }
    let isChosen =
      !isResumed && options.steps == nil && options.epochs == nil && options.minutes == nil
    var line = "Ends after \(when.joined(separator: " or "))\(isChosen ? " (chosen)" : "")"
    if isChosen, let seconds = trainer.expectedSeconds {
      line += ", which take about \(duration(seconds))"
    }
    if ends.patience > 0 && (trainer.tokens?.validation ?? 0) > 0 {
      line += ", or after \(ends.patience) evaluations without a better validation loss"
    }
    return line + "."
  }
}
