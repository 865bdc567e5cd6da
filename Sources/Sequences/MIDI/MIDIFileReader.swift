import Memory

extension MIDIFile {
  /// Reads a Standard MIDI File, leniently: what can be read of a damaged one is read.
  ///
  /// Formats 0, 1 and 2, bare or RIFF-wrapped (RMID). Chunks of unknown type are skipped, and a second
  /// header ends the file. Events stay as they are in the file; what is missing among note-offs is mended
  /// by `notes`. Time is linear in the size, memory at most about
  /// twenty times the size, usually eight.
  ///
  /// - `warnings`: what was wrong is appended here: at most `MIDIWarning.limit` entries, and one
  ///   more that counts the others.
  /// - `checkingNotes`: whether the warnings tell of note-ons without note-offs too, which `notes` mends.
  ///   It takes about as long as `notes` does.
  /// - `strict`: a meta or system event ends running status, as RP-001 says. There are programs that
  ///   write files which need it to go on, so that by default it does, with a warning.
  /// - throws: a sentence, if this is not a MIDI file or is above `maximumSize`.
  public static func read(
    _ bytes: UnsafeRawBufferPointer, warnings: inout [MIDIWarning], checkingNotes: Bool = false,
    strict: Bool = false
  ) throws(MIDIError) -> MIDIFile {
    guard let base = bytes.baseAddress, bytes.count > 0 else {
      throw .invalid("an empty file is no MIDI file")
    }
    guard bytes.count <= maximumSize else {
      throw .invalid("a MIDI file of \(bytes.count) bytes is not read; the most is \(maximumSize)")
    }
    var reader = MIDIFileReader(
      source: MIDISource(base: base.assumingMemoryBound(to: UInt8.self), end: bytes.count),
      strict: strict)
    let file = try reader.read()
    if checkingNotes {
      do throws(OutOfMemory) { try reader.checkNotes(of: file) } catch { throw .outOfMemory(error) }
    }
    warnings += reader.log.all
    return file
  }

  /// As above, from an array.
  public static func read(
    _ bytes: [UInt8], warnings: inout [MIDIWarning], checkingNotes: Bool = false,
    strict: Bool = false
  ) throws(MIDIError) -> MIDIFile {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(MIDIError) in
        try read(bytes, warnings: &warnings, checkingNotes: checkingNotes, strict: strict)
      }
    }
    return try result.get()
  }
}

/// The bytes of a file; reading beyond `end` is asked for nowhere.
struct MIDISource {
  let base: UnsafePointer<UInt8>
  /// Where what concerns us ends: the file, or the RIFF chunk that holds the MIDI file.
  var end: Int

  /// The number in big-endian order at a place that has as many bytes.
  func number(at place: Int, bytes: Int) -> Int {
    var value = 0
    for i in place..<place + bytes { value = value << 8 | Int(base[i]) }
    return value
  }

  /// Whether four characters stand at a place, within the end.
  func holds(_ name: StaticString, at place: Int) -> Bool {
    guard place >= 0, end - place >= 4 else { return false }
    let name = name.utf8Start
    return (0..<4).allSatisfy { base[place + $0] == name[$0] }
  }

  /// The first place from `start` on where one of these names stands, if before `limit`.
  func find(_ names: StaticString..., from start: Int, before limit: Int) -> Int? {
    var place = start
    while place < limit && end - place >= 4 {
      // All names looked for begin with this letter.
      if base[place] == UInt8(ascii: "M"), names.contains(where: { holds($0, at: place) }) {
        return place
      }
      place += 1
    }
    return nil
  }

  /// Whether four printable characters stand here, as the name of a chunk would.
  func isName(at place: Int) -> Bool {
    end - place >= 4 && (place..<place + 4).allSatisfy { (0x20...0x7E).contains(base[$0]) }
  }
}

/// Reads the containers: RIFF, the header chunk, and the track chunks one after another.
struct MIDIFileReader {
  var source: MIDISource
  var strict: Bool
  var log = MIDIWarnings()
  let events = MIDIEvents.Store()
  /// Where the chunks of the tracks begin.
  let chunks = GrowableBuffer<Int>()

