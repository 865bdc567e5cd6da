import Libretto

/// Tells a person how training goes: a line that is rewritten on a terminal, plain lines elsewhere.
final class TrainingReport {
  private let trainer: Trainer
  private let plots: Bool
  private var lastLine = -1e9
  private var lastSample = 0.0
  private let start = now()
  private(set) var curve = LossCurve()

  init(trainer: Trainer, plots: Bool) {
    self.trainer = trainer
    self.plots = plots
  }

  func begin(output: String) {
    guard let shape = trainer.shape, let batch = trainer.batch, let tokens = trainer.tokens else {
      return
    }
    let held = tokens.validation > 0 ? ", \(grouped(tokens.validation)) held out" : ""
    print("Learning from \(grouped(tokens.training)) tokens\(held).")
    let layers = shape.layers == 1 ? "1 layer" : "\(shape.layers) layers"
    print(
      "A vocabulary of \(shape.vocabulary), \(layers) of \(shape.hidden); "
        + "\(batch.streams) streams of \(batch.window) steps, \(batch.threads) "
        + (batch.threads == 1 ? "thread." : "threads."))
    Terminal.flush()
    lastSample = now()
  }

  /// Called after each step.
  func note(_ p: Progress) -> Bool {
    curve.note(p)
    let time = now()
    if Terminal.isInteractive {
      if time - lastLine >= 0.2 || p.end != .none {
        Terminal.rewriteLine(liveLine(p))
        lastLine = time
      }
      if p.measured && time - lastSample >= 15 && p.end == .none {
        lastSample = time
        showSample()
      }
    } else if p.measured || time - lastLine >= 10 {
      print(plainLine(p))
      Terminal.flush()
      lastLine = time
    }
    return true
  }

  func end(_ p: Progress, output: String, checkpoint: String) {
    if Terminal.isInteractive { Terminal.rewriteLine("") }
    switch p.end {
    case .early: print("The held-out part has not got better for long: enough.")
    case .stopped: print("Stopped. To go on: libretto train --resume \(checkpoint)")
    default: break
    }
    let (best, bits) = best(p)
    let measured = p.bestValidationLoss.isNaN ? "on its own material" : "on held-out material"
    let quality =
      bits.isNaN ? "\(fixed(best, 3)) nats per token" : "\(fixed(bits, 3)) bits per character"
    print(
      "\(output): \(quality) \(measured), after \(grouped(p.step)) steps "
        + "in \(duration(p.elapsedSeconds)).")
    print("To hear from it: libretto sample \(output)")
  }

  func json(_ p: Progress, _ model: Model, output: String) -> String {
    let seen = trainer.batch.map { p.step * $0.streams * $0.window } ?? 0
    let (best, bits) = best(p)
    return JSON.object([
      ("model", .string(output)), ("bits_per_character", .number(bits)),
      ("nats_per_token", .number(best)), ("tokens", .number(seen)),
      ("parameters", .number(model.network.layout.parameters)),
      ("tokens_per_second", .number(Double(seen) / max(p.elapsedSeconds, 1e-9))),
      ("steps", .number(p.step)), ("epochs", .number(p.epoch)),
      ("seconds", .number(p.elapsedSeconds)),
      ("end", .string(p.end == .early ? "early" : p.end == .stopped ? "stopped" : "finished")),
    ]).text
  }

  /// The loss of the weights that are kept, in nats per token and in bits per character: of the
  /// held-out part, or of training where nothing is held out. What progress says of bits is about
  /// the loss measured last.
  private func best(_ p: Progress) -> (nats: Double, bits: Double) {
    let nats = p.bestValidationLoss.isNaN ? p.loss : p.bestValidationLoss
    return (nats, p.bitsPerCharacter * nats / (p.validationLoss.isNaN ? p.loss : p.validationLoss))
  }

  private func liveLine(_ p: Progress) -> String {
    let cells = 16
    let full = Int(p.fraction * Double(cells))
    let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
    let percent = "\(Int(p.fraction * 100))%".paddedLeft(4)
    return "\(bar) \(percent)  \(facts(p))  \(duration(p.secondsLeft)) left"
  }

  private func plainLine(_ p: Progress) -> String {
    "step \(p.step)  epoch \(fixed(p.epoch, 2))  \(facts(p))  rate \(fixed(p.learningRate, 5))  "
      + "\(duration(p.secondsLeft)) left"
  }

  private func facts(_ p: Progress) -> String {
    let held = p.validationLoss.isNaN ? "" : "  held-out \(fixed(p.validationLoss, 3))"
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
    Terminal.rewriteLine("  “" + text.prefix(max(20, Terminal.width - 6)) + "”")
    print("")
  }

  private var cool: SamplerSettings {
    var settings = SamplerSettings()
    settings.temperature = 0.7
    return settings
  }
}
