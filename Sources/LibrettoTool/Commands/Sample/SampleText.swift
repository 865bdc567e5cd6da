import Libretto

/// Writes text to the terminal as it comes.
struct TextSample {
  private let prompt: String
  private let length: Int
  private let stop: String

  init(_ options: Sample.TextOptions) {
    prompt = options.prompt ?? ""
    length = options.length ?? 500
    stop = options.stop ?? ""
  }

  func write(_ session: Session, _ model: Model) throws {
    guard length > 0 || model.hasDocuments else {
      throw Failure(
        "--length 0 writes to the end of a document, and the model was trained on one long text, without ends; give the number of characters",
        code: 64)
    }
    try orFail { () throws(LibrettoError) in
      try Array(prompt.utf8).withUnsafeBufferPointer { (bytes) throws(LibrettoError) in
        try session.feed(text: UnsafeRawBufferPointer(bytes))
      }
    }
    Terminal.write(prompt)
    try write(session)
    Terminal.write("\n")
    Terminal.flush()
  }

  /// Writes characters, holding back those that may be the beginning of the text to stop at, to the
  /// end of a document at most.
  private func write(_ session: Session) throws {
    let end = Array(stop.utf8)
    var held: [UInt8] = []
    var character = [UInt8](repeating: 0, count: Session.longestText)
    var written = 0
    while length == 0 || written < length {
      let count = try orFail { () throws(LibrettoError) in try session.nextText(&character) }
      if count == 0 { break }
      written += 1
      held.append(contentsOf: character[..<count])
      if !end.isEmpty && held.suffix(end.count).elementsEqual(end) {
        Terminal.write(held.dropLast(end.count))
        return
      }
      // What is written cannot be taken back: keep the longest end of `held` that `end` begins with.
      var keep = min(held.count, max(0, end.count - 1))
      while keep > 0 && !held.suffix(keep).elementsEqual(end.prefix(keep)) { keep -= 1 }
      Terminal.write(held.dropLast(keep))
      held = Array(held.suffix(keep))
      Terminal.flush()
    }
    Terminal.write(held)
  }
}