  /// What is done without where a header does not say it: as mido does.
  private static let usualTicks = 480
  /// A header chunk is looked for in so many bytes, after junk.
  private static let searched = 65_536

  mutating func read() throws(MIDIError) -> MIDIFile {
    var file = MIDIFile(
      division: .metrical(ticksPerQuarter: Self.usualTicks), tracks: MIDITracks(events))
    var place = unwrap()
    var announced: (tracks: Int, offset: Int)?
    if source.holds("MTrk", at: place) {
      log.add(place, "there is no header; \(Self.usualTicks) ticks per quarter note are assumed")
    } else {
      guard let header = source.find("MThd", from: place, before: place + Self.searched) else {
        throw .invalid("this is no MIDI file: it has no header chunk (MThd)")
      }
      if header > place { log.add(place, "\(header - place) bytes of junk before the header") }
      guard source.end - header >= 8 else { throw .invalid("the file ends within its header") }
      place = readHeader(at: header, &file, &announced)
    }
    do throws(OutOfMemory) {
      // Half as many events as bytes is the most there can be; untouched memory costs nothing.
      try events.records.reserve(source.end / 2 + 1)
      try readTracks(from: place, announced: announced?.tracks ?? 0, file)
    } catch { throw .outOfMemory(error) }
    file.tracks.trim()
    if let announced, announced.tracks != file.tracks.count {
      log.add(
        announced.offset,
        "the header counts \(announced.tracks) tracks; the file has \(file.tracks.count)")
    }
    if file.format == 0 && file.tracks.count > 1 {
      log.add(0, "format 0 has one track; the file is taken as format 1")
      file.format = 1
    }
    return file
  }

  /// Where the MIDI file begins: in the data chunk of a RIFF file of type RMID (RP-001's
  /// companion, the RIFF MIDI format), otherwise at the beginning.
  private mutating func unwrap() -> Int {
    guard source.holds("RIFF", at: 0), source.holds("RMID", at: 8) else { return 0 }
    var place = 12
    while source.end - place >= 8 {
      // RIFF counts in little-endian order.
      let size = source.number(at: place + 4, bytes: 4)
      let length = Int(UInt32(truncatingIfNeeded: size).byteSwapped)
      let body = place + 8
      if source.holds("data", at: place) {
        if holdsAll(length, of: body) {
          source.end = body + length
        } else {
          log.add(
            place,
            "the size in the RIFF data chunk is \(length), which is wrong; all \(source.end - body) bytes up to the end of the file are read"
          )
        }
        return body
      }
      guard length <= source.end - body else { break }
      place = body + length + length & 1
    }
    log.add(0, "the RIFF file has no data chunk; a MIDI header is looked for")
    return 0
  }

  /// Whether a RIFF data chunk can have this length: the file or another RIFF chunk follows it.
  private func holdsAll(_ length: Int, of body: Int) -> Bool {
    let rest = source.end - body - length
    guard length > 0, rest >= 0 else { return false }
    let next = body + length + length & 1
    return rest <= 1
      || source.isName(at: next) && source.find("MTrk", "MThd", from: next, before: next + 1) == nil
  }

  /// Reads the header chunk; the place after it.
  private mutating func readHeader(
    at header: Int, _ file: inout MIDIFile, _ announced: inout (tracks: Int, offset: Int)?
  ) -> Int {
    var length = source.number(at: header + 4, bytes: 4)
    let body = header + 8
    if length != 6 {
      log.add(header + 4, "the header chunk says \(length) bytes, not 6")
      let believed =
        length <= source.end - body && !source.holds("MTrk", at: body + 6)
        && (length > 6 || source.holds("MTrk", at: body + length))
      if !believed { length = min(6, source.end - body) }
    }
    length = min(length, source.end - body)
    if length >= 2 {
      file.format = source.number(at: body, bytes: 2)
      if file.format > 2 {
        log.add(body, "format \(file.format) is unknown; the file is taken as format 1")
        file.format = 1
      }
    }
    if length >= 4 { announced = (source.number(at: body + 2, bytes: 2), body + 2) }
    if length >= 6 {
      file.division = division(source.number(at: body + 4, bytes: 2), at: body + 4)
    } else {
      log.add(
        body, "the header is cut short; \(Self.usualTicks) ticks per quarter note are assumed")
    }
    return body + length
  }

