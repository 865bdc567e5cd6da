import Memory

/// The time signatures of a file, without those that its notes contradict.
///
/// Programs that do not know where the bars are write a bar for each beat, such as 1/4. Then bars are
/// shorter than any that people count, and notes commonly last for longer than a bar.
struct TimeSignatures {
  /// In the order of their ticks, without repetitions. Before the first, 4/4 holds.
  let believed = GrowableBuffer<MIDITimeSignature>()
  let doubted = GrowableBuffer<MIDITimeSignature>()

  /// A bar of at most a quarter note is doubted where it takes less than this many seconds...
  private static let shortest = 1.5
  /// ...there are as many as this...
  private static let fewest = 4.0
  /// ...and one in as many notes as this lasts longer than a bar.
  private static let share = 100

  init(_ file: MIDIFile) throws(OutOfMemory) {
    let signatures = GrowableBuffer<MIDITimeSignature>()
    for signature in try file.timeSignatureBuffer()
    where signatures.last.map(TimeSignature.init) != TimeSignature(signature) {
      try signatures.append(signature)
    }
    guard signatures.contains(where: Self.isShort) else {
      try believed.append(contentsOf: signatures)
      return
    }
    let clock = try MIDITempoMap(file)
    let notes = try file.pairedNotes()
    let end = notes.reduce(0) { max($0, $1.end) }
    var next = 0
    for (i, signature) in signatures.enumerated() {
      let stop = i + 1 < signatures.count ? signatures[i + 1].tick : end
      let bar =
        Double(4 * file.ticksPerQuarter * signature.numerator) / Double(signature.denominator)
      while next < notes.count && notes[next].start < signature.tick { next += 1 }
      var count = 0
      var long = 0
      while next < notes.count && notes[next].start < stop {
        if notes[next].channel != drumChannel {
          count += 1
          if Double(notes[next].duration) > bar { long += 1 }
        }
        next += 1
      }
      let bars = Double(stop - signature.tick) / bar
      let seconds = clock.seconds(at: stop) - clock.seconds(at: signature.tick)
      let isContradicted =
        Self.isShort(signature) && bars >= Self.fewest && seconds < Self.shortest * bars
        && long * Self.share > count
      try (isContradicted ? doubted : believed).append(signature)
    }
  }

  /// Whether a time signature at a tick is one of the doubted or repeats it.
  fileprivate func isDoubted(at tick: Int) -> Bool {
    let after = doubted.last { $0.tick <= tick }?.tick ?? -1
    let believed = believed.last { $0.tick <= tick }?.tick ?? -1
    return after > believed
  }

  private static func isShort(_ signature: MIDITimeSignature) -> Bool {
    4 * signature.numerator <= signature.denominator
  }
}

extension MIDIFile {
  /// The file without the time signatures that its notes contradict.
  public func withoutDoubtedTimeSignatures() throws(OutOfMemory) -> MIDIFile {
    let signatures = try TimeSignatures(self)
    guard signatures.doubted.count > 0 else { return self }
    return try filtered { event, tick in
      event.kind != .meta || event.first != MIDIMeta.timeSignature
        || !signatures.isDoubted(at: tick)
    }
  }
}
