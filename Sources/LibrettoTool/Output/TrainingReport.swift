import Libretto

/// Tells a person how training goes: a line that is rewritten on a terminal, plain lines elsewhere.
final class TrainingReport {
  private let trainer: Trainer
  private let train: Train
  private let paths: TrainPaths
  private var lastLine = -1e9
  private var lastSample = 0.0
  private var saidSooner = false
  /// Why the checkpoint could not be saved, as it was told last.
  private var failure: LibrettoError?

  init(_ trainer: Trainer, _ train: Train, _ paths: TrainPaths) {
    self.trainer = trainer
    self.train = train
    self.paths = paths
  }

  func begin() {
    for line in TrainingSummary(trainer, train).lines { say(line) }
    Terminal.flush()
    lastSample = now()
  }

  /// Called after each step.
  func note(_ p: Progress) -> Bool {
    let time = now()
    if p.checkpointFailure != failure {
      failure = p.checkpointFailure
      if let failure { warn(failure) }
    }
    if p.endsSooner && !saidSooner {
      saidSooner = true
      if Terminal.isInteractive { Terminal.rewriteLine("") }
      say(
        "The validation loss does not improve any more: the learning rate falls from now on, and the run ends in \(duration(p.secondsLeft))."
      )
    }
    if Terminal.isInteractive {
      if time - lastLine >= 0.2 || !p.end.goesOn {
        Terminal.rewriteLine(liveLine(p))
        lastLine = time
      }
      if p.measured && time - lastSample >= 15 && p.end.goesOn {
        lastSample = time
        showSample()
      }
    } else if p.measured || time - lastLine >= 10 {
      say(plainLine(p))
      Terminal.flush()
      lastLine = time
    }
    return true
  }

  private func warn(_ failure: LibrettoError) {
    if Terminal.isInteractive { Terminal.rewriteLine("") }
    printError(
      "libretto: warning: \(failure.message); the run goes on, and the checkpoint is tried again")
  }

  func end(_ p: Progress) {
    if Terminal.isInteractive { Terminal.rewriteLine("") }
    switch p.end {
    case .early:
      let patience = trainer.ends?.patience ?? 0
      say("Ended early: the last \(patience) evaluations brought no better validation loss.")
    case .stopped:
      say(
        paths.checkpoint.map { "Stopped. To go on: libretto train --resume \(shellFile($0))" }
          ?? "Stopped; without a checkpoint, as the model goes to standard output.")
    default: break
    }
    let (best, bits) = best(p)
    let measured =
      p.bestValidationLoss.isNaN ? "on the training material" : "on validation material"
    let quality =
      bits.isNaN ? "\(fixed(best, 3)) nats per token" : "\(fixed(bits, 3)) bits per character"
    let steps = p.step == 1 ? "1 step" : "\(grouped(p.step)) steps"
    say(
      "\(Outputs.name(paths.output)): \(quality) \(measured), after \(steps) in \(duration(p.elapsedSeconds))."
    )
    if paths.output != "-" { say("To sample from it: libretto sample \(shellFile(paths.output))") }
  }

  func json(_ p: Progress, _ model: Model) -> String {
    let seen = trainer.batch.map { p.step * $0.batch * $0.sequence } ?? 0
    let (best, bits) = best(p)
    return JSON.object([
      ("model", .string(paths.output)), ("bits_per_character", .number(bits)),
      ("nats_per_token", .number(best)), ("tokens", .number(seen)),
      ("parameters", .number(model.network.layout.parameters)),
      ("tokens_per_second", .number(Double(seen) / max(p.elapsedSeconds, 1e-9))),
      ("steps", .number(p.step)), ("epochs", .number(p.epoch)),
      ("seconds", .number(p.elapsedSeconds)), ("encoding", .string(model.encoding.name)),
      ("end", .string(p.end == .early ? "early" : p.end == .stopped ? "stopped" : "finished")),
    ]).text
  }

  /// The loss of the weights that are kept, in nats per token and in bits per character: of the
  /// validation part, or of training where there is none. What progress says of bits is about the
  /// loss measured last.
  private func best(_ p: Progress) -> (nats: Double, bits: Double) {
    let nats = p.bestValidationLoss.isNaN ? p.loss : p.bestValidationLoss
    return (nats, p.bitsPerCharacter * nats / (p.validationLoss.isNaN ? p.loss : p.validationLoss))
  }

  private func liveLine(_ p: Progress) -> String {
    let cells = 16
    let full = Int(p.fraction * Double(cells))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
    let percent = "\(Int(p.fraction * 100))%".paddedLeft(4)
    return "\(bar) \(percent)  \(duration(p.secondsLeft)) left  \(facts(p))"
  }

  private func plainLine(_ p: Progress) -> String {
    "step \(p.step)  epoch \(fixed(p.epoch, 2))  \(facts(p))  rate \(fixed(p.learningRate, 5))  "
      + "\(duration(p.secondsLeft)) left"
  }

  private func facts(_ p: Progress) -> String {
    let held = p.validationLoss.isNaN ? "" : "  validation \(fixed(p.validationLoss, 3))"
    let bits = p.bitsPerCharacter.isNaN ? "" : "  \(fixed(p.bitsPerCharacter, 2)) bits/char"
    return "loss \(fixed(p.loss, 3))\(held)\(bits)  "
      + "\(grouped(Int(p.tokensPerSecond))) tokens/s"
  }

  /// A line of what the model would write now, under the progress line.
  private func showSample() {
    guard let model = try? trainer.model(), model.isText,
      let session = try? Session(model, seed: 1), (try? session.set(cool)) != nil
    else { return }
    var bytes: [UInt8] = []
    var character = [UInt8](repeating: 0, count: Session.longestText)
    for _ in 0..<max(20, Terminal.width - 6) {
      guard let count = try? session.nextText(&character) else { return }
      bytes.append(contentsOf: character[..<count])
    }
    let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(
      separator: " / ")
    Terminal.rewriteLine("  “" + text.cut(toColumns: max(20, Terminal.width - 6)) + "”")
    print("")
  }

  private var cool: SamplerSettings {
    var settings = SamplerSettings()
    settings.temperature = 0.7
    return settings
  }
}
