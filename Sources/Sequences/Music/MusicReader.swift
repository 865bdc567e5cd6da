/// Follows one sequence of music: the grammar, the event decoder and the event encoder read one state of it,
/// which each token advances once and a snapshot holds once. None of its calls allocates.
public final class MusicReader {
  /// Where a token came from.
  public enum Source: Sendable {
    /// The model drew it: it leads to events.
    case drawn
    /// The host fed it as a token.
    case fed
    /// `encoder` made it of an event that the host fed.
    case encoded
  }

  /// Owns the state: it alone advances, resets, saves and restores it.
  public let grammar: any MusicGrammar
  public let decoder: any EventDecoder
  public let encoder: any EventEncoder

  init(grammar: any MusicGrammar, decoder: any EventDecoder, encoder: any EventEncoder) {
    self.grammar = grammar
    self.decoder = decoder
    self.encoder = encoder
  }

  public func reset() {
    grammar.reset()
    decoder.reset()
    encoder.reset()
  }

  /// Takes the next token; the events it leads to can be had from `decoder`.
  public func take(_ token: Int32, _ source: Source) {
    // The decoder wants the state before the token, the encoder that after it.
    decoder.take(token, heard: source != .drawn)
    grammar.advance(token)
    if source != .encoded { encoder.follow(token) }
  }

  /// Takes an event and hands on the tokens it leads to, after taking each.
  public func take(_ event: MusicEvent, _ each: (Int32) -> Void) {
    encoder.take(event) { token in
      take(token, .encoded)
      each(token)
    }
  }

  // MARK: - Snapshots

  public var stateSize: Int {
    type(of: grammar).stateSize + type(of: decoder).stateSize + type(of: encoder).stateSize
  }

  public func save(to bytes: UnsafeMutableRawPointer) {
    let decoderStart = bytes + type(of: grammar).stateSize
    grammar.save(to: bytes)
    decoder.save(to: decoderStart)
    encoder.save(to: decoderStart + type(of: decoder).stateSize)
  }

  /// Takes a saved state. Where it gives false the bytes cannot be one, and a part of them may be taken.
  public func restore(from bytes: UnsafeRawPointer) -> Bool {
    let decoderStart = bytes + type(of: grammar).stateSize
    return grammar.restore(from: bytes) && decoder.restore(from: decoderStart)
      && encoder.restore(from: decoderStart + type(of: decoder).stateSize)
  }
}
