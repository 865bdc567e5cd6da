import Sequences

private func read(_ bytes: UnsafeRawBufferPointer, strict: Bool = false)
  -> (file: MIDIFile, warnings: [MIDIWarning])?
{
  var warnings: [MIDIWarning] = []
  do throws(MIDIError) {
    return (
      try MIDIFile.read(bytes, warnings: &warnings, checkingNotes: true, strict: strict), warnings
    )
  } catch {
    claim(!error.message.isEmpty, "an error says something")
    return nil
  }
}

/// Any bytes are a MIDI file or refused; what was read makes sense, and can be written and read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = UnsafeRawBufferPointer(start: start, count: count)
  guard let (file, warnings) = read(input) else { return 0 }
  claim(read(input, strict: true) != nil, "strict reading refuses no more")
  claim(warnings.count <= MIDIWarning.limit + 1, "warnings are bounded")
  claim(warnings.allSatisfy { (0...count).contains($0.offset) }, "a warning names a byte")
  claim(file.tracks.reduce(0) { $0 + $1.events.count } <= count / 2, "events take two bytes")

  for track in file.tracks {
    var tick = 0
    for event in track.events {
      claim(event.tick >= tick, "ticks go on")
      tick = event.tick
    }
    claim(track.end >= tick && track.end <= MIDIFile.maximumTick, "a track ends after its events")
    _ = track.name
  }
  let notes = file.notes()
  let held = file.notes(sustain: true)
  claim(notes.count == held.count, "the pedal makes no notes")
  var last = -1
  for (note, longer) in zip(notes, held) {
    claim(note.start >= last && note.duration >= 0 && note.end <= file.end, "notes are in order")
    claim(longer.start == note.start && longer.duration >= note.duration, "the pedal lengthens")
    last = note.start
  }
  let map = file.tempoMap
  claim(map.seconds(at: file.end) >= 0, "time goes on")
  claim((0...MIDIFile.maximumTick).contains(map.tick(at: Double(count))), "ticks are bounded")
  for signature in file.timeSignatures { claim(signature.numerator > 0, "bars have beats") }
  for key in file.keySignatures { claim(abs(key.sharps) <= 7, "keys have 7 accidentals") }

  let written = file.write()
  guard let again = written.withUnsafeBytes({ read($0, strict: true) }) else {
    claim(false, "what is written can be read")
    return 0
  }
  claim(again.file.notes() == notes, "notes stay the same")
  claim(again.file.division == file.division, "the division stays the same")
  claim(again.file.tempoMap == map, "tempos stay the same")
  claim(again.file.write() == written, "what is written reads as it was written")
  return 0
}