  private mutating func division(_ value: Int, at offset: Int) -> MIDIFile.Division {
    if value < 0x8000 && value > 0 { return .metrical(ticksPerQuarter: value) }
    let (frames, ticks) = (256 - value >> 8, value & 0xFF)
    if value == 0 || ticks == 0 {
      log.add(offset, "the division is 0; \(Self.usualTicks) ticks per quarter note are assumed")
      return .metrical(ticksPerQuarter: Self.usualTicks)
    }
    if ![24, 25, 29, 30].contains(frames) {
      log.add(offset, "\(frames) frames per second are none of 24, 25, 29 and 30")
    }
    return .timeCode(framesPerSecond: frames, ticksPerFrame: ticks)
  }

  /// Reads track chunks up to the end of the file, or to a second header. There may be more of them
  /// than announced, but then one directly after another: junk ends them.
  private mutating func readTracks(
    from start: Int, announced: Int, _ file: MIDIFile
  ) throws(OutOfMemory) {
    var place = start
    while place < source.end {
      if source.holds("MThd", at: place) {
        return log.add(
          place, "a second header; the \(source.end - place) bytes from there on are ignored")
      }
      if source.holds("MTrk", at: place) && source.end - place >= 8 {
        guard file.tracks.count < MIDIFile.maximumTracks else {
          log.add(place, "there are more than \(MIDIFile.maximumTracks) tracks; no more are read")
          return
        }
        place = try readTrack(at: place, file)
      } else if let next = afterForeignChunk(at: place) {
        place = next
      } else {
        let isComplete = announced > 0 && file.tracks.count >= announced
        let next =
          isComplete
          ? source.find("MThd", from: place + 1, before: source.end) ?? source.end
          : nextChunk(from: place + 1, before: source.end)
        log.add(place, "\(next - place) bytes that are not a chunk are skipped")
        place = next
      }
    }
  }

  /// The first header of a track or of a file, or `end`.
  private func nextChunk(from place: Int, before end: Int) -> Int {
    source.find("MTrk", "MThd", from: place, before: end) ?? end
  }

  /// The place after a chunk of unknown type, which is to be skipped without ado.
  private func afterForeignChunk(at place: Int) -> Int? {
    guard source.end - place >= 8, source.isName(at: place), !source.holds("MTrk", at: place) else {
      return nil
    }
    let length = source.number(at: place + 4, bytes: 4)
    let next = place + 8 + length
    return next == source.end || next < source.end && source.isName(at: next) ? next : nil
  }

  /// Reads a track chunk; the place after it.
  private mutating func readTrack(
    at chunk: Int, _ file: MIDIFile
  ) throws(OutOfMemory) -> Int {
    let length = source.number(at: chunk + 4, bytes: 4)
    let body = chunk + 8
    let next = body + length
    // The length is believed if the file, another chunk or an end of track bears it out.
    let believed =
      next == source.end
      || next < source.end
        && (source.isName(at: next)
          || length >= 3 && source.number(at: next - 3, bytes: 3) == 0xFF2F00)
    var end = next
    if !believed {
      end = nextChunk(from: body, before: source.end)
      log.add(
        chunk + 4,
        "the track chunk says \(length) bytes, which cannot be; up to \(end - body) are read")
    }
    var track = MIDITrackReader(
      source: source, place: body, end: end, isEndKnown: believed, strict: strict, log: log,
      events: events)
    try file.tracks.endTrack(at: try track.read())
    try chunks.append(chunk)
    log = track.log
    guard track.ended else {
      log.add(track.place, "track \(file.tracks.count) has no end-of-track event")
      return end
    }
    if believed && track.place < end {
      // Bytes after the end of the track, or a wrong length that happens to fit.
      let other = nextChunk(from: track.place, before: end)
      if other == end {
        log.add(track.place, "\(end - track.place) bytes after the end of track are skipped")
      }
      return other
    }
    return track.place
  }
}
