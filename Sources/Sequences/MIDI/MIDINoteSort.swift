import Memory

extension GrowableBuffer<MIDINote> {
  /// Sorts notes by `MIDINote.precedes`, keeping equals in order. Tracks are nearly sorted: chords are
  /// put in order in place, and the runs that result, about as many as tracks, merged two by two.
  func sortByStart() throws(OutOfMemory) {
    guard count > 1, let base else { return }
    sortChords(base, count)
    var runs = GrowableBuffer<Int>()
    try runs.append(0)
    for i in 1..<count where base[i].precedes(base[i - 1]) { try runs.append(i) }
    guard runs.count > 1 else { return }
    try runs.append(count)
    let scratch = try GrowableBuffer(repeating: .none, count: count)
    var (from, to) = (base, scratch.base!)
    while runs.count > 2 {
      let merged = try GrowableBuffer<Int>(capacity: runs.count / 2 + 2)
      try merged.append(0)
      for i in stride(from: 0, to: runs.count - 1, by: 2) {
        let end = i + 2 < runs.count ? runs[i + 2] : runs[i + 1]
        merge(from, to, runs[i], runs[i + 1], end)
        try merged.append(end)
      }
      runs = merged
      swap(&from, &to)
    }
    if from != base { base.update(from: from, count: count) }
  }
}

/// Puts notes of one start in order by insertion, at most so far back that time stays linear.
private func sortChords(_ notes: UnsafeMutablePointer<MIDINote>, _ count: Int) {
  var chord = 0
  for i in 1..<max(1, count) {
    if notes[i].start != notes[chord].start || i - chord == 32 { chord = i }
    guard i > chord, notes[i].precedes(notes[i - 1]) else { continue }
    let note = notes[i]
    var j = i
    while j > chord && note.precedes(notes[j - 1]) {
      notes[j] = notes[j - 1]
      j -= 1
    }
    notes[j] = note
  }
}

/// Merges the runs [start, middle) and [middle, end), the second of which may be empty.
private func merge(
  _ from: UnsafeMutablePointer<MIDINote>, _ to: UnsafeMutablePointer<MIDINote>,
  _ start: Int, _ middle: Int, _ end: Int
) {
  var (i, j, k) = (start, middle, start)
  while i < middle && j < end {
    let takesSecond = from[j].precedes(from[i])
    (to + k).initialize(to: from[takesSecond ? j : i])
    j += takesSecond ? 1 : 0
    i += takesSecond ? 0 : 1
    k += 1
  }
  (to + k).initialize(from: from + i, count: middle - i)
  (to + k + middle - i).initialize(from: from + j, count: end - j)
}
