import Memory

/// From ticks to seconds and back, through all tempo changes of a file.
public struct MIDITempoMap: Sendable {
  /// A tempo and where it begins.
  public struct Change: BitwiseCopyable, Equatable, Sendable {
    public var tick: Int
    public var seconds: Double
    /// 1 to 16777215. Files with a time code do without: theirs is fixed.
    public var microsecondsPerQuarter: Int
    var secondsPerTick: Double
  }

  /// By tick; the first is at 0. At 120 quarter notes a minute (SMF 1.0) unless the file says.
  public let changes: GrowableBuffer<Change>

  /// A tempo holds for all tracks, whichever it stands in; in format 2 they follow each other.
  /// Of tempos at one tick the last counts. Those of no microseconds are ignored.
  public init(_ file: MIDIFile) throws(OutOfMemory) {
    let usual = 500_000
    changes = GrowableBuffer()
    if case .timeCode(let frames, let ticks) = file.division {
      let rate = frames == 29 ? 30_000.0 / 1001 : Double(max(1, frames))
      try changes.append(
        Change(
          tick: 0, seconds: 0, microsecondsPerQuarter: usual,
          secondsPerTick: 1 / (rate * Double(max(1, ticks)))))
      return
    }
    let scale = 1 / (1e6 * Double(file.ticksPerQuarter))
    func change(_ tempo: Int, _ tick: Int) -> Change {
      Change(
        tick: max(0, tick), seconds: 0, microsecondsPerQuarter: tempo,
        secondsPerTick: Double(tempo) * scale)
    }
    try changes.append(change(usual, 0))
    try file.parseMeta(
      MIDIMeta.tempo, { bytes, tick in MIDIMeta.tempo(bytes).map { change($0, tick) } }, to: changes
    )
    try changes.keepLast(at: \.tick)
    for i in 1..<max(1, changes.count) {
      changes[i].seconds = changes[i - 1].seconds(at: changes[i].tick)
    }
  }

  /// Seconds from the beginning of the file. O(log changes).
  public func seconds(at tick: Int) -> Double {
    change { $0.tick <= tick }.seconds(at: tick)
  }

  /// The nearest tick, at least 0 and at most `MIDIFile.maximumTick`; 0 for NaN.
  public func tick(at seconds: Double) -> Int {
    let change = change { $0.seconds <= seconds }
    let tick = Double(change.tick) + (seconds - change.seconds) / change.secondsPerTick
    guard tick > 0 else { return 0 }
    return Int(min(tick.rounded(), Double(MIDIFile.maximumTick)))
  }

  /// The last change for which something holds that holds up to some point; otherwise the first.
  private func change(_ holds: (Change) -> Bool) -> Change {
    var (low, high) = (0, changes.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if holds(changes[middle]) { low = middle } else { high = middle }
    }
    return changes[low]
  }
}

extension MIDITempoMap: Equatable {
  public static func == (a: MIDITempoMap, b: MIDITempoMap) -> Bool {
    a.changes.elementsEqual(b.changes)
  }
}

extension MIDITempoMap.Change {
  fileprivate func seconds(at tick: Int) -> Double {
    seconds + (Double(tick) - Double(self.tick)) * secondsPerTick
  }
}

extension MIDIFile {
  /// Ticks per quarter note, at least 1; with a time code, the ticks of half a second, which is a
  /// quarter note at the usual tempo of 120 a minute.
  public var ticksPerQuarter: Int {
    switch division {
    case .metrical(let ticks): max(1, ticks)
    case .timeCode(let frames, let ticks): max(1, frames.multipliedCapped(by: ticks) / 2)
    }
  }

}

extension Int {
  /// The product, or the largest number where it is beyond.
  fileprivate func multipliedCapped(by other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}
