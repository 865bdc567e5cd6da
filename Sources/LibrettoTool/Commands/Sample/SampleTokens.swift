import Libretto

/// Writes values of the first column to the terminal, each on a line.
struct SeriesSample {
  let length: Int

  init(length: Int?) { self.length = length ?? 100 }

  func write(_ session: Session) throws {
    try orFail { () throws(LibrettoError) in
      try session.begin(column: 1, time: nil)
      for _ in 0..<length {
        Terminal.write("\(SeriesInput.text(try session.nextValue().value))\n")
        Terminal.flush()
      }
    }
  }
}

/// Writes the tokens of a piece to the terminal, as numbers.
struct TokenSample {
  /// The most tokens; 0 for all of a piece.
  let length: Int

  init(length: Int?) { self.length = length ?? 500 }

  func write(_ session: Session, _ model: Model) throws {
    try orFail { () throws(LibrettoError) in
      var written = 0
      while length == 0 || written < length {
        let token = try session.next().token
        guard token != model.endToken else { break }
        Terminal.write(written == 0 ? "\(token)" : " \(token)")
        Terminal.flush()
        written += 1
      }
    }
    Terminal.write("\n")
    Terminal.flush()
  }
}
