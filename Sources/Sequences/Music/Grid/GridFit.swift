/// How well the starts of notes fit a grid.
enum GridFit {
  /// How many of the notes start on one of some grids: within a 48th of a quarter note of a step.
  ///
  /// - `steps`: the steps per quarter note of each grid.
  static func count(_ notes: some Sequence<MIDINote>, ticksPerQuarter: Int, steps: [Int]) -> Int {
    let slack = max(1, ticksPerQuarter / 48)
    return notes.reduce(0) { count, note in
      let isNear = steps.contains { steps in
        let step = Double(ticksPerQuarter) / Double(steps)
        let place = Double(note.start) / step
        return abs(place - place.rounded()) * step <= Double(slack)
      }
      return count + (isNear ? 1 : 0)
    }
  }
}

extension GridEncoding {
  /// The share of the notes this encoding takes from a file that do not start on its grid, from 0 to
  /// 1: they are moved to the nearest step by more than a 48th of a quarter note.
  public func offGrid(_ file: MIDIFile) -> Double {
    offGrid(file, stepsPerQuarter: grid.stepsPerQuarter)
  }

  /// The steps per quarter note, 1 to 12, of the coarsest grid on which at least 19 in 20 of these
  /// notes start; nil if there is none, as where they are played freely. 12 has sixteenths and
  /// triplets; on finer grids nearly every note would count.
  public func fittingSteps(_ file: MIDIFile) -> Int? {
    [1, 2, 3, 4, 6, 8, 12].first { offGrid(file, stepsPerQuarter: $0) <= 0.05 }
  }

  private func offGrid(_ file: MIDIFile, stepsPerQuarter: Int) -> Double {
    let notes = select(file)
    guard !notes.isEmpty else { return 0 }
    let fitting = GridFit.count(
      notes, ticksPerQuarter: file.ticksPerQuarter, steps: [stepsPerQuarter])
    return Double(notes.count - fitting) / Double(notes.count)
  }
}
