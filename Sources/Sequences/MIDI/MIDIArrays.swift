import Memory

// The same as arrays and without errors, for what reads small files: where there is no memory for them,
// these calls do not return. The library itself uses those that throw.

extension MIDIFile {
  /// `pairedNotes`.
  public func notes(sustain: Bool = false) -> [MIDINote] {
    try! Array(pairedNotes(sustain: sustain))
  }

  /// `encoded`.
  public func write() -> [UInt8] { try! Array(encoded()) }

  public var tempoMap: MIDITempoMap { try! MIDITempoMap(self) }

  /// `timeSignatureBuffer`.
  public var timeSignatures: [MIDITimeSignature] { try! Array(timeSignatureBuffer()) }

  /// `keySignatureBuffer`.
  public var keySignatures: [MIDIKeySignature] { try! Array(keySignatureBuffer()) }
}
