import Memory

/// The warnings of one reading, of which no more than `MIDIWarning.limit` are worded and kept.
struct MIDIWarnings {
  private var list: [MIDIWarning] = []
  private var more: (first: Int, count: Int)?

  mutating func add(_ offset: Int, _ message: @autoclosure () -> String) {
    if list.count < MIDIWarning.limit {
      list.append(MIDIWarning(offset: offset, message()))
    } else {
      more = (more?.first ?? offset, (more?.count ?? 0) + 1)
    }
  }

  /// The warnings, and one more that counts those left out.
  var all: [MIDIWarning] {
    guard let more else { return list }
    return list + [MIDIWarning(offset: more.first, "\(more.count) more warnings, not listed")]
  }
}

extension MIDIFileReader {
  /// Warns of notes whose ends are missing, with two warnings a track at most.
  mutating func checkNotes(of file: MIDIFile) throws(OutOfMemory) {
    var log = log
    let chunks = chunks
    try file.mendedNotes { track, mended in
      func add(_ count: Int, _ what: String, _ first: MIDINote?) {
        guard count > 0, let first else { return }
        log.add(
          chunks[track],
          "\(what) in track \(track + 1): \(count); the first (pitch \(first.pitch), channel \(first.channel)) begins at tick \(first.start) and is ended at tick \(first.end)"
        )
      }
      add(mended.missing, "notes without a note-off", mended.firstMissing)
      add(mended.cut, "notes ended by All Notes Off or a controller like it", mended.firstCut)
    }
    self.log = log
  }
}
